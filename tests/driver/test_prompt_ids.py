"""The answer's own prompt id counts: a ComfyUI before 0.3.45 draws its own, whatever was sent."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from comfyui_preview.journal import entries
from comfyui_preview.server import PreviewServer
from generation.comfyui.client import Client
from generation.models import Attempt, Batch, Block, Server
from generation.services import (
    batches,
    claims,
    prompt_graphs,
    server_controls,
    server_leases,
    server_quarantine,
    servers,
)
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]


@pytest.fixture
def old_comfy(start_comfy: Start) -> PreviewServer:
    """A server that draws its own prompt ids; as fast as it can be."""
    return start_comfy(generation="classic")


@pytest.fixture
def old_server(db: None, old_comfy: PreviewServer) -> Server:
    """The row of that server."""
    return row_of(old_comfy)


@pytest.fixture
def slow_old_comfy(start_comfy: Start) -> PreviewServer:
    """A server that draws its own prompt ids; it takes a minute per plan."""
    return start_comfy(generation="classic", seconds_per_plan=60)


@pytest.fixture
def slow_old_server(db: None, slow_old_comfy: PreviewServer) -> Server:
    """The row of that server."""
    return row_of(slow_old_comfy)


def row_of(comfy: PreviewServer) -> Server:
    return factories.server(url=comfy.url, version=comfy.options.comfyui_version)


def claimed(server: Server) -> Attempt:
    """Claim a plan as a driver does that is killed before it hears any answer."""
    lease = server_leases.take(server.pk)
    assert lease is not None
    desk = claims.Desk(lease)
    attempt = desk.claim(in_flight=0)
    assert attempt is not None
    assert desk.build(attempt) is None
    server_leases.give_back(lease)
    return attempt


def post(attempt: Attempt, comfy: PreviewServer) -> str:
    """Post a prompt as its driver does; return the id that the server draws."""
    client = Client(comfy.url)
    sent = str(attempt.prompt_id)
    accepted = client.post_prompt(attempt.graph, prompt_id=sent, client_id="a driver")
    client.close()
    return accepted.prompt_id


def queued_on(comfy: PreviewServer) -> list[str]:
    """Return what runs and what waits on a server."""
    return [item[1] for item in comfy.engine.queue.running() + comfy.engine.queue.pending()]


def prompt_ids(batch: Batch) -> set[str]:
    return {attempt.id_on_server for attempt in Attempt.objects.filter(run__batch=batch)}


def test_plans_on_a_server_that_draws_its_own_ids_are_rendered_once_each(
    start_comfy: Start,
) -> None:
    comfy = start_comfy(generation="classic", seconds_per_plan=1)
    batch = flying.sampled(3)

    flying.finish(row_of(comfy), batch)

    assert flying.states(batch) == [RunState.DONE] * 3
    assert flying.outcomes(batch) == ["done"] * 3
    assert flying.render_counts(comfy) == [1, 1, 1]
    assert prompt_ids(batch) == {e["prompt_id"] for e in entries(comfy.journal_path, "accepted")}


def test_the_progress_of_a_prompt_is_heard_under_the_id_that_counts(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    batch = flying.sampled()

    flying.drive_until(slow_old_server, lambda: batch.runs.get().progress_pct > 0)

    assert flying.n_accepted(slow_old_comfy) == 1


@pytest.mark.parametrize("fault", ["reset_after_queueing", "error_500_after_queueing"])
def test_a_prompt_whose_answer_was_lost_is_found_in_the_queue_by_its_prefix(
    fault: str, start_comfy: Start
) -> None:
    comfy = start_comfy(generation="classic", seconds_per_plan=2)
    comfy.faults.set(fault, times=1)
    batch = flying.sampled()

    flying.finish(row_of(comfy), batch)

    assert flying.events(batch.runs.get()) == ["claimed", "posted", "published"]
    assert (flying.n_accepted(comfy), flying.render_counts(comfy)) == (1, [1])


def test_a_prompt_whose_answer_was_lost_and_that_has_ended_is_found_in_the_history(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    old_comfy.faults.set("reset_after_queueing", times=1)
    batch = flying.inverted()

    flying.finish(old_server, batch)

    assert flying.events(batch.runs.get()) == ["claimed", "posted", "published"]
    assert Attempt.objects.get().render_s is not None
    assert (flying.n_accepted(old_comfy), flying.render_counts(old_comfy)) == (1, [1])


def test_a_prompt_whose_answer_was_lost_and_that_failed_is_not_posted_again(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    old_comfy.faults.set("reset_after_queueing", times=1)
    old_comfy.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    batch = flying.inverted(max_tries=1)

    flying.finish(old_server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "node_error")
    assert "the ink is dry" in run.error_message
    assert flying.n_accepted(old_comfy) == 1


def test_a_history_that_cannot_be_listed_leaves_the_file_to_be_found(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    old_comfy.faults.set("reset_after_queueing", times=1)
    old_comfy.faults.set("answer", match="GET /history", status=500, text="odd")
    batch = flying.inverted()
    # A history by id is answered well again once the file is looked for.
    shown = flying.Once(
        lambda: old_comfy.faults.n_struck("answer") >= 1, lambda: old_comfy.faults.clear("answer")
    )

    flying.drive_until(old_server, lambda: shown() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE]
    assert flying.render_counts(old_comfy) == [1]


def test_a_prompt_that_a_killed_driver_posted_is_adopted_by_its_prefix(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    attempt = claimed(slow_old_server)
    drawn = post(attempt, slow_old_comfy)

    flying.drive_until(slow_old_server, lambda: flying.is_on_server(batch))

    attempt.refresh_from_db()
    assert (attempt.id_on_server, drawn) == (drawn, attempt.server_prompt_id)
    assert queued_on(slow_old_comfy) == [drawn]


def test_the_id_that_counts_is_followed_by_the_next_driver(start_comfy: Start) -> None:
    comfy = start_comfy(generation="classic", seconds_per_plan=2)
    server, batch = row_of(comfy), flying.sampled(2)
    flying.drive_until(server, lambda: flying.is_on_server(batch))

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done", "done"]
    assert (flying.n_accepted(comfy), flying.render_counts(comfy)) == (2, [1, 1])


def test_a_cancel_takes_off_a_prompt_whose_answer_was_lost(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    slow_old_comfy.faults.set("reset_after_queueing")
    batch = flying.sampled(2)
    cancelled = flying.Once(
        lambda: flying.n_accepted(slow_old_comfy) == 2,
        lambda: batches.cancel(batch, actor=None),
    )

    flying.drive_until(slow_old_server, lambda: cancelled() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.CANCELLED] * 2
    assert flying.is_soon(lambda: queued_on(slow_old_comfy) == [])
    assert flying.render_counts(slow_old_comfy) == []


def test_a_prompt_given_up_before_its_answer_is_taken_off_when_its_server_returns(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    flying.sampled()
    attempt = claimed(slow_old_server)
    post(attempt, slow_old_comfy)
    servers.declare_gone(slow_old_server)
    server_controls.set_draining(slow_old_server, True, actor=None)

    flying.drive_until(slow_old_server, lambda: not is_left_behind(attempt))

    assert flying.is_soon(lambda: queued_on(slow_old_comfy) == [])


def is_left_behind(attempt: Attempt) -> bool:
    return Attempt.objects.get(pk=attempt.pk).is_left_behind


def test_a_first_post_that_comes_late_is_taken_away_under_whatever_id(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    late = flying.Once(
        lambda: flying.is_on_server(batch), lambda: post(Attempt.objects.get(), slow_old_comfy)
    )
    client = Client(slow_old_server.url)

    flying.drive_until(slow_old_server, lambda: late() and not client.queue().pending)

    assert queued_on(slow_old_comfy) == [Attempt.objects.get().id_on_server]
    assert "doubled" in flying.events(batch.runs.get())
    client.close()


def test_what_is_taken_in_part_is_taken_off_under_the_id_that_counts(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    odd = {"2": {"class_type": "CLIPTextEncode", "errors": [], "dependent_outputs": ["6"]}}
    slow_old_comfy.faults.set("partial_node_errors", node_errors=odd)
    batch = flying.sampled(max_tries=1)

    flying.finish(slow_old_server, batch)

    assert batch.runs.get().error_code == "partly_refused"
    assert flying.is_soon(lambda: queued_on(slow_old_comfy) == [])


def test_a_set_aside_old_server_stays_so_until_it_has_restarted(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    old_comfy.faults.set("poisoned")
    flying.inverted(2)
    flying.drive_until(old_server, lambda: flying.is_aside(old_server))

    server_quarantine.take_back_restarted()

    assert flying.is_aside(old_server)
    old_comfy.restart()
    server_quarantine.take_back_restarted()
    assert not flying.is_aside(old_server)


def test_a_block_of_an_old_server_outlives_its_being_read(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    old_comfy.faults.set("node_error", match="ImageInvert")
    batch = flying.inverted(max_tries=1)
    assert batch.workflow is not None
    flying.finish(old_server, batch)
    failed = Attempt.objects.get()
    Block.objects.create(
        server=old_server, workflow=batch.workflow, detail="odd", prompt_id=failed.id_on_server
    )

    servers.look_at([old_server])

    assert Block.objects.exists()


def test_an_answer_with_the_id_of_another_prompt_is_not_believed(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    first = flying.sampled()
    flying.drive_until(slow_server, lambda: flying.is_on_server(first))
    replayed = {"prompt_id": Attempt.objects.get().id_on_server, "number": 1, "node_errors": {}}
    slow_comfy.faults.set("bad_json", match="POST /prompt", times=1, text=dumped(replayed))
    second = flying.sampled(of=factories.plans({"SQ0020": ["0010"]}))

    flying.drive_until(slow_server, lambda: flying.is_on_server(second))

    assert len(prompt_ids(first) | prompt_ids(second)) == 2
    assert set(queued_on(slow_comfy)) == prompt_ids(first) | prompt_ids(second)


def dumped(answer: dict[str, Any]) -> str:
    return str(answer).replace("'", '"')


def test_somebody_elses_prompt_with_the_same_shape_is_left_alone(
    slow_old_server: Server, slow_old_comfy: PreviewServer
) -> None:
    body = {"prompt": flying.SAMPLED, "client_id": "a colleague"}
    foreign = requests.post(f"{slow_old_comfy.url}/prompt", json=body, timeout=60).json()
    batch = flying.sampled()
    cancelled = flying.Once(
        lambda: flying.is_on_server(batch), lambda: batches.cancel(batch, actor=None)
    )

    flying.drive_until(slow_old_server, lambda: cancelled() and flying.is_finished(batch))

    assert queued_on(slow_old_comfy) == [foreign["prompt_id"]]


def test_the_prefix_is_of_the_proposed_id_whatever_the_server_draws(
    old_server: Server, old_comfy: PreviewServer
) -> None:
    batch = flying.inverted()

    flying.finish(old_server, batch)

    attempt = Attempt.objects.get()
    assert attempt.server_prompt_id not in ("", str(attempt.prompt_id))
    executed = next(entries(old_comfy.journal_path, "executed"))
    assert executed["filename_prefix"] == prompt_graphs.prefix_of(attempt)


def test_a_server_that_takes_our_id_keeps_it(server: Server) -> None:
    flying.finish(server, flying.inverted())

    attempt = Attempt.objects.get()
    assert (attempt.server_prompt_id, attempt.id_on_server) == ("", str(attempt.prompt_id))
