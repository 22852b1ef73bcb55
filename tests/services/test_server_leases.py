"""One driver per server, by the database's clock."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from generation import queueing
from generation.models import Attempt, Batch, Server
from generation.services import server_leases, servers
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, RunState
from tests import factories

pytestmark = pytest.mark.django_db


def expire(server: Server) -> None:
    Server.objects.filter(pk=server.pk).update(lease_expires_at=Now() - timedelta(seconds=1))


def test_a_lease_says_whose_it_is_and_answers_the_request(server: Server) -> None:
    Server.objects.update(drive_requested_at=Now())

    lease = server_leases.take(server.pk)

    server.refresh_from_db()
    assert lease is not None
    assert (server.lease_token, server.lease_owner) == (lease.token, queueing.owner())
    assert server.drive_requested_at is None


def test_a_lease_that_is_held_is_not_taken(lease: Lease) -> None:
    assert server_leases.take(lease.server.pk) is None


def test_a_lease_that_has_run_out_is_taken(lease: Lease) -> None:
    expire(lease.server)

    following = server_leases.take(lease.server.pk)

    assert following is not None
    assert following.token != lease.token


def set_clock_back(server: Server) -> None:
    """Leave a server as if the database's clock had been set back by an hour just now."""
    later = Now() + timedelta(hours=1)
    Server.objects.filter(pk=server.pk).update(lease_expires_at=later, drive_requested_at=later)


def test_a_lease_from_before_the_clock_was_set_back_is_taken(lease: Lease) -> None:
    set_clock_back(lease.server)

    assert server_leases.driven_by([int(queueing.owner().rpartition(":")[2])]) == 0
    assert server_leases.take(lease.server.pk) is not None


def test_a_driver_that_lives_mends_its_lease_after_the_clock_was_set_back(lease: Lease) -> None:
    set_clock_back(lease.server)

    assert server_leases.beat(lease)

    assert server_leases.take(lease.server.pk) is None


def test_a_driver_is_asked_for_after_the_clock_was_set_back(
    lease: Lease, batch: Batch, calls: list[int]
) -> None:
    set_clock_back(lease.server)

    queueing.wake()

    assert calls == [lease.server.pk]


def test_a_cancel_does_not_wait_for_a_driver_from_before_the_clock_was_set_back(
    lease: Lease,
) -> None:
    set_clock_back(lease.server)

    assert servers.unanswered() == [lease.server.pk]


def test_a_server_is_down_since_now_where_the_clock_was_set_back(server: Server) -> None:
    servers.note_silence(server, "no route")
    Server.objects.update(down_since=Now() + timedelta(hours=1))

    servers.note_silence(server, "no route")

    assert not Server.objects.filter(down_since__gt=Now()).exists()


def test_a_server_that_does_not_exist_has_no_lease(db: None) -> None:
    assert server_leases.take(999) is None


def test_what_was_left_open_comes_with_the_lease_and_carries_its_token(running: Attempt) -> None:
    expire(running.server)
    closed = factories.attempt(running.run, outcome=AttemptOutcome.LOST)

    lease = server_leases.take(running.server_id)

    assert lease is not None
    assert lease.adopted == (running,)
    running.refresh_from_db()
    assert running.lease_token == lease.token
    closed.refresh_from_db()
    assert closed.lease_token != lease.token


def test_a_beat_keeps_the_lease(lease: Lease) -> None:
    expire(lease.server)

    assert server_leases.beat(lease)

    assert server_leases.take(lease.server.pk) is None


def test_a_beat_after_the_loss_says_so(lease: Lease) -> None:
    expire(lease.server)
    server_leases.take(lease.server.pk)

    assert not server_leases.beat(lease)


def test_giving_back_a_lost_lease_leaves_the_new_one(lease: Lease) -> None:
    expire(lease.server)
    following = server_leases.take(lease.server.pk)

    server_leases.give_back(lease)

    assert following is not None
    assert server_leases.beat(following)


def test_a_lease_given_back_is_free(lease: Lease) -> None:
    server_leases.give_back(lease)

    assert server_leases.take(lease.server.pk) is not None


def test_prompts_left_behind_are_swept_once(lease: Lease) -> None:
    run = factories.batch([RunState.QUEUED]).runs.get()
    left = factories.attempt(run, outcome=AttemptOutcome.ABANDONED, is_left_behind=True)

    assert server_leases.left_behind(lease) == [left]
    server_leases.note_swept([left])

    assert server_leases.left_behind(lease) == []


def test_a_server_that_waits_for_a_worker_is_seen_by_the_others(lease: Lease) -> None:
    waiting = factories.server("gpu-2", drive_requested_at="2020-01-01T00:00:00Z")

    assert server_leases.another_server_waits(lease)
    server_leases.take(waiting.pk)

    assert not server_leases.another_server_waits(lease)


def test_drivers_of_this_machine_are_counted(lease: Lease) -> None:
    pid = int(queueing.owner().rpartition(":")[2])

    assert (server_leases.driven_by([pid]), server_leases.driven_by([pid + 1])) == (1, 0)
