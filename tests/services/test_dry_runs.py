"""Dry runs: what a request would make, told without a row."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from generation.errors import InvalidRequest
from generation.models import Attempt, Block, Server, ServerDefinitions
from generation.services import dry_runs, request_validation, requested_workflows
from generation.services.dry_runs import DryRunDocument
from generation.states import AttemptOutcome, RunState, ServerHealth
from generation.workflows.substitution import shipped_definitions
from tests import factories
from tests.services.test_requests import EXAMPLE

pytestmark = pytest.mark.django_db

LOADER = "CheckpointLoaderSimple"
CHECKPOINT = "RealVisXL_V5.0_fp16.safetensors"


def rehearsed(**change: Any) -> DryRunDocument:
    return dry_runs.rehearse(request_validation.read(copy.deepcopy(EXAMPLE) | change))


def one_plan(params: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"sequence_id": "SQ0010", "plans": [{"plan": "0010", "params": params}, "0020"]}]


def defined(server: Server, *checkpoints: str) -> Server:
    """Let a server have answered what Madsea ships, and these checkpoints."""
    definitions = copy.deepcopy(dict(shipped_definitions()))
    definitions[LOADER]["input"]["required"]["ckpt_name"] = [list(checkpoints), {}]
    ServerDefinitions.objects.create(
        server=server,
        definitions=definitions,
        sha256=f"{server}{checkpoints}",
        read_at=timezone.now(),
    )
    return server


def rendered(server: Server, *seconds: float) -> None:
    """Let a server have made plans of the example's workflow in so many seconds each."""
    workflow = requested_workflows.load("OmbresChinoises.json")
    batch = factories.batch([RunState.QUEUED] * len(seconds), workflow=workflow)
    for run, render_s in zip(batch.runs.all(), seconds, strict=True):
        factories.attempt(run, on=server, outcome=AttemptOutcome.DONE, render_s=render_s)


@pytest.fixture
def rows() -> Iterator[None]:
    """Fails the test that leaves another number of rows in any table."""
    models = apps.get_models()
    before = {model: model._default_manager.count() for model in models}
    yield
    assert {model: model._default_manager.count() for model in models} == before


def test_nothing_is_written(rows: None) -> None:
    rehearsed(variations=3, sequences=one_plan({"steps": 12}))


def test_all_values_are_told_with_their_sources_the_workflow_s_own_among_them() -> None:
    outlook = rehearsed(params={"steps": 12})

    told = {name: (outlook["params"][name], outlook["sources"][name]) for name in ("steps", "cfg")}
    assert told == {"steps": (12, "request"), "cfg": (7.5, "style")}
    assert outlook["sources"]["sampler_name"] == "workflow"
    assert outlook["params"]["sampler_name"] == "dpmpp_2m"
    assert (outlook["sources"]["seed"], "seed" in outlook["params"]) == ("drawn", False)


def test_a_plan_tells_what_it_gets_beside_the_others() -> None:
    own, other = rehearsed(sequences=one_plan({"steps": 12}))["plans"]

    assert (own["params"], own["sources"]) == ({"steps": 12}, {"steps": "plan"})
    assert "params" not in other


def test_each_plan_tells_its_panel_or_its_lack() -> None:
    [plan, *_] = factories.plans()
    factories.version(plan, task="extracted-raw")
    factories.version(plan, task="extracted-raw")

    first, second, _ = rehearsed()["plans"]

    assert first["panel"] == "E202_SQ0010-0010_extracted-raw_v0002.png"
    assert (first["lacks_panel"], second["panel"], second["lacks_panel"]) == (False, None, True)


def test_pictures_are_counted_over_plans_variations_and_batch_sizes() -> None:
    outlook = rehearsed(variations=2, workflow_json="Labo.json", params={})

    assert outlook["pictures"] == 6


