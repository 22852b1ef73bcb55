"""What each server lacks, who may render what, and requests that nobody could render."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.definitions import MODELS
from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation.errors import InvalidRequest
from generation.models import Capability, Needs, Server, ServerDefinitions
from generation.selectors import wait_reasons
from generation.services import (
    batches,
    capability,
    plan_preflight,
    request_validation,
    requested_workflows,
    retry_overrides,
    servers,
    tick,
)
from generation.states import ServerHealth
from tests import factories

pytestmark = pytest.mark.django_db

CHECKPOINT = "RealVisXL_V5.0_fp16.safetensors"
ALMOST = "RealVisXL_V4.0_fp16.safetensors"
REQUEST: dict[str, Any] = {
    "project_id": "madsea-2025-ep202",
    "episode": "E202",
    "season": "S02",
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010", "0020"]}],
    "style": "ombres_chinoises",
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a preview server with these checkpoints; returns its row, as it was looked at."""
    started: list[PreviewServer] = []

    def begin(name: str, checkpoints: list[str]) -> Server:
        models = MODELS | {"checkpoints": checkpoints}
        options = Options(home=tmp_path / name, port=0, faults=True, models=models)
        started.append(PreviewServer(options).__enter__())
        return servers.read_now(factories.server(name, url=started[-1].url))

    yield begin
    for server in started:
        server.__exit__(None, None, None)


@pytest.fixture
def needs() -> Needs:
    """What the workflow of the shadows needs, with its own models."""
    return capability.keep(
        capability.needs_of_workflow(requested_workflows.load("OmbresChinoises.json"), {})
    )


def lacking(needs: Needs, server: Server) -> str:
    capability.refresh([needs])
    return wait_reasons.lacks(Capability.objects.get(needs=needs, server=server).missing)


def refusal(**change: Any) -> tuple[str, str, str]:
    with pytest.raises(InvalidRequest) as caught:
        request_validation.read(REQUEST | change)
    [problem] = caught.value.problems
    return problem.attr, problem.code, problem.detail


# What a server has ------------------------------------------------------------------------------


def test_a_server_with_all_models_is_capable(start: Callable[..., Server], needs: Needs) -> None:
    server = start("gpu-1", [CHECKPOINT])

    assert lacking(needs, server) == ""
    assert Capability.objects.get().is_capable


def test_what_is_missing_is_named_with_the_closest_that_is_there(
    start: Callable[..., Server], needs: Needs
) -> None:
    server = start("gpu-1", ["tiny.safetensors", ALMOST])

    assert lacking(needs, server) == (
        f"{CHECKPOINT} for CheckpointLoaderSimple.ckpt_name (closest: {ALMOST})"
    )


def test_a_server_of_which_nothing_is_known_has_no_row(needs: Needs) -> None:
    factories.server()

    assert capability.refresh([needs]) == 0


def test_what_was_judged_is_not_judged_again_until_the_server_is_read_anew(
    start: Callable[..., Server], needs: Needs
) -> None:
    server = start("gpu-1", [CHECKPOINT])

    first, second = capability.refresh([needs]), capability.refresh([needs])
    servers.read_now(server)

    assert (first, second, capability.refresh([needs])) == (1, 0, 1)


def test_reading_a_server_judges_what_the_queued_plans_need(
    start: Callable[..., Server], needs: Needs
) -> None:
    factories.batch(needs=needs)

    server = start("gpu-1", [ALMOST])

    assert not Capability.objects.get(server=server, needs=needs).is_capable


def test_the_same_needs_are_one_row(needs: Needs) -> None:
    workflow = requested_workflows.load("OmbresChinoises.json")

    same = capability.keep(capability.needs_of_workflow(workflow, {"steps": 4}))
    other = capability.keep(capability.needs_of_workflow(workflow, {"checkpoint": ALMOST}))

    assert (same.pk == needs.pk, other.pk == needs.pk) == (True, False)
    assert other.model_key != needs.model_key


# When servers are read --------------------------------------------------------------------------


def test_a_server_that_came_back_is_read_again(start: Callable[..., Server]) -> None:
    server = start("gpu-1", [CHECKPOINT])
    ServerDefinitions.objects.update(definitions={}, sha256="")
    servers.note_silence(server, "it restarted")

    tick.tick()

    assert "KSampler" in ServerDefinitions.objects.get().definitions


def test_a_server_that_a_driver_found_again_is_read_again(
    start: Callable[..., Server], lease: Any
) -> None:
    server = start("gpu-2", [CHECKPOINT])
    Server.objects.filter(pk=server.pk).update(
        lease_token=lease.token, lease_expires_at="2999-01-01T00:00:00Z"
    )
    ServerDefinitions.objects.update(definitions={}, sha256="")
    servers.note_silence(server, "it restarted")
    servers.note_answer(server)

    servers.read_due()

    assert "KSampler" in ServerDefinitions.objects.get().definitions


