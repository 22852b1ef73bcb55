"""A server that cannot tell how a prompt ended, or answers no POST: the plan ends all the same."""

from typing import Any

import pytest

from comfyui_preview.journal import renders
from comfyui_preview.server import PreviewServer
from generation.comfyui.client import Client
from generation.driver import submission_rules
from generation.models import Server
from generation.states import RunState
from tests.driver import flying

pytestmark = pytest.mark.django_db


def test_what_a_prompt_left_is_published_though_its_history_is_broken(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("bad_json", match="GET /history", text="[" * 90_000)
    batch = flying.inverted()

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.n_tries) == (RunState.DONE, 0)
    assert flying.render_counts(comfy) == [1]


def test_a_plan_whose_history_is_broken_and_that_left_nothing_is_in_error(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("bad_json", match="GET /history", text='{"endless')
    comfy.faults.set("node_error", match="ImageInvert", type="RuntimeError", message="dry")
    batch = flying.inverted(max_tries=1)

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "output_not_given")
    assert sum(renders(comfy.journal_path).values()) <= 1


def test_a_prompt_that_is_never_answered_and_never_there_is_given_up(
    server: Server, comfy: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[Any] = []
    whole = Client.post_prompt

    def counted(*args: Any, **kwargs: Any) -> Any:
        posted.append(kwargs["prompt_id"])
        return whole(*args, **kwargs)

    monkeypatch.setattr(Client, "post_prompt", counted)
    monkeypatch.setattr(submission_rules, "UNANSWERED_MOST", 3)
    comfy.faults.set("reset_before_queueing")
    batch = flying.inverted(max_tries=1)

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "prompt_not_taken")
    assert (len(posted), len(set(posted))) == (3, 1)
