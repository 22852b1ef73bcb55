"""The queue: every plan that waits for a server, in the order in which they would be claimed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NotRequired, TypedDict

from django.db.models import Q

from generation.models import Batch, PlanRun
from generation.selectors import wait_reasons
from generation.selectors.logs import moment
from generation.selectors.wait_reasons import Outlook, Situation, Wait
from generation.states import RunState

_FIELDS = (
    "batch__public_id",
    "batch__episode__project__code",
    "batch__episode__code",
    "plan__sequence__code",
    "plan__code",
    "batch__style__code",
    "batch__priority",
    "wait_reason",
    "created_at",
    "variation",
    "batch__variations",
)

Place = tuple[int, int | None]


class QueueLine(TypedDict):
    """One waiting plan; `position` counts from 1, null for one that cannot be claimed yet.

    `expected_end` is when it is expected to have ended; null where that is not known. `variation`
    is there in batches of several variations.
    """

    position: int | None
    batch_id: str
    project_id: str
    episode: str
    sequence_id: str
    plan: str
    style: str
    priority: int
    waits: Wait | None
    requested_at: str
    expected_end: str | None
    variation: NotRequired[int]


class QueueLines(NamedTuple):
    """Waiting plans, and what their `waits.reason` refers to."""

    lines: list[QueueLine]
    reasons: dict[str, str]


def queue(batch: Batch | None = None) -> list[Place]:
    """Return (run id, position) of every waiting plan in the order of its turn.

    Those that cannot be claimed yet (no panel, paused, no capable server) come last, with None as
    position. With a batch, only its plans are listed, each with its position among all. That a
    server may prefer the models it holds, and what each can run, is left out.
    """
    queued = PlanRun.objects.queued()
    in_turn = queued.ready().filter(_claimable()).in_turn().values_list("pk", "batch_id")
    wanted = batch.pk if batch else None
    places: list[Place] = [
        (pk, position)
        for position, (pk, batch_id) in enumerate(in_turn, start=1)
        if wanted in {None, batch_id}
    ]
    claimable = {pk for pk, _ in places}
    listed = queued.filter(batch=batch) if batch else queued
    rest = listed.order_by("batch_id", "position").values_list("pk", flat=True)
    return places + [(pk, None) for pk in rest if pk not in claimable]


def _claimable() -> Q:
    """Return the condition on runs that are not paused and that some server might run."""
    stuck = (Situation.PAUSED, Situation.NONE_CAPABLE)
    batches = _annotated(PlanRun.objects.queued().order_by().values("batch"))
    parts = wait_reasons.queued_groups(batches.values())
    going = [part for part, standing in parts.items() if standing.situation not in stuck]
    own = [group for _, group in parts if group]
    as_most = Q(batch__in=[batch for batch, group in going if not group]) & ~Q(group__in=own)
    return as_most | Q(group__in=[group for _, group in going if group])


def _annotated(batch_ids: Any) -> dict[int, Batch]:
    return (
        Batch.objects.filter(pk__in=batch_ids)
        .annotate(**wait_reasons.batch_annotations())
        .in_bulk()
    )


def lines(places: Sequence[Place], ends: Mapping[int, datetime | None] | None = None) -> QueueLines:
    """Return waiting plans as clients read them, in the order given, in at most five queries.

    `ends`: when runs are expected to end, by their ids.
    """
    told = ends or {}
    rows = PlanRun.objects.filter(pk__in=[pk for pk, _ in places]).values_list(
        "pk", "batch_id", "group_id", *_FIELDS
    )
    by_id = {row[0]: row[1:] for row in rows}
    outlooks = wait_reasons.outlooks_of(_annotated({row[0] for row in by_id.values()}).values())
    shown = [
        _line(
            by_id[pk][2:],
            position,
            wait_reasons.known_of_group(outlooks, by_id[pk][:2]),
            told.get(pk) if position else None,
        )
        for pk, position in places
        if pk in by_id
    ]
    return QueueLines(shown, wait_reasons.reasons(outlooks.values()))


def _line(
    row: tuple[Any, ...], position: int | None, outlook: Outlook, end: datetime | None
) -> QueueLine:
    public_id, project, episode, sequence_id, plan, style, priority, *more = row
    reason, created_at, variation, variations = more
    wait = wait_reasons.waits(RunState.QUEUED, reason, outlook)
    line: QueueLine = {
        "position": position,
        "batch_id": public_id,
        "project_id": project,
        "episode": episode,
        "sequence_id": sequence_id,
        "plan": plan,
        "style": style,
        "priority": priority,
        "waits": wait_reasons.translated_wait(wait) if wait else None,
        "requested_at": moment(created_at),
        "expected_end": moment(end) if end else None,
    }
    if variations > 1:
        line["variation"] = variation
    return line
