"""When what waits and runs will have ended: by the queue's order, and by what servers took lately.

It is as if nothing failed, nothing came in between and servers did nothing else. What is not known
is said, and never guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from threading import Lock
from time import monotonic, thread_time
from typing import Any

from django.db.models.functions import Coalesce
from django.utils import timezone

from generation.models import Attempt, Batch, Block, Capability, Plan, PlanRun, Server
from generation.selectors import render_queue
from generation.selectors.paces import paces
from generation.states import RunState, ServerHealth
from wording import Sentence, say, to_say

_HELD = say("it cannot be taken yet")
_ARTIST = say("an artist uploads it")
_NO_SERVER = say("no server that could render it answers and takes work")
_BEFORE = say("something before it takes a time that is not known")
_NOTHING_LIKE_IT = to_say("nothing was rendered with {workflow} lately")


@dataclass(frozen=True)
class Expected:
    """When something will have ended; None where that is not known, and `why` says why."""

    at: datetime | None
    why: str = ""


@dataclass
class Forecast:
    """What is expected of everything unfinished: of runs, batches and plans by ids, and of all."""

    runs: dict[int, Expected] = field(default_factory=dict)
    batches: dict[int, Expected] = field(default_factory=dict)
    plans: dict[int, Expected] = field(default_factory=dict)
    queue: Expected | None = None

    def of_run(self, run: PlanRun) -> Expected | None:
        """Return what is expected of a run; None of a finished one."""
        return self.runs.get(run.pk)

    def of_batch(self, batch: Batch) -> Expected | None:
        """Return what is expected of a batch; None of a finished one."""
        return self.batches.get(batch.pk)

    def of_plan(self, plan: Plan) -> Expected | None:
        """Return when the last of a plan's runs is expected to end; None where none is left."""
        return self.plans.get(plan.pk)


@dataclass
class _Part:
    """What a run of the queue needs, and where it belongs."""

    batch: int
    workflow: str
    workflow_id: int | None
    needs: int | None


class ForecastCache:
    """The last forecast that cost much, for so long that forecasts take a tenth of the processor.

    One of a short queue is made anew each time. Of several threads that want one, one makes it.
    """

    def __init__(self, dear_s: float = 0.25, share: float = 0.1) -> None:
        self._dear_s, self._share = dear_s, share
        self._lock = Lock()
        self._kept: Forecast | None = None
        self._good_until = 0.0

    def recent(self) -> Forecast:
        """Return a forecast; of a long queue, one that is some seconds old."""
        with self._lock:
            if self._kept is not None and monotonic() < self._good_until:
                return self._kept
            began = thread_time()
            made = forecast()
            cost_s = thread_time() - began
            self._kept = made if cost_s >= self._dear_s else None
            self._good_until = monotonic() + cost_s / self._share
            return made

    def clear(self) -> None:
        """Forget it: the next is made anew."""
        self._kept = None


#: What answers of the API tell of, which clients may ask for all the time.
RECENT = ForecastCache()
#: What status documents tell of, which are made anew with each revision: kept however cheap it was.
POLLED = ForecastCache(dear_s=0)


def forecast() -> Forecast:
    """Return when what is unfinished is expected to end: two queries a server, and few more."""
    parts = _parts()
    farm = _Farm(timezone.now())
    made = Forecast()
    made.runs.update(farm.running())
    places = render_queue.queue()
    for pk, position in places:
        if pk in parts:
            made.runs[pk] = Expected(None, _HELD) if position is None else farm.take(parts[pk])
    of_batch: dict[int, list[Expected]] = defaultdict(list)
    of_plan: dict[int, list[Expected]] = defaultdict(list)
    unfinished = PlanRun.objects.unfinished().values_list("pk", "batch_id", "plan_id", "state")
    for pk, batch_id, plan_id, state in unfinished.order_by():
        if state == RunState.WAITING:
            made.runs[pk] = Expected(None, _ARTIST)
        of_batch[batch_id].append(made.runs.get(pk, Expected(None, _BEFORE)))
        of_plan[plan_id].append(of_batch[batch_id][-1])
    made.batches = {batch_id: _last(ends) for batch_id, ends in of_batch.items()}
    made.plans = {plan_id: _last(ends) for plan_id, ends in of_plan.items()}
    queued = [made.runs[pk] for pk, position in places if position is not None and pk in made.runs]
    made.queue = _last(queued) if queued else None
    return made


