"""The queue: every plan that waits for a server, in the order in which they would be claimed."""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from generation.models import Batch, PlanRun
from generation.selectors import wait_reasons
from generation.selectors.logs import moment
from generation.selectors.wait_reasons import Outlook, Part, Situation, Wait
from generation.states import RunState, WaitReason

_NEVER = datetime.min.replace(tzinfo=UTC)
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
)

Place = tuple[int, int | None]


class QueueLine(TypedDict):
    """One waiting plan; `position` counts from 1, null for one that cannot be claimed yet."""

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


class QueueLines(NamedTuple):
    """Waiting plans, and what their `waits.reason` refers to."""

    lines: list[QueueLine]
    reasons: dict[str, str]


def queue(batch: Batch | None = None) -> list[Place]:
    """Return (run id, position) of every waiting plan in the order of its turn.

    Those that cannot be claimed yet (no panel, paused, no capable server) come last, with None as
    position. With a batch, only its plans are listed, each with its position among all.
    """
    waiting = PlanRun.objects.queued().order_by("batch_id", "position")
    found = list(waiting.values_list("pk", "batch_id", "needs_id", "wait_reason"))
    batches = _annotated({batch_id for _, batch_id, *_ in found})
    going = _claimable(batches)
    ready = [
        (pk, batch_id)
        for pk, batch_id, needs_id, reason in found
        if reason == WaitReason.TURN and (batch_id, needs_id) in going
    ]
    positions = {pk: n for n, pk in enumerate(_in_turn(ready, batches), start=1)}
    places: list[Place] = list(positions.items())
    places += [(pk, None) for pk, *_ in found if pk not in positions]
    if batch is None:
        return places
    mine = {pk for pk, batch_id, *_ in found if batch_id == batch.pk}
    return [place for place in places if place[0] in mine]


def _annotated(batch_ids: set[int]) -> dict[int, Batch]:
    return (
        Batch.objects.filter(pk__in=batch_ids)
        .annotate(**wait_reasons.batch_annotations())
        .in_bulk()
    )


def _claimable(batches: Mapping[int, Batch]) -> set[Part]:
    """Return those parts of the batches that are not paused and that some server might run."""
    stuck = (Situation.PAUSED, Situation.NONE_CAPABLE)
    found = wait_reasons.standings(batches.values())
    return {part for part, standing in found.items() if standing.situation not in stuck}


def _in_turn(ready: list[tuple[int, int]], batches: Mapping[int, Batch]) -> Iterator[int]:
    """Yield run ids as drivers would claim them if no running plan ended meanwhile.

    Source: DESIGN, "The driver": priority, then the batch with the fewest running plans, then the
    one that was served least recently. That a server may prefer the models it holds, and what each
    can run, is left out.
    """
    runs: dict[int, deque[int]] = {}
    for pk, batch_id in ready:
        runs.setdefault(batch_id, deque()).append(pk)
    heap = [(_standing(batches[batch_id]), batch_id) for batch_id in runs]
    heapq.heapify(heap)
    turn = 0
    while heap:
        (priority, n_running, _, _), batch_id = heapq.heappop(heap)
        yield runs[batch_id].popleft()
        turn += 1
        if runs[batch_id]:
            heapq.heappush(heap, ((priority, n_running + 1, turn, _NEVER), batch_id))


def _standing(batch: Batch) -> tuple[int, int, int, datetime]:
    return (-batch.priority, batch.n_running, 0, batch.served_at or _NEVER)


def lines(places: Sequence[Place]) -> QueueLines:
    """Return waiting plans as clients read them, in the order given, in at most five queries."""
    rows = PlanRun.objects.filter(pk__in=[pk for pk, _ in places]).values_list(
        "pk", "batch_id", "needs_id", *_FIELDS
    )
    by_id = {row[0]: row[1:] for row in rows}
    outlooks = wait_reasons.outlooks_of(_annotated({row[0] for row in by_id.values()}).values())
    shown = [
        _line(by_id[pk][2:], position, wait_reasons.of_part(outlooks, by_id[pk][:2]))
        for pk, position in places
        if pk in by_id
    ]
    return QueueLines(shown, wait_reasons.reasons(outlooks.values()))


def _line(row: tuple[Any, ...], position: int | None, outlook: Outlook) -> QueueLine:
    public_id, project, episode, sequence_id, plan, style, priority, reason, created_at = row
    return {
        "position": position,
        "batch_id": public_id,
        "project_id": project,
        "episode": episode,
        "sequence_id": sequence_id,
        "plan": plan,
        "style": style,
        "priority": priority,
        "waits": wait_reasons.waits(RunState.QUEUED, reason, outlook),
        "requested_at": moment(created_at),
    }
