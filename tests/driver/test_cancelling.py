"""A cancel, at every moment of a plan's way over a server, on each generation of ComfyUI."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from comfyui_preview.journal import entries
from comfyui_preview.server import PreviewServer
from generation.comfyui.client import Client
from generation.driver import prompt_removal, timeouts
from generation.models import Attempt, Batch, PlanRun, Server, Version
from generation.services import batches, plan_runs, server_leases, servers
from generation.states import BatchState, RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["classic", "chosen", "targeted", "jobs"])
def any_comfy(request: pytest.FixtureRequest, start_comfy: Any) -> PreviewServer:
    """A slow server of each generation of ComfyUI."""
    server: PreviewServer = start_comfy(seconds_per_plan=60, generation=request.param)
    return server


@pytest.fixture
def any_server(db: None, any_comfy: PreviewServer) -> Server:
    """The row of that server."""
    return row_of(any_comfy)


@pytest.fixture(params=["targeted", "jobs"])
def exact_comfy(request: pytest.FixtureRequest, start_comfy: Any) -> PreviewServer:
    """A slow server of each generation that can stop one prompt alone."""
    server: PreviewServer = start_comfy(seconds_per_plan=60, generation=request.param)
    return server


@pytest.fixture
def exact_server(db: None, exact_comfy: PreviewServer) -> Server:
    """The row of that server."""
    return row_of(exact_comfy)


@pytest.fixture
def classic_comfy(start_comfy: Any) -> PreviewServer:
    """A server that stops whatever runs; it takes three seconds per plan."""
    server: PreviewServer = start_comfy(seconds_per_plan=3, generation="classic")
    return server


@pytest.fixture
def classic_server(db: None, classic_comfy: PreviewServer) -> Server:
    """The row of that server."""
    return row_of(classic_comfy)


def row_of(comfy: PreviewServer) -> Server:
    """Return a server's row as it is once it was looked at."""
    has_jobs_api = comfy.options.generation == "jobs"
    version = comfy.options.comfyui_version
    return factories.server(url=comfy.url, has_jobs_api=has_jobs_api, version=version)


def cancel(batch: Batch) -> Callable[[], Batch]:
    return lambda: batches.cancel(batch, actor=None)


def post_foreign(comfy: PreviewServer) -> str:
    """Queue somebody else's prompt and return its id."""
    client = Client(comfy.url)
    answer = client.post_prompt(flying.SAMPLED, prompt_id=str(uuid4()), client_id="a colleague")
    client.close()
    return answer.prompt_id


def running_on(comfy: PreviewServer) -> list[str]:
    """Return what runs on a server."""
    return [item[1] for item in comfy.engine.queue.running()]


def pending_on(comfy: PreviewServer) -> list[str]:
    """Return what waits on a server."""
    return [item[1] for item in comfy.engine.queue.pending()]


def is_running(comfy: PreviewServer) -> bool:
    return any(entries(comfy.journal_path, "started"))


def ended_on(comfy: PreviewServer) -> dict[str, str]:
    """Return how each prompt ended that a server ran."""
    return {e["prompt_id"]: e["outcome"] for e in entries(comfy.journal_path, "finished")}


def prompt_of(run: PlanRun) -> str:
    return Attempt.objects.get(run=run).id_on_server


# What runs and waits there is ours alone ----------------------------------------------------------