def test_a_server_that_cannot_be_read_stays_to_be_read(start: Callable[..., Server]) -> None:
    server = factories.server("gpu-1", url="http://127.0.0.1:9")

    servers.read_due()

    server.refresh_from_db()
    assert (server.needs_reading, server.health) == (True, ServerHealth.UP)
    assert "It cannot be read" in server.health_detail


def test_what_a_server_refused_is_believed_until_it_is_read_again(
    start: Callable[..., Server], needs: Needs
) -> None:
    server = start("gpu-1", [CHECKPOINT])
    factories.batch(needs=needs)

    capability.deny(needs, server, [capability.Lack(CHECKPOINT, "CheckpointLoaderSimple.ckpt")])
    denied = Capability.objects.get().is_capable
    servers.read_due()

    assert (denied, Capability.objects.get().is_capable) == (False, True)


def test_a_value_that_a_server_refuses_keeps_nobody_from_another(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", [CHECKPOINT])
    heun = {"params": {"sampler_name": "heun"}}
    refused = batches.create(request_validation.read(REQUEST | heun), requester=None)

    capability.deny(refused.needs, server, [capability.Lack("heun", "KSampler.sampler_name")])

    assert refusal(**heun)[:2] == ("params.sampler_name", "no_capable_server")
    assert request_validation.read(REQUEST).needs != refused.needs


def with_models(*models: str) -> list[dict[str, Any]]:
    plans = [
        {"plan": f"{10 * (n + 1):04d}", "params": {"checkpoint": model}}
        for n, model in enumerate(models)
    ]
    return [{"sequence_id": "SQ0010", "plans": plans}]


def test_a_plan_with_a_model_of_its_own_needs_another_server(start: Callable[..., Server]) -> None:
    start("gpu-1", [CHECKPOINT, ALMOST])
    request = request_validation.read(REQUEST | {"sequences": with_models(ALMOST, CHECKPOINT)})

    batch = batches.create(request, requester=None)

    own, like_all = batch.runs.all()
    assert own.needed is not None
    assert ALMOST in {file for _, _, file in own.needed.files}
    assert like_all.needed == batch.needs
    assert Capability.objects.filter(needs=own.needed, is_capable=True).count() == 1


def test_a_plan_whose_model_no_server_has_is_named_in_the_request(
    start: Callable[..., Server],
) -> None:
    start("gpu-1", [CHECKPOINT])

    attr, code, _ = refusal(sequences=with_models(CHECKPOINT, ALMOST))

    assert (attr, code) == ("sequences.0.plans.1.params.checkpoint", "no_capable_server")


def test_a_model_that_no_plan_is_made_with_keeps_no_request_back(
    start: Callable[..., Server],
) -> None:
    start("gpu-1", [ALMOST])

    assert request_validation.read(REQUEST | {"sequences": with_models(ALMOST)}).own


def test_so_many_sets_of_models_that_nobody_could_judge_them_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_preflight, "MODEL_SETS_MOST", 2)

    attr, code, _ = refusal(sequences=with_models("a.safetensors", "b.safetensors", CHECKPOINT))

    assert (attr, code) == ("sequences", "too_many_models")


def test_a_choice_that_no_server_has_is_to_blame_itself(start: Callable[..., Server]) -> None:
    start("gpu-1", [CHECKPOINT])

    attr, code, detail = refusal(params={"sampler_name": "heunn"})

    assert (attr, code) == ("params.sampler_name", "no_capable_server")
    assert "gpu-1 lacks heunn for KSampler.sampler_name (closest: heun" in detail


# Requests ---------------------------------------------------------------------------------------


def test_a_request_that_no_server_can_render_is_refused(start: Callable[..., Server]) -> None:
    start("gpu-1", [ALMOST])
    start("gpu-2", ["tiny.safetensors"])

    attr, code, detail = refusal()

    assert (attr, code) == ("workflow_json", "no_capable_server")
    assert detail == (
        "No server can run OmbresChinoises.json."
        f" gpu-1 lacks {CHECKPOINT} for CheckpointLoaderSimple.ckpt_name (closest: {ALMOST})."
        f" gpu-2 lacks {CHECKPOINT} for CheckpointLoaderSimple.ckpt_name."
    )


def test_a_checkpoint_that_no_server_has_is_to_blame_itself(start: Callable[..., Server]) -> None:
    start("gpu-1", [CHECKPOINT])

    attr, code, detail = refusal(params={"checkpoint": ALMOST})

    assert (attr, code) == ("params.checkpoint", "no_capable_server")
    assert f"(closest: {CHECKPOINT})" in detail


