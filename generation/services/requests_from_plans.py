"""What a person wants of plans, wherever these lie: a request for each episode and style of them.

Each is an ordinary request, checked and made by the same services as one that came over HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Episode, Plan, Style
from generation.parameter_sources import ValueSource, from_one
from generation.selectors import production
from generation.services import (
    dry_runs,
    idempotency,
    light_variants,
    request_params,
    request_validation,
    requested_workflows,
    workflow_descriptions,
)
from generation.services.dry_runs import DryRunDocument
from generation.services.idempotency import Created
from generation.services.request_validation import BatchRequest
from generation.states import Mode
from generation.workflows.parameters import Parameter
from wording import say_n


@dataclass(frozen=True)
class Wish:
    """What is wanted of some plans; a request names only what differs from these defaults.

    `style` is that of all plans; None means each plan's own. An empty `workflow_name` means each
    style's own. `params` are the values that differ from what style and workflow give.
    """

    plans: Sequence[Plan]
    style: Style | None = None
    workflow_name: str = ""
    mode: str = Mode.AUTO
    params: Mapping[str, Any] = field(default_factory=dict)
    #: More keys of a request: `variations`, `priority`, `name`, `variant`, `reason`, `force`.
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedRequest:
    """The plans of a wish that make one batch, and the request for them."""

    episode: Episode
    style: Style
    plans: Sequence[Plan]
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Rehearsed:
    """A part, and what it would make: why it cannot be taken, or what the dry run says of it."""

    part: PlannedRequest
    dry_run: DryRunDocument | None
    problems: Sequence[Problem] = ()


def parts(wish: Wish) -> list[PlannedRequest]:
    """Return a wish as requests, in the order of its plans.

    Where all plans of one are locked, and not those of others, there is none of it.

    Raises:
        InvalidRequest: some plans have no style of their own, and none is chosen.
    """
    grouped: dict[tuple[int, Style], list[Plan]] = {}
    for plan in wish.plans:
        if style := wish.style or plan.style:
            grouped.setdefault((plan.sequence.episode_id, style), []).append(plan)
    _refuse_without_style(wish.plans, sum(map(len, grouped.values())))
    locked = frozenset() if wish.more.get("force") else production.locked_ids(wish.plans)
    open_to_all = {at: of for at, of in grouped.items() if any(p.pk not in locked for p in of)}
    return [
        PlannedRequest(plans[0].sequence.episode, style, plans, _payload(wish, style, plans))
        for (_, style), plans in (open_to_all or grouped).items()
    ]


def _refuse_without_style(plans: Sequence[Plan], n_styled: int) -> None:
    n_without = len(plans) - n_styled
    if n_without:
        detail = say_n(
            "{n} plan has no style of its own: choose a style for all, or other plans.",
            "{n} plans have no style of their own: choose a style for all, or other plans.",
            n_without,
        )
        raise InvalidRequest([Problem("style", "no_style", detail)])


def _payload(wish: Wish, style: Style, plans: Sequence[Plan]) -> dict[str, Any]:
    episode = plans[0].sequence.episode
    sequences: dict[str, list[str]] = {}
    for plan in plans:
        sequences.setdefault(plan.sequence.code, []).append(plan.code)
    payload: dict[str, Any] = {
        "project_id": episode.project.code,
        "season": episode.season,
        "episode": episode.code,
        "sequences": [{"sequence_id": code, "plans": of} for code, of in sequences.items()],
        "style": style.code,
        "mode": str(wish.mode),
    }
    if wish.workflow_name:
        payload["workflow_json"] = wish.workflow_name
    if wish.params:
        payload["params"] = dict(wish.params)
    return payload | dict(wish.more)


@dataclass(frozen=True)
class OfferedParameter:
    """A parameter that can be given for all plans of a wish, in the bounds that hold for all.

    `found` is what it is by itself in each style, and its source; None is a seed that is drawn.
    """

    parameter: Parameter
    found: Sequence[tuple[object, str]]


def offered_parameters(wish: Wish) -> list[OfferedParameter]:
    """Return what can be given for a wish: what the workflows of all its styles have.

    Raises:
        InvalidRequest: there is no such workflow, or none that can be used.
    """
    read = [_defaults_of(style, wish) for style in styles(wish)]
    if not read:
        return []
    first, *others = read
    return [
        OfferedParameter(
            reduce(_narrowed, (found[name][0] for found in read)),
            [found[name][1] for found in read],
        )
        for name in first
        if all(name in found for found in others)
    ]


def styles(wish: Wish) -> list[Style]:
    """Return the styles that the plans of a wish are made in, each once."""
    if wish.style is not None:
        return [wish.style]
    return list(dict.fromkeys(plan.style for plan in wish.plans if plan.style))


_Known = dict[str, tuple[Parameter, tuple[object, str]]]


def _defaults_of(style: Style, wish: Wish) -> _Known:
    """Return the parameters of a style's workflow, each with its value and the value's source."""
    workflow = requested_workflows.find(wish.workflow_name or style.workflow_name)
    contract = requested_workflows.contract(workflow)
    over, sources = request_params.defaults(contract, workflow.name, style)
    lit = light_variants.Light(style, workflow.name, contract).values(wish.more.get("variant"))
    over, sources = {**over, **lit}, {**sources, **from_one(lit, ValueSource.VARIANT)}
    drawn = (
        {}
        if requested_workflows.SEED in over
        else {requested_workflows.SEED: (None, ValueSource.DRAWN.value)}
    )
    return {
        of.name: (
            of,
            drawn.get(of.name)
            or (over.get(of.name, of.default), sources.get(of.name, ValueSource.WORKFLOW.value)),
        )
        for of in workflow_descriptions.parameters(contract)
        if of.is_offered and of.type != "IMAGE"
    }


def _narrowed(one: Parameter, other: Parameter) -> Parameter:
    """Return a parameter in the bounds of two, and with the choices that both have."""
    lows = [of.minimum for of in (one, other) if of.minimum is not None]
    highs = [of.maximum for of in (one, other) if of.maximum is not None]
    options = one.options
    if options is not None and other.options is not None:
        options = tuple(option for option in options if option in other.options)
    return replace(
        one,
        minimum=max(lows, default=None),
        maximum=min(highs, default=None),
        options=options,
    )


def rehearse(wish: Wish) -> list[Rehearsed]:
    """Return what each part of a wish would make; nothing is written.

    Raises:
        InvalidRequest: some plans have no style of their own, and none is chosen.
    """
    return [_rehearsed(part) for part in parts(wish)]


def _rehearsed(part: PlannedRequest) -> Rehearsed:
    try:
        return Rehearsed(part, dry_runs.rehearse(request_validation.read(part.payload)))
    except InvalidRequest as refused:
        return Rehearsed(part, None, refused.problems)
    except Conflict as refused:
        return Rehearsed(part, None, [Problem("force", refused.code, refused.detail)])


def start(wish: Wish, *, key: str, requester: User) -> list[Created]:
    """Make the batches of a wish, all or none; those that this key has made are made no more.

    Raises:
        InvalidRequest: a part cannot be taken.
        Conflict: the key came with another wish before, or all plans are locked.
    """
    read = [(part, request_validation.read(part.payload)) for part in parts(wish)]
    with transaction.atomic():
        return [_start(part, request, key, requester) for part, request in read]


def _start(part: PlannedRequest, request: BatchRequest, key: str, requester: User) -> Created:
    of_part = f"{key}.{part.episode.pk}.{part.style.code}"
    return idempotency.make_once(part.payload, lambda: request, key=of_part, requester=requester)