def test_what_runs_on_the_server_is_interrupted(
    any_server: Server, any_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    cancelled = flying.Once(lambda: is_running(any_comfy), cancel(batch))

    flying.drive_until(any_server, lambda: cancelled() and flying.is_finished(batch))

    assert (flying.states(batch), flying.outcomes(batch)) == (["cancelled"], ["cancelled"])
    assert flying.is_soon(lambda: flying.outcomes_on(any_comfy) == ["interrupted"])


def test_what_waits_on_the_server_is_deleted_there(
    any_server: Server, any_comfy: PreviewServer
) -> None:
    batch = flying.sampled(2)
    second = batch.runs.select_related("batch").latest("position")
    cancelled = flying.Once(
        lambda: flying.is_on_server(batch), lambda: plan_runs.cancel(second, actor=None)
    )

    flying.drive_until(
        any_server, lambda: cancelled() and flying.states(batch) == ["running", "cancelled"]
    )

    assert flying.deleted(any_comfy) == [prompt_of(second)]


def test_of_a_whole_batch_what_waits_goes_before_what_runs(
    any_server: Server, any_comfy: PreviewServer
) -> None:
    batch = flying.sampled(2)
    cancelled = flying.Once(lambda: flying.is_on_server(batch), cancel(batch))

    flying.drive_until(any_server, lambda: cancelled() and flying.is_finished(batch))

    assert sum(1 for _ in entries(any_comfy.journal_path, "started")) == 1
    assert flying.states(batch) == ["cancelled"] * 2


@pytest.mark.parametrize("generation", ["classic", "chosen", "targeted", "jobs"])
def test_an_interrupt_that_comes_too_late_publishes_nothing(
    generation: str, start_comfy: Any
) -> None:
    comfy = start_comfy(seconds_per_plan=0.3, generation=generation)
    comfy.faults.set("ignore_interrupt")
    batch = flying.sampled()
    cancelled = flying.Once(lambda: is_running(comfy), cancel(batch))

    flying.drive_until(row_of(comfy), lambda: cancelled() and flying.is_finished(batch))

    assert (flying.states(batch), flying.outcomes_on(comfy)) == (["cancelled"], ["success"])
    assert not Version.objects.exists()


# Somebody else's prompt ---------------------------------------------------------------------------


def test_a_prompt_that_runs_before_ours_goes_on(
    any_server: Server, any_comfy: PreviewServer
) -> None:
    foreign = post_foreign(any_comfy)
    batch = flying.sampled()
    cancelled = flying.Once(lambda: flying.is_on_server(batch), cancel(batch))

    flying.drive_until(any_server, lambda: cancelled() and flying.is_finished(batch))

    assert running_on(any_comfy) == [foreign]
    assert flying.deleted(any_comfy) == [prompt_of(batch.runs.get())]


def test_a_prompt_that_waits_behind_ours_runs_after_it(
    exact_server: Server, exact_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(exact_comfy), lambda: post_foreign(exact_comfy))
    cancelled = flying.Once(posted, cancel(batch))

    flying.drive_until(exact_server, lambda: cancelled() and flying.is_finished(batch))

    ours = prompt_of(batch.runs.get())
    assert flying.is_soon(lambda: running_on(exact_comfy) not in ([], [ours]))
    assert ended_on(exact_comfy) == {ours: "interrupted"}
    assert flying.states(batch) == ["cancelled"]


def test_ours_runs_out_where_stopping_it_could_stop_the_one_behind(
    classic_server: Server, classic_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(classic_comfy), lambda: post_foreign(classic_comfy))
    cancelled = flying.Once(posted, cancel(batch))

    flying.drive_until(classic_server, lambda: cancelled() and flying.is_finished(batch))

    run = batch.runs.get()
    assert flying.is_soon(lambda: list(ended_on(classic_comfy).values()) == ["success"] * 2)
    assert flying.states(batch) == ["cancelled"]
    assert flying.events(run)[-3:] == ["cancel_requested", "runs_out", "cancelled"]
    assert not Version.objects.exists()


def test_a_server_that_is_older_than_it_was_read_as_is_asked_anew(
    classic_comfy: PreviewServer, db: None
) -> None:
    stale = factories.server(url=classic_comfy.url, version="0.38.1", has_jobs_api=True)
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(classic_comfy), lambda: post_foreign(classic_comfy))
    cancelled = flying.Once(posted, cancel(batch))

    flying.drive_until(stale, lambda: cancelled() and flying.is_finished(batch))

    stale.refresh_from_db()
    assert (stale.version, stale.has_jobs_api) == (classic_comfy.options.comfyui_version, False)
    assert "runs_out" in flying.events(batch.runs.get())
    assert flying.is_soon(lambda: list(ended_on(classic_comfy).values()) == ["success"] * 2)


def test_a_hung_prompt_that_runs_out_for_somebody_else_does_not_set_its_server_aside(
    start_comfy: Any, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MADSEA_HUNG_S = 1
    monkeypatch.setattr(timeouts, "TIMES_UNKNOWN", 1)
    monkeypatch.setattr(timeouts, "DEAF_S", 1)
    comfy = start_comfy(seconds_per_plan=60, generation="classic")
    comfy.faults.set("silent_ws")
    row = row_of(comfy)
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(comfy), lambda: post_foreign(comfy))

    flying.drive_until(row, lambda: posted() and "error" in flying.outcomes(batch))

    hung = Attempt.objects.earliest("pk")
    row.refresh_from_db()
    assert (hung.failure_code, hung.is_left_behind) == ("hung", True)
    assert row.set_aside_at is None
    assert running_on(comfy) == [hung.id_on_server]


def test_a_server_that_was_never_read_is_asked_how_it_can_be_stopped(start_comfy: Any) -> None:
    comfy = start_comfy(seconds_per_plan=60, generation="targeted")
    unread = factories.server(url=comfy.url, version="", needs_reading=True)
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(comfy), lambda: post_foreign(comfy))
    cancelled = flying.Once(posted, cancel(batch))

    flying.drive_until(unread, lambda: cancelled() and flying.is_finished(batch))

    unread.refresh_from_db()
    assert "runs_out" not in flying.events(batch.runs.get())
    assert (unread.version, unread.needs_reading) == (comfy.options.comfyui_version, True)