def test_every_shipped_workflow_with_models_is_refused_by_servers_without_any(
    tmp_path: Path,
) -> None:
    bare = Options(home=tmp_path / "bare", port=0, models={})
    with PreviewServer(bare) as comfy:
        servers.read_now(factories.server(url=comfy.url))

        assert refusal()[1] == "no_capable_server"
        assert refusal(workflow_json="Labo.json")[1] == "no_capable_server"


def test_one_capable_server_is_enough(start: Callable[..., Server]) -> None:
    start("gpu-1", [ALMOST])
    start("gpu-2", [CHECKPOINT])

    batch = batches.create(request_validation.read(REQUEST), requester=None)

    assert batch.needs is not None
    assert batch.needs.model_key


@pytest.mark.parametrize("health", [ServerHealth.DOWN, ServerHealth.UNKNOWN])
def test_a_request_waits_for_servers_that_do_not_answer_now(
    start: Callable[..., Server], health: ServerHealth
) -> None:
    server = start("gpu-1", [ALMOST])
    Server.objects.filter(pk=server.pk).update(health=health)

    assert request_validation.read(REQUEST).needs is not None


def test_a_request_waits_where_a_server_is_not_known_yet(start: Callable[..., Server]) -> None:
    start("gpu-1", [ALMOST])
    factories.server("gpu-2")

    assert request_validation.read(REQUEST).needs is not None


@pytest.mark.parametrize("health", [ServerHealth.UP, ServerHealth.DOWN, ServerHealth.UNKNOWN])
def test_a_request_does_not_wait_for_a_server_that_drains(
    start: Callable[..., Server], health: ServerHealth
) -> None:
    start("gpu-1", [ALMOST])
    factories.server("left-the-list", is_draining=True, health=health)

    _, code, detail = refusal()

    assert code == "no_capable_server"
    assert "left-the-list" not in detail


def test_a_server_that_drains_keeps_no_request_away(start: Callable[..., Server]) -> None:
    drained = start("gpu-1", [ALMOST])
    Server.objects.filter(pk=drained.pk).update(is_draining=True)

    assert request_validation.read(REQUEST).needs is not None


def test_a_request_without_any_server_is_taken() -> None:
    assert request_validation.read(REQUEST).needs is not None


def test_an_image_by_hand_needs_no_server(start: Callable[..., Server]) -> None:
    start("gpu-1", [ALMOST])

    assert request_validation.read(REQUEST | {"mode": "manuel"}).needs is None


def test_a_model_that_came_since_the_server_was_read_is_found(
    start: Callable[..., Server],
) -> None:
    start("gpu-1", [CHECKPOINT])
    definitions = ServerDefinitions.objects.get()
    definitions.definitions["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [[], {}]
    definitions.sha256 = ""
    definitions.save()
    ServerDefinitions.objects.update(read_at="2020-01-01T00:00:00Z")

    assert request_validation.read(REQUEST).needs is not None


def test_a_retry_keeps_what_its_overrides_need_apart_from_its_batch(
    start: Callable[..., Server],
) -> None:
    server = start("gpu-1", [CHECKPOINT, ALMOST])
    batch = batches.create(request_validation.read(REQUEST), requester=None)
    batches.cancel(batch, actor=None)

    [first, second] = batches.retry(batch, actor=None, params={"checkpoint": ALMOST})

    assert first.group == second.group
    assert first.needed != batch.needs
    assert Capability.objects.get(needs=first.needed, server=server).is_capable


@pytest.mark.parametrize("params", [{"steps": 4}, {"seed": 7}, {}])
def test_a_retry_that_needs_nothing_else_is_of_the_group_of_the_others(
    start: Callable[..., Server], params: dict[str, Any]
) -> None:
    start("gpu-1", [CHECKPOINT, ALMOST])
    batch = batches.create(request_validation.read(REQUEST), requester=None)
    batches.cancel(batch, actor=None)
    batches.retry(batch, actor=None, params={"checkpoint": ALMOST})
    batches.cancel(batch, actor=None)

    [first, _] = batches.retry(batch, actor=None, params={"checkpoint": CHECKPOINT} | params)

    assert first.group == batch.groups.get(needs=batch.needs)


def test_a_retry_with_a_model_that_no_server_has_is_refused(start: Callable[..., Server]) -> None:
    start("gpu-1", [CHECKPOINT])
    batch = batches.create(request_validation.read(REQUEST), requester=None)

    with pytest.raises(InvalidRequest) as caught:
        retry_overrides.read(batch, list(batch.runs.all()), {"checkpoint": ALMOST})

    assert caught.value.code == "no_capable_server"
