"""A draft is confirmed: its plans are made, with their panels and texts. One act, repeatable."""

from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from generation import storage
from generation.errors import Conflict, Fenced, InvalidRequest, Problem
from generation.services import acts, permissions, plan_attributes, storyboard_plans
from generation.services.permissions import Needed
from generation.services.storyboard_plans import MadePlans, NewPlan
from generation.states import PlanStatus
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.selectors import drafts
from storyboards.selectors.drafts import Compared, Draft
from storyboards.services import editing, reading_queue, transitions
from storyboards.states import ImportState
from wording import say

#: How long whoever comes second waits for the answer that the first one gets.
PATIENCE_S = 20.0
_LOOK_S = 0.25
SOURCE = "storyboard"
#: How often the lease is kept while pictures are staged and named.
BEAT_S = 10.0
TO_CONFIRM = Needed(permissions.WRITE, say("make plans of a storyboard"))
#: What a confirmed import tells numbers of, in this order.
COUNTED = ("plans", "new", "changed", "panels", "omitted")


def confirm(
    of: StoryboardImport, *, revision: int | None = None, actor: User | None
) -> StoryboardImport:
    """Make the plans of a draft, and return the import as confirmed; the second time, the same.

    `revision`: what whoever confirms it has seen.

    Raises:
        Forbidden: who confirms it may not.
        InvalidRequest: boards cannot be made plans: each at its place, by its position.
        Conflict: it is no draft, or was changed since that revision.
        Busy: too much is being decoded just now.
        StorageError: the projects folder cannot be written.
    """
    permissions.require(actor, *TO_CONFIRM)
    token = _turn(of)
    if token is None:
        return drafts.find(of.public_id)
    try:
        draft = drafts.draft(StoryboardImport.objects.get(pk=of.pk))
        _check(draft, revision)
        made = make(draft, actor, on_step=_Beat(of, token).note)
        with transaction.atomic():
            transitions.confirm(of, token, made, actor)
            acts.record("confirm", of, by=actor, after=made)
    except Fenced:
        # It took longer than the lease: whoever took over finds all of it there.
        return confirm(of, actor=actor)
    finally:
        transitions.release(of, token)
    return drafts.find(of.public_id)


def _turn(of: StoryboardImport) -> UUID | None:
    """Return the lease of a draft, once nobody else has it; None once somebody has confirmed it.

    Raises:
        Conflict: it is no draft, or somebody takes too long over it.
    """
    until = monotonic() + PATIENCE_S
    while True:
        if token := transitions.claim_draft(of):
            return token
        # Read at once: between two questions somebody may have confirmed it.
        state = StoryboardImport.objects.filter(pk=of.pk).values_list("state", flat=True).first()
        if state == ImportState.CONFIRMED:
            return None
        if state != ImportState.DRAFT or monotonic() > until:
            raise editing.refusal(of)
        sleep(_LOOK_S)


def _check(draft: Draft, revision: int | None) -> None:
    if revision is not None and draft.of.revision != revision:
        detail = say("Somebody has changed it meanwhile: read it again, then confirm.")
        raise Conflict(detail, code="storyboard_changed", attr="revision")
    if draft.problems:
        raise InvalidRequest(list(draft.problems))


class _Beat:
    """Keeps the lease of a draft, as long as its confirmation goes on."""

    def __init__(self, of: StoryboardImport, token: UUID) -> None:
        self._of = of
        self._token = token
        self._kept_at = monotonic()

    def note(self) -> None:
        """Keep the lease, unless that was done a moment ago.

        Raises:
            Fenced: somebody else confirms it now, or it is deleted.
        """
        if monotonic() >= self._kept_at + BEAT_S:
            transitions.beat_draft(self._of, self._token)
            self._kept_at = monotonic()


def make(
    draft: Draft, actor: User | None, *, on_step: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Make the plans, mark those that are gone, and return how many of each.

    `on_step` is called after each picture that was staged or named.
    """
    of = draft.of
    chosen = [each for each in draft.boards if each.board.is_selected]
    plans = [_plan(of, each) for each in chosen]
    try:
        made = storyboard_plans.make_plans(
            of.project_code,
            of.season,
            of.episode_code,
            plans,
            by=actor,
            source=SOURCE,
            on_step=on_step,
        )
    except InvalidRequest as error:
        raise InvalidRequest([_of_board(each, chosen) for each in error.problems]) from error
    gone: Mapping[int, Mapping[str, Any]] = {
        plan.plan_id: {"production_status": PlanStatus.OMITTED.value} for plan in draft.gone
    }
    plan_attributes.write_all(gone, by=actor, source=SOURCE)
    return _counts(made, draft)


def _plan(of: StoryboardImport, compared: Compared) -> NewPlan:
    board = compared.board
    panel = storage.absolute(reading_queue.picture_file(of, board.picture_name))
    return NewPlan(board.sequence_code, board.plan_code, _texts(compared), panel)


def _texts(compared: Compared) -> dict[str, Any]:
    """Return what a board tells of its plan; what it does not tell stays as it is."""
    board = compared.board
    told = {
        "label": board.label,
        "storyboard_uid": board.uid,
        "dialogue": board.dialogue,
        "action": board.action,
        "notes": board.notes,
        "duration_ms": board.duration_ms,
        "style": board.style_code,
        "position": board.position,
    }
    texts = {name: value for name, value in told.items() if value not in ("", None)}
    if compared.known and compared.known.is_omitted:
        texts["production_status"] = PlanStatus.ACTIVE.value
    return texts


def _of_board(problem: Problem, chosen: list[Compared]) -> Problem:
    """Return a plan's problem at its board's place."""
    _, _, rest = problem.attr.partition("plans.")
    index, _, name = rest.partition(".")
    if not index.isdigit():
        return problem
    board: DraftBoard = chosen[int(index)].board
    place = ".".join(filter(None, ["boards", str(board.position), name]))
    return Problem(
        place, problem.code, say("Board {board}: {detail}", board=board, detail=problem.detail)
    )


def _counts(made: MadePlans, draft: Draft) -> dict[str, int]:
    told = made.plans, made.new, made.changed, made.panels, draft.gone
    return {name: len(each) for name, each in zip(COUNTED, told, strict=True)}
