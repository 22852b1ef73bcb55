"""Drivers of one server that follow one another, and one that was overtaken."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from comfyui_preview.server import PreviewServer
from generation.driver.heartbeat import Heartbeat
from generation.models import Attempt, Server
from generation.services import batches, claims, server_leases
from generation.states import RunState
from tests.driver import flying

pytestmark = pytest.mark.django_db


def test_what_a_driver_leaves_running_is_adopted_and_not_rendered_again(
    server: Server, comfy: PreviewServer
) -> None:
    batch = flying.inverted(2)
    flying.drive_until(server, lambda: flying.is_on_server(batch))

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done", "done"]
    assert flying.render_counts(comfy) == [1, 1]
    assert "adopted" in flying.events(batch.runs.latest("position"))


def test_a_claim_that_was_never_posted_is_posted_by_the_next_driver(
    server: Server, comfy: PreviewServer
) -> None:
    batch = flying.inverted()
    flying.drive_until(server, Attempt.objects.exists)
    Attempt.objects.filter(acknowledged_at__isnull=False).update(acknowledged_at=None)

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert flying.render_counts(comfy) == [1]


def test_a_claim_whose_graph_was_never_built_is_built_and_posted_by_the_next_driver(
    server: Server, comfy: PreviewServer
) -> None:
    batch = flying.inverted()
    lease = server_leases.take(server.pk)
    assert lease is not None
    assert claims.Desk(lease).claim(in_flight=0)
    server_leases.give_back(lease)

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert flying.render_counts(comfy) == [1]


def test_a_driver_whose_lease_was_taken_stops_and_leaves_the_new_lease_alone(
    slow_server: Server,
) -> None:
    batch = flying.sampled()
    token = uuid4()
    taken = flying.Once(lambda: flying.is_on_server(batch), lambda: take_over(slow_server, token))

    flying.drive_until(slow_server, lambda: taken() and False)

    slow_server.refresh_from_db()
    assert slow_server.lease_token == token
    assert flying.states(batch) == [RunState.RUNNING]


def test_a_driver_whose_lease_was_taken_does_not_post(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("delay", match="/upload", seconds=3)
    batch = flying.inverted()
    token = uuid4()
    taken = flying.Once(Attempt.objects.exists, lambda: take_over(server, token))

    flying.drive_until(server, lambda: taken() and False)

    assert flying.n_accepted(comfy) == 0
    assert flying.states(batch) == [RunState.RUNNING]


def test_a_lease_does_not_run_out_under_a_slow_server(
    server: Server, comfy: PreviewServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two calls of 0.9 s are within a lease of 3 s: no third one without a beat before it.
    settings.MADSEA_LEASE_S = 3
    comfy.faults.set("worker_dead")
    batch = flying.inverted(2)
    acts: list[str] = []
    before, beat = Heartbeat.before, Heartbeat.beat
    monkeypatch.setattr(Heartbeat, "before", lambda *of: (before(*of), acts.append("c")))
    monkeypatch.setattr(Heartbeat, "beat", lambda self: (acts.append("b"), beat(self)))

    def cancel_on_a_slow_server() -> None:
        comfy.faults.set("delay", match="/", seconds=0.9)
        batches.cancel(batch, actor=None)
        acts.clear()

    cancelled = flying.Once(lambda: flying.is_on_server(batch), cancel_on_a_slow_server)

    flying.drive_until(server, lambda: cancelled() and flying.is_finished(batch))

    assert acts.count("c") >= 4
    assert "ccc" not in "".join(acts)


def take_over(server: Server, token: Any) -> None:
    Server.objects.filter(pk=server.pk).update(lease_token=token)
    Attempt.objects.update(lease_token=token)


def test_a_second_driver_of_a_server_leaves_at_once(server: Server) -> None:
    token = uuid4()
    Server.objects.update(lease_token=token, lease_expires_at=Now() + timedelta(seconds=10))
    flying.inverted()

    flying.drive_until(server, lambda: pytest.fail("It looked at its sign."))

    assert not Attempt.objects.exists()
