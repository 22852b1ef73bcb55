"""Several servers with other models each: every batch goes where it can be rendered."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from comfyui_preview.definitions import MODELS
from comfyui_preview.server import PreviewServer
from generation.models import (
    Attempt,
    Batch,
    Capability,
    PlanRun,
    Server,
    ServerDefinitions,
    Workflow,
)
from generation.services import capability, plan_runs, servers, tick
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

REAL, TINY = "XL/RealVisXL_V5.0_fp16.safetensors", "tiny_sd15.safetensors"


@pytest.fixture(autouse=True)
def brief(settings: Any) -> None:
    """A driver that has nothing to do leaves at once."""
    settings.MADSEA_LINGER_S = 0


@pytest.fixture
def start(start_comfy: Callable[..., PreviewServer], db: None) -> Callable[..., Server]:
    """Starts a preview server with these checkpoints; returns its row, as it was looked at."""

    def begin(name: str, *checkpoints: str) -> Server:
        comfy = start_comfy(models=MODELS | {"checkpoints": list(checkpoints)})
        return servers.read_now(factories.server(name, url=comfy.url))

    return begin


def batch(checkpoint: str, n_plans: int = 2, graph: dict[str, Any] = flying.SAMPLED) -> Batch:
    graph = copy.deepcopy(graph)
    graph["1"]["inputs"]["ckpt_name"] = checkpoint
    workflow = flying.workflow(graph)
    plans = factories.plans({"SQ0010": ["0010", "0020", "0030"]})[:n_plans]
    needs = capability.keep(capability.needs_of_workflow(workflow, {}))
    capability.refresh([needs])
    return factories.batch([RunState.QUEUED] * n_plans, of=plans, workflow=workflow, needs=needs)


def believe(server: Server, *checkpoints: str) -> None:
    """Have it on record that a server has these checkpoints."""
    row = ServerDefinitions.objects.get(server=server)
    lists = row.definitions["CheckpointLoaderSimple"]["input"]["required"]
    lists["ckpt_name"][0] = list(checkpoints)
    row.sha256 = ""
    row.save()


def retry_with(run: PlanRun, checkpoint: str) -> PlanRun:
    """Cancel a plan, and retry it with another checkpoint."""
    plan_runs.cancel(run, actor=None)
    return plan_runs.retry(run, actor=None, params={"checkpoint": checkpoint})


def not_in_list(
    value: str, where: str = "CheckpointLoaderSimple", name: str = "ckpt_name"
) -> dict[str, Any]:
    """Return what a server says of a choice that is not in its list."""
    extra = {"input_name": name, "input_config": None, "received_value": value}
    error = {"type": "value_not_in_list", "message": "", "details": "", "extra_info": extra}
    return {"1": {"class_type": where, "errors": [error]}}


def two_outputs(checkpoint: str) -> dict[str, Any]:
    """Return a graph of which a server without the checkpoint drops the one that counts."""
    graph = copy.deepcopy(flying.SAMPLED)
    graph["1"]["inputs"]["ckpt_name"] = checkpoint
    graph["6"]["_meta"] = {"title": "@result"}
    plain = {"width": 64, "height": 64, "batch_size": 1, "color": 0}
    graph["7"] = {"class_type": "EmptyImage", "inputs": plain}
    saved = {"images": ["7", 0], "filename_prefix": "plain"}
    return graph | {"8": {"class_type": "SaveImage", "inputs": saved}}


def leave_when_idle(server: Server) -> None:
    """Drive a server until it finds nothing more to do."""
    flying.drive_until(server, lambda: False)


def leave_and_be_read(server: Server) -> None:
    """Drive a server until it finds nothing more to do, then read it anew if that is due."""
    leave_when_idle(server)
    tick.tick()


def rendered_on(batch: Batch) -> list[str]:
    attempts = Attempt.objects.filter(run__batch=batch, outcome="done").order_by("run__position")
    return list(attempts.values_list("server__name", flat=True))


def test_each_batch_is_rendered_where_its_model_is(start: Callable[..., Server]) -> None:
    has_real, has_tiny = start("has-real", REAL), start("has-tiny", TINY)
    needs_tiny, needs_real = batch(TINY), batch(REAL)

    leave_when_idle(has_real)
    leave_when_idle(has_tiny)

    assert rendered_on(needs_real) == ["has-real"] * 2
    assert rendered_on(needs_tiny) == ["has-tiny"] * 2
    assert Attempt.objects.count() == 4


def test_a_folder_is_spelled_as_the_server_spells_it(start: Callable[..., Server]) -> None:
    theirs = REAL.replace("/", "\\")
    windows = start("windows", theirs)
    mine = batch(REAL, 1)

    leave_when_idle(windows)

    assert flying.states(mine) == [RunState.DONE]
    assert Attempt.objects.get().graph["1"]["inputs"]["ckpt_name"] == theirs


def test_a_model_that_a_retry_asks_for_is_spelled_as_the_server_spells_it(
    start: Callable[..., Server],
) -> None:
    windows = start("windows", TINY, REAL.replace("/", "\\"))
    mine = batch(TINY, 1)
    retry_with(mine.runs.get(), REAL)

    leave_when_idle(windows)

    assert flying.states(mine) == [RunState.DONE]
    assert Attempt.objects.get().graph["1"]["inputs"]["ckpt_name"] == REAL.replace("/", "\\")


def test_a_model_that_a_retry_asks_for_is_rendered_where_it_is(
    start: Callable[..., Server],
) -> None:
    poor, rich = start("poor", TINY), start("rich", REAL)
    mine = batch(TINY)
    retry_with(mine.runs.get(position=0), REAL)

    leave_when_idle(poor)
    states = flying.states(mine)
    leave_when_idle(rich)

    assert states == [RunState.QUEUED, RunState.DONE]
    assert rendered_on(mine) == ["rich", "poor"]
    assert Attempt.objects.count() == 2


def test_a_retry_with_a_model_that_is_there_goes_on_where_the_batchs_own_is_not(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", TINY)
    mine = batch(REAL)
    retry_with(mine.runs.get(position=1), TINY)

    leave_when_idle(server)

    assert flying.states(mine) == [RunState.QUEUED, RunState.DONE]


def test_a_second_retry_is_checked_with_the_model_that_the_first_asked_for(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", TINY)
    mine = batch(REAL, 1)
    run = retry_with(mine.runs.get(), TINY)
    plan_runs.cancel(run, actor=None)
    plan_runs.retry(run, actor=None, params={"steps": 4})

    leave_when_idle(server)

    assert flying.states(mine) == [RunState.DONE]


def test_a_server_is_said_to_hold_the_models_that_a_retry_asked_for(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", TINY, REAL)
    mine = batch(TINY, 1)
    run = retry_with(mine.runs.get(), REAL)

    leave_when_idle(server)

    server.refresh_from_db()
    assert run.needed is not None
    assert server.last_model_key == run.needed.model_key


def test_a_refused_model_of_a_retry_leaves_the_server_its_batchs_other_plans(
    start: Callable[..., Server],
) -> None:
    poor = start("poor", TINY)
    believe(poor, TINY, REAL)
    mine = batch(TINY)
    run = retry_with(mine.runs.get(position=0), REAL)

    leave_when_idle(poor)

    assert flying.states(mine) == [RunState.QUEUED, RunState.DONE]
    assert Capability.objects.get(needs=mine.needs).is_capable
    assert not Capability.objects.get(needs=run.needed).is_capable


def test_only_servers_that_can_take_the_work_are_woken(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr("generation.queueing.call_soon", lambda _, pk: woken.append(pk))
    start("has-tiny", TINY)
    has_real = start("has-real", REAL)
    batch(REAL)

    tick.tick()

    assert woken == [has_real.pk]


def test_a_server_that_lost_a_model_hands_its_plans_on(start: Callable[..., Server]) -> None:
    poor, rich = start("poor", TINY), start("rich", REAL)
    believe(poor, REAL)
    mine = batch(REAL)

    leave_when_idle(poor)
    events = flying.events(mine.runs.get(position=0))
    leave_when_idle(rich)

    assert events == ["claimed", "refused"]
    assert rendered_on(mine) == ["rich"] * 2
    poor.refresh_from_db()
    assert poor.needs_reading


def test_a_choice_that_is_no_model_is_left_to_the_server_that_has_it(
    start: Callable[..., Server], start_comfy: Callable[..., PreviewServer]
) -> None:
    comfy = start_comfy(models=MODELS | {"checkpoints": [TINY]})
    old, new = servers.read_now(factories.server("old", url=comfy.url)), start("new", TINY)
    unknown = not_in_list("res_multistep", "KSampler", "sampler_name")
    comfy.faults.set("refuse_prompt", node_errors=unknown)
    mine = batch(TINY, 1)

    leave_and_be_read(old)
    leave_and_be_read(old)
    events = flying.events(mine.runs.get())
    leave_when_idle(new)

    assert events == ["claimed", "refused"]
    assert rendered_on(mine) == ["new"]


def test_a_value_of_one_batch_that_a_server_refuses_keeps_no_other_batch_away(
    start_comfy: Callable[..., PreviewServer], db: None
) -> None:
    comfy = start_comfy(models=MODELS | {"checkpoints": [TINY]})
    server = servers.read_now(factories.server(url=comfy.url))
    mine, other = batch(TINY, 1), batch(TINY, 1)
    shared = other.needs
    refused = not_in_list("euler", "KSampler", "sampler_name")
    comfy.faults.set("refuse_prompt", node_errors=refused, times=1)

    flying.drive_until(server, lambda: "refused" in flying.events(mine.runs.get()))

    mine.refresh_from_db()
    assert mine.needs != shared
    assert not Capability.objects.get(needs=mine.needs).is_capable
    assert Capability.objects.get(needs=shared).is_capable


def test_a_server_that_drops_the_output_for_a_lost_model_hands_its_plan_on(
    start: Callable[..., Server],
) -> None:
    poor, rich = start("poor", TINY), start("rich", REAL)
    believe(poor, REAL)
    mine = batch(REAL, 1, two_outputs(REAL))

    leave_when_idle(poor)
    events = flying.events(mine.runs.get())
    leave_when_idle(rich)

    assert events == ["claimed", "refused"]
    assert rendered_on(mine) == ["rich"]
    poor.refresh_from_db()
    assert poor.needs_reading


def test_a_class_that_a_server_has_no_more_is_looked_for_elsewhere(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", REAL)
    graph = copy.deepcopy(flying.SAMPLED)
    graph["6"]["class_type"] = "SaveImageElsewhere"
    mine = flying.sampled(needs=factories.needs())
    Workflow.objects.update(graph=graph)

    leave_when_idle(server)

    assert flying.states(mine) == [RunState.QUEUED]
    assert Capability.objects.get(needs=mine.needs).missing[0]["name"] == "SaveImageElsewhere"


def test_a_server_that_refuses_what_it_says_it_has_fails_the_plan_the_second_time(
    start: Callable[..., Server], start_comfy: Callable[..., PreviewServer]
) -> None:
    comfy = start_comfy(models=MODELS | {"checkpoints": [REAL]})
    server = servers.read_now(factories.server(url=comfy.url))
    comfy.faults.set("refuse_prompt", node_errors=not_in_list(REAL))
    mine = batch(REAL, 1)
    leave_when_idle(server)
    before = flying.states(mine)

    tick.tick()
    leave_when_idle(server)

    assert (before, flying.states(mine)) == ([RunState.QUEUED], [RunState.ERROR])
    assert mine.runs.get().error_code == "graph_refused"


def test_a_retry_gives_a_server_another_chance_to_refuse_a_plan(
    start_comfy: Callable[..., PreviewServer], db: None
) -> None:
    comfy = start_comfy(models=MODELS | {"checkpoints": [REAL]})
    server = servers.read_now(factories.server(url=comfy.url))
    comfy.faults.set("refuse_prompt", node_errors=not_in_list(REAL))
    mine = batch(REAL, 1)
    leave_and_be_read(server)
    leave_and_be_read(server)
    before = flying.states(mine)

    plan_runs.retry(mine.runs.get(), actor=None)
    leave_when_idle(server)

    assert (before, flying.states(mine)) == ([RunState.ERROR], [RunState.QUEUED])


def test_a_model_that_comes_lets_the_plans_go_on(
    start: Callable[..., Server], start_comfy: Callable[..., PreviewServer]
) -> None:
    server = start("gpu-1", TINY)
    mine = batch(REAL)
    leave_when_idle(server)
    before = flying.states(mine)
    restarted = start_comfy(models=MODELS | {"checkpoints": [REAL]})
    Server.objects.update(url=restarted.url, needs_reading=True)

    tick.tick()
    leave_when_idle(server)

    assert before == [RunState.QUEUED] * 2
    assert flying.states(mine) == [RunState.DONE] * 2


def test_a_model_whose_name_is_no_utf_8_is_rendered_with(start: Callable[..., Server]) -> None:
    server = start("gpu-1", "mod\udce9le.safetensors")
    mine = batch("mod\U0010dce9le.safetensors")

    flying.finish(server, mine)

    assert Capability.objects.get().is_capable
    assert flying.states(mine) == [RunState.DONE] * 2
