"""Servers on which nothing can succeed are set aside, whoever drives them, and come back."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from comfyui_preview.server import PreviewServer
from generation.comfyui.client import Client
from generation.driver import timeouts
from generation.models import Attempt, Server
from generation.services import server_quarantine
from generation.services.render_times import Watched
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]
A_DAY_S = 86_400


# Servers set aside ------------------------------------------------------------------------------


def test_a_poisoned_server_is_set_aside_until_it_restarts(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("poisoned")
    batch = flying.inverted(3)

    flying.drive_until(server, lambda: False)

    server.refresh_from_db()
    assert server.set_aside_code == "cuda_poisoned"
    assert sorted(flying.states(batch)) == [RunState.QUEUED] * 3
    assert sum(flying.n_tries(batch)) == 1
    server_quarantine.take_back_restarted()
    assert flying.is_aside(server)

    comfy.faults.clear()
    comfy.restart()
    server_quarantine.take_back_restarted()
    assert not flying.is_aside(server)
    flying.finish(server, batch)
    assert flying.states(batch) == [RunState.DONE] * 3


def test_a_server_whose_worker_died_is_set_aside_and_costs_no_try(
    server: Server, comfy: PreviewServer, settings: Any
) -> None:
    settings.MADSEA_WORKER_DEAD_S = 1
    comfy.faults.set("worker_dead")
    batch = flying.inverted(2)

    flying.drive_until(server, lambda: False)

    assert flying.is_aside(server)
    assert flying.states(batch) == [RunState.QUEUED] * 2
    assert flying.n_tries(batch) == [0, 0]
    comfy.restart()
    server_quarantine.take_back_restarted()
    flying.finish(server, batch)
    assert flying.render_counts(comfy) == [1, 1]


def test_a_hung_prompt_is_stopped_and_tried_again(
    server: Server, comfy: PreviewServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MADSEA_HUNG_S = 3
    monkeypatch.setattr(timeouts, "TIMES_UNKNOWN", 1)
    comfy.faults.set("node_hang", times=1, match="ImageInvert", seconds=6)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.codes(batch) == ["hung", ""]
    assert flying.n_tries(batch) == [1]
    assert "hung" in flying.events(batch.runs.get())
    assert not flying.is_aside(server)


def test_a_server_that_hangs_and_hears_nothing_is_set_aside(
    server: Server, comfy: PreviewServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MADSEA_HUNG_S = 1
    monkeypatch.setattr(timeouts, "TIMES_UNKNOWN", 1)
    monkeypatch.setattr(timeouts, "DEAF_S", 0.5)
    comfy.faults.set("node_hang", match="ImageInvert", seconds=60)
    batch = flying.inverted()

    flying.drive_until(server, lambda: False)

    server.refresh_from_db()
    assert server.set_aside_code == "hung"
    assert flying.states(batch) == [RunState.QUEUED]
    assert Attempt.objects.get().is_left_behind


def test_the_limit_is_learnt_from_what_was_rendered(
    server: Server, comfy: PreviewServer, settings: Any
) -> None:
    settings.MADSEA_HUNG_S = 1
    batch = flying.inverted()
    flying.finish(server, batch)
    workflow = batch.workflow
    assert workflow is not None
    workflow.refresh_from_db()
    assert workflow.longest_render_s == Attempt.objects.get().render_s
    workflow.longest_render_s = 1000
    workflow.save()
    comfy.faults.set("node_hang", times=1, match="ImageInvert", seconds=2)
    second = flying.inverted(of=factories.plans({"SQ0020": ["0010"]}))

    flying.finish(server, second)

    assert flying.outcomes(second) == ["done"]


# Drivers that take turns --------------------------------------------------------------------------


@pytest.fixture
def short_turns(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers whose turn is far shorter than any limit."""
    settings.MADSEA_DRIVER_LIFE_S = 0.5
    settings.MADSEA_HUNG_S = 2
    monkeypatch.setattr(timeouts, "TIMES_UNKNOWN", 1)
    monkeypatch.setattr(timeouts, "DEAF_S", 2)