def test_a_server_tells_what_it_lacks_and_the_closest_that_it_has() -> None:
    defined(factories.server("gpu-1"), CHECKPOINT)
    defined(factories.server("gpu-2"), "RealVisXL_V4.0_fp16.safetensors")
    factories.server("gpu-3")

    able, unable, unread = rehearsed()["servers"]

    assert (able["can"], able["n_plans"], able["missing"]) == (True, 3, [])
    assert (unable["can"], unable["n_plans"]) == (False, 0)
    assert unable["missing"] == [
        {
            "name": CHECKPOINT,
            "where": f"{LOADER}.ckpt_name",
            "closest": ["RealVisXL_V4.0_fp16.safetensors"],
        }
    ]
    assert (unread["can"], unread["n_plans"]) == (None, None)


def test_a_server_that_can_make_some_of_the_plans_says_how_many() -> None:
    defined(factories.server("gpu-1"), CHECKPOINT)
    defined(factories.server("gpu-2"), "Other.safetensors")

    servers = rehearsed(sequences=one_plan({"checkpoint": "Other.safetensors"}))["servers"]

    assert [(server["can"], server["n_plans"]) for server in servers] == [(True, 1), (True, 1)]


@pytest.mark.parametrize(
    "fields", [{"is_draining": True}, {"set_aside_at": timezone.now(), "set_aside_code": "x"}]
)
def test_a_server_that_takes_no_work_says_so(fields: dict[str, Any]) -> None:
    factories.server("gpu-1", **fields)

    [server] = rehearsed()["servers"]

    assert server["takes_work"] is False


def test_a_server_that_is_blocked_for_the_workflow_takes_no_work_of_it() -> None:
    workflow = requested_workflows.load("OmbresChinoises.json")
    Block.objects.create(server=factories.server("gpu-1"), workflow=workflow, detail="It fails.")

    [server] = rehearsed()["servers"]

    assert server["takes_work"] is False


def test_the_time_is_that_of_all_servers_together_by_what_they_needed_lately() -> None:
    rendered(defined(factories.server("gpu-1"), CHECKPOINT), 9.0, 10.0, 50.0)
    rendered(defined(factories.server("gpu-2"), CHECKPOINT), 20.0)

    outlook = rehearsed(variations=2)

    assert [server["render_s"] for server in outlook["servers"]] == [10.0, 20.0]
    assert outlook["seconds"] == 40.0


def test_a_server_that_is_down_adds_nothing_to_the_pace() -> None:
    rendered(defined(factories.server("gpu-1"), CHECKPOINT), 10.0)
    rendered(defined(factories.server("gpu-2", health=ServerHealth.DOWN), CHECKPOINT), 10.0)

    assert rehearsed()["seconds"] == 30.0


def test_the_time_is_unknown_where_nothing_like_it_was_made() -> None:
    defined(factories.server("gpu-1"), CHECKPOINT)
    rendered(factories.server("gpu-2"), 10.0)
    Attempt.objects.update(render_s=None)

    assert rehearsed()["seconds"] is None


def test_images_by_hand_need_no_server() -> None:
    defined(factories.server("gpu-1"), CHECKPOINT)

    outlook = rehearsed(mode="manuel")

    assert (outlook["servers"], outlook["pictures"], outlook["seconds"]) == ([], 3, None)
    assert not any(plan["lacks_panel"] for plan in outlook["plans"])


def test_what_would_be_new_is_told_with_projects_of_a_similar_name() -> None:
    factories.episode()

    new = rehearsed(project_id="madsea-2025-ep22")["new"]

    assert new == {"project": "madsea-2025-ep22", "episode": "E202", "like": ["madsea-2025-ep202"]}


def test_a_project_in_another_spelling_is_refused_as_it_would_be() -> None:
    factories.episode()

    with pytest.raises(InvalidRequest) as caught:
        rehearsed(project_id="MADSEA-2025-ep202")

    assert caught.value.code == "project_spelling"
