"""From retakes to batches: what is to be made again is asked for, with what is to be better.

Each batch is an ordinary request, checked and made by the same services as one over HTTP: what was
asked for the version, what is changed of it, and what style and workflow tell today.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from generation.errors import Conflict, Conflicts, InvalidRequest, Problem
from generation.models import Batch, Version
from generation.models.batch import PRIORITY_HIGH
from generation.services import batches, permissions, request_validation
from generation.services.batches import Asking
from generation.services.permissions import Needed
from generation.services.request_validation import BatchRequest
from review.models import Retake, Review
from review.selectors import retakes
from review.services import retake_source
from review.services.decisions import DECIDE
from review.services.retake_source import PromptsOfPlans, RetakeSource
from wording import Sentence, say, to_say

NEW, SAME = "new", "same"
TO_START = Needed(DECIDE, say("start retakes"))
#: At most so many are started at once.
RETAKES_MAX = 1_000
_PLACE = "retakes.{}"
#: An act names so many of its versions.
NAMED_MAX = 20


@dataclass(frozen=True)
class WantedRetake:
    """One retake: of which version, with which seed, and what else is changed.

    `seed` is `NEW`, `SAME` or a number; `addition` is put behind the plan's prompt; `params` lie
    over what was asked for the version.
    """

    version_id: int
    seed: int | str = NEW
    addition: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Meant:
    """One that can be made: its place in the request, the decision that asks for it, its ground.

    `number` is that of the try: of two who start the same at once, one is refused by it.
    """

    place: str
    wanted: WantedRetake
    review: Review
    ground: RetakeSource
    number: int


def start(
    wanted: Sequence[WantedRetake], *, variations: int = 1, name: str = "", requester: User | None
) -> list[Batch]:
    """Ask for retakes, all of them or none; return the batches: one for each style and workflow.

    They go before what their versions' batches have: the priority is one higher.

    Raises:
        Forbidden: who asks may not.
        InvalidRequest: one cannot be asked for so, or would make the same picture again.
        Conflicts: a version is no retake any more, or is being made again already.
    """
    permissions.require(requester, *TO_START)
    permissions.require(requester, *permissions.TO_ASK)
    meant = _meant(wanted)
    requests = [_request(of, variations, name) for of in _grouped(meant)]
    _refuse_same(requests)
    try:
        with transaction.atomic():
            return [_create(request, of, requester) for request, of in requests]
    except IntegrityError as error:
        detail = say(
            "Somebody has started these at the same moment: look at what is being rendered."
        )
        raise Conflict(detail, code="in_render") from error


def _meant(wanted: Sequence[WantedRetake]) -> list[_Meant]:
    ids = [each.version_id for each in wanted]
    versions = retakes.to_make().in_bulk(ids)
    asking = retakes.asking_decisions(ids)
    last = retakes.last_of([review.pk for review in asking.values()])
    busy = _busy(list(asking.values()), last)
    refused: list[Problem] = []
    wrong: list[Problem] = []
    meant: list[_Meant] = []
    for index, each in enumerate(wanted):
        place = _PLACE.format(index)
        review, version = asking.get(each.version_id), versions.get(each.version_id)
        ground = retake_source.ground(version) if version else None
        if each.version_id in ids[:index]:
            detail = say(
                "Version {version_id} stands in the list already.", version_id=each.version_id
            )
            wrong.append(Problem(f"{place}.version", "duplicate_version", detail))
        elif review is None or version is None:
            refused.append(Problem(f"{place}.version", "no_retake", _no_retake(each.version_id)))
        elif review.pk in busy:
            detail = say(
                "{version} is being made again already, in batch {busy}.",
                version=version,
                busy=busy[review.pk],
            )
            refused.append(Problem(f"{place}.version", "in_render", detail))
        elif ground is None:
            wrong.append(
                Problem(
                    f"{place}.version", "not_rendered", Sentence(_NO_GROUND, {"version": version})
                )
            )
        else:
            number = last[review.pk].number + 1 if review.pk in last else 1
            meant.append(_Meant(place, each, review, ground, number))
    if wrong:
        raise InvalidRequest(wrong)
    if refused:
        raise Conflicts(refused)
    return meant


_NO_GROUND = to_say(
    "{version} was made by no batch, so that nothing tells how to make it again: "
    "ask for its plan on the page Generate, or by a request."
)


def _no_retake(version_id: int) -> str:
    found = Version.objects.reviewed().filter(pk=version_id).first()
    if found is None:
        return say("There is no version {version_id} that is reviewed.", version_id=version_id)
    state = found.review_state.replace("_", " ")
    return say(
        "{found} is {state}: its plan does not wait for it to be made again.",
        found=found,
        state=state,
    )


def _busy(reviews: Collection[Review], last: Mapping[int, Retake]) -> dict[int, Batch]:
    """Return the batches in which decisions are being answered, by the decisions' ids."""
    plans = {review.pk: review.version.plan_id for review in reviews}
    return {
        pk: retake.batch
        for pk, retake in last.items()
        if retake.batch.runs.unfinished().filter(plan=plans[pk]).exists()
    }