def test_a_hung_prompt_is_judged_by_drivers_that_take_turns(
    server: Server, comfy: PreviewServer, short_turns: None
) -> None:
    comfy.faults.set("node_hang", match="ImageInvert", seconds=60)
    batch = flying.inverted()

    flying.take_turns(server, lambda: flying.is_aside(server))

    assert flying.codes(batch) == ["hung"]
    assert flying.events(batch.runs.get()).count("hung") == 1


def test_a_dead_worker_is_judged_by_drivers_that_take_turns(
    server: Server, comfy: PreviewServer, short_turns: None, settings: Any
) -> None:
    settings.MADSEA_WORKER_DEAD_S = 2
    comfy.faults.set("worker_dead")
    batch = flying.inverted()

    flying.take_turns(server, lambda: flying.is_aside(server))

    assert (flying.codes(batch), flying.n_tries(batch)) == (["worker_dead"], [0])


def test_somebody_elses_endless_prompt_holds_no_plan(
    pair: list[tuple[Server, PreviewServer]], short_turns: None
) -> None:
    (first, bad), (second, _) = pair
    bad.faults.set("worker_stuck")
    foreign = post_foreign(bad)
    batch = flying.inverted(2)

    flying.take_turns(first, lambda: flying.is_aside(first))

    assert (flying.codes(batch), flying.n_tries(batch)) == (["occupied"] * 2, [0, 0])
    assert [item[1] for item in bad.engine.queue.running()] == [foreign]
    assert bad.engine.queue.pending() == []
    assert not Attempt.objects.filter(is_left_behind=True).exists()
    server_quarantine.take_back_restarted()
    assert flying.is_aside(first)
    flying.finish(second, batch)

    bad.restart()
    server_quarantine.take_back_restarted()
    assert not flying.is_aside(first)


def test_a_prompt_of_somebody_elses_is_not_blamed_for_the_one_before_it(
    start_comfy: Start, db: None, short_turns: None, settings: Any
) -> None:
    settings.MADSEA_HUNG_S = 60
    comfy = start_comfy(seconds_per_plan=1.5)
    server = factories.server(url=comfy.url)
    post_foreign(comfy)
    batch = flying.inverted()
    flying.drive_until(server, lambda: flying.is_on_server(batch))
    an_hour = Watched(behind=str(uuid4()), behind_s=3600)
    Attempt.objects.update(watched=asdict(an_hour))

    flying.take_turns(server, lambda: flying.is_finished(batch))

    assert flying.outcomes(batch) == ["done"]


def post_foreign(comfy: PreviewServer) -> str:
    client, foreign = Client(comfy.url), str(uuid4())
    client.post_prompt(flying.SAMPLED, prompt_id=foreign, client_id="a colleague")
    client.close()
    return foreign


def test_time_without_a_driver_is_not_held_against_a_prompt(
    server: Server, comfy: PreviewServer, short_turns: None, settings: Any
) -> None:
    settings.MADSEA_HUNG_S = 60
    comfy.faults.set("node_hang", match="ImageInvert", seconds=2)
    batch = flying.inverted()
    flying.drive_until(server, lambda: flying.is_running_on(comfy))
    flying.let_pass(timedelta(hours=1))

    flying.take_turns(server, lambda: flying.is_finished(batch))

    assert flying.outcomes(batch) == ["done"]


def test_a_server_whose_clock_is_set_teaches_no_limit(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("clock_skew", after=1, seconds=A_DAY_S)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert batch.workflow is not None
    batch.workflow.refresh_from_db()
    assert batch.workflow.longest_render_s == Attempt.objects.get().render_s
    assert Attempt.objects.filter(render_s__gt=0, render_s__lt=A_DAY_S / 2).exists()