def test_ours_is_stopped_after_all_once_nobody_waits_behind_it(start_comfy: Any) -> None:
    comfy = start_comfy(seconds_per_plan=60, generation="classic")
    batch = flying.sampled()
    posted = flying.Once(lambda: is_running(comfy), lambda: post_foreign(comfy))
    cancelled = flying.Once(posted, cancel(batch))
    runs_out = flying.Once(
        lambda: cancelled() and "runs_out" in flying.events(batch.runs.get()),
        lambda: comfy.engine.delete(pending_on(comfy)[0]),
    )

    flying.drive_until(row_of(comfy), lambda: runs_out() and flying.is_finished(batch))

    assert flying.states(batch) == ["cancelled"]
    assert flying.is_soon(lambda: flying.outcomes_on(comfy) == ["interrupted"])


def test_what_was_given_up_is_taken_off_and_nothing_else(
    exact_server: Server, exact_comfy: PreviewServer
) -> None:
    batch = flying.sampled(2)
    flying.drive_until(exact_server, lambda: flying.is_on_server(batch))
    foreign = post_foreign(exact_comfy)
    servers.declare_gone(exact_server)
    batches.cancel(batch, actor=None)

    flying.drive_until(
        exact_server, lambda: not Attempt.objects.filter(is_left_behind=True).exists()
    )

    assert flying.is_soon(lambda: running_on(exact_comfy) == [foreign])
    assert list(ended_on(exact_comfy).values()) == ["interrupted"]


def test_a_prompt_that_is_no_longer_there_costs_nobody_theirs(
    any_server: Server, any_comfy: PreviewServer
) -> None:
    client, foreign = Client(any_comfy.url), post_foreign(any_comfy)
    lease = server_leases.take(any_server.pk)
    assert lease is not None
    assert flying.is_soon(lambda: running_on(any_comfy) == [foreign])
    any_comfy.faults.set("delay", match="/interrupt", seconds=0)

    was_taken_off = prompt_removal.PromptRemoval(lease, client).take_off(str(uuid4()), ours=[])

    client.close()
    assert was_taken_off
    assert any_comfy.faults.n_struck("delay") == 0
    assert (running_on(any_comfy), ended_on(any_comfy)) == ([foreign], {})


@pytest.mark.parametrize(
    ("version", "is_exact"),
    [
        ("0.3.56", False),
        ("0.3.57", True),
        ("0.3.64-dev", True),
        ("v0.4.0", True),
        ("0.38.1", True),
        ("0.2.99", False),
        ("", False),
        ("master", False),
    ],
)
def test_the_version_tells_whether_a_prompt_can_be_stopped_alone(
    version: str, is_exact: bool
) -> None:
    assert prompt_removal.stops_exactly(Server(version=version)) is is_exact


# Before and after the server --------------------------------------------------------------------


def test_a_cancel_before_the_image_is_reserved_drops_it(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("delay", match="/view", seconds=3)
    batch = flying.inverted()
    cancelled = flying.Once(lambda: flying.outcomes_on(comfy) == ["success"], cancel(batch))

    flying.drive_until(server, lambda: cancelled() and flying.is_finished(batch))

    batch.refresh_from_db()
    assert (flying.states(batch), batch.status) == (["cancelled"], BatchState.CANCELLED)
    assert not Version.objects.filter(task="AI-concept").exists()


def test_a_cancel_before_the_post_costs_no_render(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("delay", match="/upload", seconds=3)
    batch = flying.inverted()
    cancelled = flying.Once(Attempt.objects.exists, cancel(batch))

    flying.drive_until(server, lambda: cancelled() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.CANCELLED]
    assert flying.n_accepted(comfy) == 0


def test_a_cancel_whose_message_is_lost_still_ends_the_plan(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    slow_comfy.faults.set("reset", match="/interrupt", times=1)
    batch = flying.sampled()
    cancelled = flying.Once(lambda: is_running(slow_comfy), cancel(batch))

    flying.drive_until(slow_server, lambda: cancelled() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.CANCELLED]


def test_a_plan_cancelled_and_retried_renders_once_more(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("delay", match="/view", seconds=3, times=1)
    batch = flying.inverted()
    cancelled = flying.Once(lambda: flying.outcomes_on(comfy) == ["success"], cancel(batch))
    flying.drive_until(server, lambda: cancelled() and flying.is_finished(batch))

    batches.retry(batch, actor=None)
    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["cancelled", "done"]
    assert Version.objects.get(task="AI-concept").number == 1