def _grouped(meant: Sequence[_Meant]) -> list[list[_Meant]]:
    """Return them by what one batch can hold."""
    groups: dict[tuple[object, ...], list[_Meant]] = {}
    for each in meant:
        batch = each.ground.batch
        same = (batch.episode_id, batch.style_id, each.ground.workflow_name, batch.mode)
        groups.setdefault(same, []).append(each)
    return list(groups.values())


def _request(of: list[_Meant], variations: int, name: str) -> tuple[BatchRequest, list[_Meant]]:
    payload, places = _payload(of, variations, name)
    try:
        return request_validation.read(payload), of
    except InvalidRequest as error:
        raise InvalidRequest([_placed(each, places) for each in error.problems]) from error


def _payload(
    of: Sequence[_Meant], variations: int, name: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the request for retakes, and their places by those of its plans."""
    first, prompts = of[0].ground, PromptsOfPlans()
    sequences: dict[str, list[dict[str, Any]]] = {}
    places: dict[str, str] = {}
    for each in of:
        sequence_id, plan = each.ground.key
        plans = sequences.setdefault(sequence_id, [])
        at = f"sequences.{list(sequences).index(sequence_id)}.plans.{len(plans)}"
        places[at] = each.place
        values = _values(each, prompts)
        plans.append({"plan": plan} | ({"params": values} if values else {}))
    episode = first.batch.episode
    payload: dict[str, Any] = {
        "project_id": episode.project.code,
        "season": episode.season,
        "episode": episode.code,
        "sequences": [{"sequence_id": code, "plans": plans} for code, plans in sequences.items()],
        "style": first.batch.style.code,
        "mode": first.batch.mode,
        "priority": min(PRIORITY_HIGH, 1 + max(each.ground.batch.priority for each in of)),
    }
    if first.workflow_name:
        payload["workflow_json"] = first.workflow_name
    if variations != 1:
        payload["variations"] = variations
    return payload | ({"name": name} if name else {}), places


def _values(meant: _Meant, prompts: PromptsOfPlans) -> dict[str, Any]:
    """Return what is asked for a plan: as before, with what is changed laid over it."""
    wanted, ground = meant.wanted, meant.ground
    values = {**ground.asked, **wanted.params}
    if wanted.addition.strip():
        prompt = wanted.params.get(retake_source.PROMPT, prompts.of(ground))
        if not isinstance(prompt, str):
            detail = say(
                "{workflow_name} takes no prompt: leave it out.",
                workflow_name=ground.workflow_name or "An artist",
            )
            raise InvalidRequest([Problem(f"{meant.place}.prompt_addition", "no_prompt", detail)])
        values[retake_source.PROMPT] = retake_source.with_addition(prompt, wanted.addition)
    if wanted.seed == SAME and ground.seed:
        values["seed"] = int(ground.seed)
    elif wanted.seed not in (NEW, SAME):
        values["seed"] = wanted.seed
    return values


def _placed(problem: Problem, places: Mapping[str, str]) -> Problem:
    """Return a problem of the batch's request at its place in that of the retakes."""
    at = ".".join(problem.attr.split(".")[:4])
    if at not in places:
        return problem
    return Problem(problem.attr.replace(at, places[at], 1), problem.code, problem.detail)


def _refuse_same(requests: Sequence[tuple[BatchRequest, list[_Meant]]]) -> None:
    plans = {each.ground.version.plan_id for _, of in requests for each in of}
    panels = Version.objects.panels().filter(plan__in=plans).order_by("number")
    newest = dict(panels.values_list("plan_id", "pk"))
    problems = [
        Problem(each.place, "same_picture", Sentence(_SAME, {"version": each.ground.version}))
        for request, of in requests
        for each in of
        if retake_source.is_same(each.ground, request, newest.get(each.ground.version.plan_id))
    ]
    if problems:
        raise InvalidRequest(problems)


_SAME = to_say(
    "The same seed with the same values makes the same picture as {version}: take a "
    "new seed, add to the prompt, or change a value. (A rerun is there to "
    "prove that it is the same.)"
)


def _create(request: BatchRequest, of: Sequence[_Meant], requester: User | None) -> Batch:
    told = {"of": [str(each.ground.version) for each in of[:NAMED_MAX]], "plans": len(of)}
    batch = batches.create(request, requester=requester, asking=Asking("make_again", told))
    Retake.objects.bulk_create(
        [
            Retake(
                review=each.review,
                number=each.number,
                batch=batch,
                asked={
                    "seed": each.wanted.seed,
                    "prompt_addition": each.wanted.addition,
                    "params": dict(each.wanted.params),
                },
                started_by=requester,
            )
            for each in of
        ]
    )
    return batch
