"""Drivers, leases and clients in any order, against the real services, with a clock of its own.

Drivers come, claim, write, freeze, crash and come back with a lease that is another's; clients ask,
cancel, retry and upload. What a driver remembers may be outdated; what the database then says must
be right after every step. The clock is moved by making everything that is stored older.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F, QuerySet
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from generation import storage
from generation.errors import Conflict, Fenced
from generation.failures import failure
from generation.models import Attempt, Batch, PlanRun, Server, Version
from generation.services import (
    batches,
    claims,
    image_staging,
    plan_runs,
    publication,
    server_leases,
    servers,
    transitions,
)
from generation.services.publication import CancelledMeanwhile
from generation.services.request_validation import BatchRequest
from generation.services.server_leases import Lease
from generation.states import FINISHED, UNFINISHED, AttemptOutcome, Mode, RunState, VersionState
from tests import factories
from tests.driver import flying

LEASE_S = 15
#: What a driver writes about a flight; the last two are failures.
WORDS = ("acknowledge", "advance", "lose", "stop", "node_error", "graph_refused")
#: What it writes about its server.
ABOUT_THE_SERVER = ("beat", "claim", "give_back")
CODES = ("0010", "0020", "0030", "0040")


@dataclass
class Driver:
    """What a driver remembers: its lease, and what it has in flight."""

    lease: Lease
    flights: list[Attempt] = field(default_factory=list)

    @property
    def token(self) -> UUID:
        """The token that it writes with."""
        return self.lease.token

    def holds(self, attempt: Attempt) -> bool:
        """Tell whether the database still lets it write about an attempt."""
        return Attempt.objects.filter(
            pk=attempt.pk, lease_token=self.token, outcome=AttemptOutcome.OPEN
        ).exists()


class Studio(RuleBasedStateMachine):
    """Two servers, a few plans, any number of drivers and clients."""

    drivers = Bundle("drivers")
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction._from_testcase = True
        self._transaction.__enter__()
        self._ends: dict[int, float] = {}
        self._now = 0.0
        self._seen: dict[int, tuple[int, Any]] = {}
        self._n_images = 0
        self.servers = [factories.server(f"gpu-{n}") for n in (1, 2)]
        self.workflow = flying.workflow(flying.SAMPLED)

    def teardown(self) -> None:
        """Leave nothing behind."""
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize(target=made)
    def begin_with_a_batch(self) -> int:
        """Have something to do."""
        return self._ask(CODES[:3], Mode.AUTO)

    @initialize(target=drivers)
    def begin_with_drivers(self) -> Any:
        """Have a driver for each server."""
        return multiple(self.take(0), self.take(1))

    # Clients -------------------------------------------------------------------------------------

    @rule(
        target=made,
        codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
        mode=st.sampled_from([Mode.AUTO, Mode.AUTO, Mode.MANUEL]),
    )
    def ask(self, codes: list[str], mode: Mode) -> int:
        """Ask for plans."""
        return self._ask(codes, mode)

    def _ask(self, codes: Sequence[str], mode: Mode) -> int:
        workflow = self.workflow if mode == Mode.AUTO else None
        tree = {"SQ0010": list(codes)}
        place = (factories.PROJECT_ID, "S02", "E202")
        style = factories.style()
        asked = BatchRequest(
            *place, tree, style, workflow, mode, {}, None, needs_panel=False, seed_bounds=(0, 9)
        )
        return batches.create(asked, requester=None).pk

    @rule(batch_id=made)
    def cancel_all(self, batch_id: int) -> None:
        """Cancel a batch."""
        batches.cancel(Batch.objects.get(pk=batch_id), actor=None)
        assert not _runs(batch_id).filter(state__in=["queued", "waiting"], versions=None).exists()

    @rule(batch_id=made, nth=st.integers(0, 2))
    def cancel_one(self, batch_id: int, nth: int) -> None:
        """Cancel a plan: what is done or in error stays so, and says so."""
        run = _nth(batch_id, nth)
        if run.state in {RunState.DONE, RunState.ERROR}:
            with pytest.raises(Conflict), self._unchanged():
                plan_runs.cancel(run, actor=None)
        else:
            plan_runs.cancel(run, actor=None)

    @rule(batch_id=made)
    def retry_all(self, batch_id: int) -> None:
        """Retry what failed or was cancelled."""
        batch = Batch.objects.get(pk=batch_id)
        again = PlanRun.objects.retried_with([batch]).count()
        if again:
            assert len(batches.retry(batch, actor=None)) == again
        else:
            with pytest.raises(Conflict), self._unchanged():
                batches.retry(batch, actor=None)

    @rule(batch_id=made, nth=st.integers(0, 2))
    def retry_one(self, batch_id: int, nth: int) -> None:
        """Retry a plan."""
        run = _nth(batch_id, nth)
        if run.can_be_retried:
            plan_runs.retry(run, actor=None)
        else:
            with pytest.raises(Conflict), self._unchanged():
                plan_runs.retry(run, actor=None)

    @rule(batch_id=made, nth=st.integers(0, 2))
    def upload(self, batch_id: int, nth: int) -> None:
        """Upload an image by hand."""
        run = _nth(batch_id, nth)
        if run.state in transitions.BY_HAND:
            assert plan_runs.upload(run, self._picture(), filename="a.png", actor=None).number
        else:
            with pytest.raises(Conflict), self._unchanged():
                plan_runs.upload(run, self._picture(), filename="a.png", actor=None)

    @rule(batch_id=made, nth=st.integers(0, 2))
    def upload_and_crash(self, batch_id: int, nth: int) -> None:
        """Upload an image, and lose the web process once it is reserved."""
        run = _nth(batch_id, nth)
        image = image_staging.stage(self._picture())
        if run.state in transitions.BY_HAND:
            publication.reserve_upload(run, image, actor=None)

    # Drivers -------------------------------------------------------------------------------------

    @rule(target=drivers, nth=st.integers(0, 1))
    def come(self, nth: int) -> Any:
        """Come for a server, which may be driven already."""
        return self.take(nth)

    @rule(target=drivers, driver=drivers, thaws=st.sampled_from([*WORDS, *ABOUT_THE_SERVER]))
    def freeze_and_be_followed(self, driver: Driver, thaws: str) -> Any:
        """Freeze for longer than the lease: somebody else takes over, and the frozen one thaws."""
        self.claim(driver)
        self.wait(LEASE_S + 1)
        following = self.take(self.servers.index(driver.lease.server))
        if thaws in ABOUT_THE_SERVER:
            getattr(self, thaws)(driver)
        for nth in range(len(driver.flights) if thaws in WORDS else 0):
            self.write(driver, nth, thaws)
        return following

    @rule(driver=drivers, nth=st.integers(0, 3))
    def cancel_on_landing(self, driver: Driver, nth: int) -> None:
        """Cancel a plan whose image has just come."""
        for attempt in _unreserved(driver, nth):
            run = PlanRun.objects.get(pk=attempt.run_id)
            if run.state == RunState.RUNNING:
                plan_runs.cancel(run, actor=None)
                self.land(driver, nth, crashes=False)

    @rule(driver=drivers)
    def beat(self, driver: Driver) -> None:
        """Prolong a lease; whoever has lost it learns of it."""
        is_mine = self._has_lease(driver)
        assert server_leases.beat(driver.lease) == is_mine
        if is_mine:
            self._ends[driver.lease.server.pk] = self._now + LEASE_S

    @rule(driver=drivers)
    def give_back(self, driver: Driver) -> None:
        """Give a lease back; one that is another's by now stays the other's."""
        is_mine = self._has_lease(driver)
        with nullcontext() if is_mine else self._unchanged():
            server_leases.give_back(driver.lease)
        if is_mine:
            self._ends.pop(driver.lease.server.pk)

    @rule(driver=drivers)
    def claim(self, driver: Driver) -> None:
        """Claim the next plan; without the lease there is nothing to be had."""
        if not self._has_lease(driver):
            with self._unchanged():
                assert self._fenced_claim(driver) is None
            return
        attempt = claims.Desk(driver.lease).claim(in_flight=0)
        if attempt is not None:
            assert attempt.server_id == driver.lease.server.pk
            driver.flights.append(attempt)

    @rule(driver=drivers, nth=st.integers(0, 3), word=st.sampled_from(WORDS))
    def write(self, driver: Driver, nth: int, word: str) -> None:
        """Write about a flight, of whatever age: acknowledge it, lose it, let it fail, stop it."""
        for attempt in _unreserved(driver, nth):
            asked = PlanRun.objects.get(pk=attempt.run_id).cancel_requested_at is not None
            if word == "stop" and not asked and driver.holds(attempt):
                continue  # Nobody asked for it.
            with self._fencing(driver, attempt):
                _write(word, attempt)

    @rule(driver=drivers, nth=st.integers(0, 3), crashes=st.booleans())
    def land(self, driver: Driver, nth: int, *, crashes: bool) -> None:
        """Reserve a version for a render; publish it, unless the process is killed before."""
        for attempt in _unreserved(driver, nth):
            image = image_staging.stage(self._picture())
            asked = PlanRun.objects.get(pk=attempt.run_id).cancel_requested_at is not None
            if asked and driver.holds(attempt):
                with pytest.raises(CancelledMeanwhile), self._unchanged():
                    publication.reserve_render(attempt, driver.token, [image])
                continue
            with self._fencing(driver, attempt):
                (version,) = publication.reserve_render(attempt, driver.token, [image])
                if not crashes:
                    publication.finish(version)

    def take(self, nth: int) -> Any:
        """Take a server's lease, if it is free: with everything that is open there."""
        server = self.servers[nth]
        is_free = self._now > self._ends.get(server.pk, -1.0)
        left = _open_on(server)
        lease = server_leases.take(server.pk)
        assert (lease is not None) == is_free
        if lease is None:
            return multiple()
        self._ends[server.pk] = self._now + LEASE_S
        assert sorted(attempt.pk for attempt in lease.adopted) == left
        for attempt in lease.adopted:
            attempt.lease_token = lease.token
        driver = Driver(lease, list(lease.adopted))
        self.claim(driver)
        return driver

    # The rest of the world -----------------------------------------------------------------------

    @rule(seconds=st.sampled_from([2, 6, 14, 16, 40]))
    def let_time_pass(self, seconds: int) -> None:
        """Let time pass."""
        self.wait(seconds)

    def wait(self, seconds: int) -> None:
        """Make everything that is stored older."""
        self._now += seconds
        earlier = timedelta(seconds=seconds)
        for name in ("lease_expires_at", "drive_requested_at", "down_since"):
            Server.objects.update(**{name: F(name) - earlier})
        Version.objects.update(created_at=F("created_at") - earlier)

    @rule(nth=st.integers(0, 1))
    def declare_gone(self, nth: int) -> None:
        """Give a server up."""
        reserved = set(
            Version.objects.filter(state="reserved").values_list("attempt_id", flat=True)
        )
        servers.declare_gone(self.servers[nth])
        assert set(_open_on(self.servers[nth])) <= reserved

    @rule()
    def tick(self) -> None:
        """Finish what is reserved, settle cancels that nobody can answer."""
        publication.finish_reserved()
        batches.cancel_unanswered()

    # What must be so after every step -------------------------------------------------------------

    @invariant()
    def counters_add_up(self) -> None:
        """A batch counts its runs, and is finished exactly when all of them are."""
        for batch in Batch.objects.prefetch_related("runs"):
            states = [run.state for run in batch.runs.all()]
            assert batch.counts == {state: states.count(state) for state in RunState}
            assert (batch.finished_at is None) == bool(set(states) & UNFINISHED)

    @invariant()
    def a_run_is_in_one_place(self) -> None:
        """One open attempt while it runs, none else; finished runs are finished."""
        for run in PlanRun.objects.prefetch_related("attempts"):
            is_open = [a.pk for a in run.attempts.all() if a.outcome == AttemptOutcome.OPEN]
            assert is_open == ([run.current_attempt_id] if run.state == RunState.RUNNING else [])
            assert (run.finished_at is not None) == (run.state in FINISHED)

    @invariant()
    def a_lease_has_all_that_is_open(self) -> None:
        """What is open on a server that somebody drives carries that driver's token."""
        for server in Server.objects.exclude(lease_token=None):
            open_ones = Attempt.objects.filter(server=server, outcome=AttemptOutcome.OPEN)
            assert set(open_ones.values_list("lease_token", flat=True)) <= {server.lease_token}

    @invariant()
    def versions_have_no_gap(self) -> None:
        """The numbers of a plan run from 1, and what is published is there."""
        numbers: dict[int, list[int]] = {}
        for version in Version.objects.order_by("number"):
            numbers.setdefault(version.plan_id, []).append(version.number)
            if version.state == VersionState.PUBLISHED:
                assert storage.absolute(version.path).is_file()
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())

    @invariant()
    def done_means_published(self) -> None:
        """A run is done exactly when it has a published version; a render is published once."""
        for run in PlanRun.objects.select_related("result").prefetch_related("versions"):
            published = [v for v in run.versions.all() if v.state == VersionState.PUBLISHED]
            assert (run.state == RunState.DONE) == bool(published)
            assert run.state != RunState.DONE or run.result in published
            assert sum(v.origin == Version.Origin.RENDER for v in published) <= 1

    @invariant()
    def revisions_grow(self) -> None:
        """Whatever a client can see of a batch changes with its revision only."""
        for batch in Batch.objects.all():
            revision, shown = self._seen.get(batch.pk, (0, None))
            now = _shown(batch)
            assert batch.revision >= revision
            assert now == shown or batch.revision > revision
            self._seen[batch.pk] = (batch.revision, now)

    # How it is asked ------------------------------------------------------------------------------

    def _has_lease(self, driver: Driver) -> bool:
        server = Server.objects.get(pk=driver.lease.server.pk)
        return server.lease_token == driver.token

    def _picture(self) -> bytes:
        self._n_images += 1
        return factories.png(color=f"#{self._n_images:06x}")

    @staticmethod
    def _fenced_claim(driver: Driver) -> Attempt | None:
        try:
            return claims.Desk(driver.lease).claim(in_flight=0)
        except Fenced:
            return None

    @contextmanager
    def _fencing(self, driver: Driver, attempt: Attempt) -> Iterator[None]:
        """Expect to write about what is one's own, and to be refused without a trace otherwise."""
        if driver.holds(attempt):
            yield
            return
        with self._unchanged(), pytest.raises(Fenced):
            yield

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Expect that nothing is written."""
        before = _everything()
        yield
        assert _everything() == before


def _runs(batch_id: int) -> QuerySet[PlanRun]:
    return PlanRun.objects.filter(batch_id=batch_id).select_related("batch", "plan")


def _nth(batch_id: int, nth: int) -> PlanRun:
    found = list(_runs(batch_id).order_by("position"))
    return found[nth % len(found)]


def _open_on(server: Server) -> list[int]:
    open_ones = Attempt.objects.filter(server=server, outcome=AttemptOutcome.OPEN)
    return list(open_ones.order_by("pk").values_list("pk", flat=True))


def _write(word: str, attempt: Attempt) -> None:
    if word == "acknowledge":
        transitions.acknowledge(attempt)
    elif word == "advance":
        transitions.advance(attempt, 50)
    elif word == "lose":
        transitions.lose(attempt, "it is nowhere")
    elif word == "stop":
        transitions.stop(attempt)
    else:
        transitions.fail(attempt, failure(word, "It went wrong."))


def _unreserved(driver: Driver, nth: int) -> list[Attempt]:
    """Return one of a driver's flights whose image is not reserved; none when it has none.

    After a reservation a driver does nothing but publish.
    """
    reserved = set(Version.objects.exclude(attempt=None).values_list("attempt_id", flat=True))
    left = [attempt for attempt in driver.flights if attempt.pk not in reserved]
    return [left[nth % len(left)]] if left else []


def _shown(batch: Batch) -> Any:
    of_runs = ("state", "progress_pct", "wait_reason", "error_code", "n_attempts", "result")
    lines = batch.runs.order_by("position").values_list(*of_runs)
    files = batch.versions.filter(state=VersionState.PUBLISHED).order_by("pk")
    heading = (batch.priority, batch.paused_at, batch.cancel_requested_at, batch.logs.count())
    return heading, list(lines), list(files.values_list("path", "sha256"))


def _everything() -> Any:
    of_runs = ("pk", "state", "progress_pct", "revision", "current_attempt", "cancel_requested_at")
    of_attempts = ("pk", "outcome", "lease_token", "acknowledged_at", "is_left_behind")
    return (
        list(Batch.objects.order_by("pk").values()),
        list(PlanRun.objects.order_by("pk").values_list(*of_runs)),
        list(Attempt.objects.order_by("pk").values_list(*of_attempts)),
        list(Version.objects.order_by("pk").values()),
        list(Server.objects.order_by("pk").values_list("lease_token", "lease_expires_at")),
    )


def explore(n_examples: int, n_steps: int) -> None:
    """Play so many stories of so many steps."""
    run_state_machine_as_test(
        Studio,
        settings=settings(
            max_examples=n_examples,
            stateful_step_count=n_steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("adopted_home")
def test_every_story_of_drivers_and_clients_ends_well() -> None:
    explore(n_examples=20, n_steps=25)


@pytest.mark.soak
@pytest.mark.django_db
@pytest.mark.usefixtures("adopted_home")
def test_many_long_stories_end_well() -> None:
    explore(n_examples=200, n_steps=60)