def _last(found: Iterable[Expected]) -> Expected:
    """Return when the last of several ends; not known where one of them is not."""
    held = list(found)
    unknown = next((each for each in held if each.at is None), None)
    return unknown or max(held, key=lambda each: each.at or timezone.now())


def _parts() -> dict[int, _Part]:
    # A retry may have named another workflow than the batch's.
    fields = (
        "batch_id",
        Coalesce("own_workflow__name", "batch__workflow__name"),
        Coalesce("own_workflow_id", "batch__workflow_id"),
        "group__needs_id",
    )
    rows = PlanRun.objects.queued().order_by().values_list("pk", *fields)
    return {
        pk: _Part(batch, workflow or "", workflow_id, needs)
        for pk, batch, workflow, workflow_id, needs in rows
    }


class _Farm:
    """The servers that take work, and until when each of them is busy."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        up = Server.objects.taking_work().filter(health=ServerHealth.UP)
        self._servers = list(up.values_list("pk", flat=True))
        self._known = {pk: {of.workflow: of.median_s for of in paces(pk)} for pk in self._servers}
        # None: something of unknown length stands before whatever comes next.
        self._free_at: dict[int, datetime | None] = dict.fromkeys(self._servers, now)
        self._able = _able()
        self._blocked = set(Block.objects.values_list("workflow_id", "server_id"))

    def running(self) -> dict[int, Expected]:
        """Return when what is on servers ends, and let it keep them busy until then."""
        name = Coalesce("run__own_workflow__name", "run__batch__workflow__name")
        fields = ("server_id", "run_id", name, "started_at")
        ends: dict[int, Expected] = {}
        for server, run, workflow, started_at in (
            Attempt.objects.under_way().order_by("pk").values_list(*fields)
        ):
            takes_s = self._takes_s(server, workflow or "")
            begins = started_at or self._free_at.get(server, self._now)
            if takes_s is None or begins is None:
                ends[run] = Expected(None, Sentence(_NOTHING_LIKE_IT, {"workflow": workflow}))
                self._busy_until(server, None)
                continue
            at = max(self._now, begins + timedelta(seconds=takes_s))
            ends[run] = Expected(at)
            self._busy_until(server, at)
        return ends

    def take(self, part: _Part) -> Expected:
        """Return when the next of the queue ends: on the server that has it first."""
        able = [pk for pk in self._servers if self._can(pk, part)]
        if not able:
            return Expected(None, _NO_SERVER)
        ends = [
            (free_at + timedelta(seconds=takes_s), pk)
            for pk in able
            if (free_at := self._free_at[pk]) is not None
            and (takes_s := self._takes_s(pk, part.workflow)) is not None
        ]
        if ends:
            at, server = min(ends)
            self._free_at[server] = at
            return Expected(at)
        is_new = all(self._takes_s(pk, part.workflow) is None for pk in able)
        for pk in able:
            self._free_at[pk] = None
        return Expected(
            None, Sentence(_NOTHING_LIKE_IT, {"workflow": part.workflow}) if is_new else _BEFORE
        )

    def _busy_until(self, server: int, at: datetime | None) -> None:
        if server in self._free_at:
            self._free_at[server] = at

    def _can(self, server: int, part: _Part) -> bool:
        is_able = part.needs is None or self._able.get((part.needs, server), False)
        return is_able and (part.workflow_id, server) not in self._blocked

    def _takes_s(self, server: int, workflow: str) -> float | None:
        """Return how long a plan takes on a server, by what it or else others took lately."""
        own = self._known.get(server, {}).get(workflow)
        if own is not None:
            return own
        others = [known[workflow] for known in self._known.values() if workflow in known]
        return median(others) if others else None


def _able() -> Mapping[tuple[int, int], bool]:
    queued: Any = PlanRun.objects.queued().order_by().values("group__needs")
    rows = Capability.objects.filter(needs__in=queued)
    return {
        (needs, server): is_able
        for needs, server, is_able in rows.values_list("needs_id", "server_id", "is_capable")
    }
