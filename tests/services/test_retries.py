"""A retry may name another workflow, such as the corrected file: all is read anew by it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from generation.errors import InvalidRequest
from generation.models import Batch, Block, Plan, PlanRun, RunGroup
from generation.selectors import claimable
from generation.services import batches, plan_runs, requested_workflows
from generation.states import Mode, RunState, WaitReason
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

NAME = "Corrected.json"


def graph(**sampler: Any) -> dict[str, Any]:
    """Return a graph of one sampler with these inputs."""
    made = copy.deepcopy(flying.SAMPLED)
    made["4"]["inputs"].update(sampler)
    return made


def with_another_checkpoint() -> dict[str, Any]:
    made = graph()
    made["1"]["inputs"]["ckpt_name"] = "Other.safetensors"
    return made


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A workflows folder with the corrected file."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    give(settings.MADSEA_WORKFLOWS, graph(cfg=3.0))
    give(settings.MADSEA_WORKFLOWS, graph(), "Test.json")
    return tmp_path / "workflows"


def give(folder: Path, given: dict[str, Any], name: str = NAME) -> None:
    (folder / name).write_text(json.dumps(given))


@pytest.fixture
def failed(folder: Path) -> Batch:
    """A batch of two plans that a graph failed; the request asked for its steps."""
    return factories.batch(
        [RunState.ERROR] * 2,
        workflow=requested_workflows.load("Test.json"),
        params={"steps": 4},
        sources={"steps": "request", "seed": "drawn"},
    )


def first(batch: Batch) -> PlanRun:
    return batch.runs.order_by("position")[0]


def refused(batch: Batch, **asked: Any) -> tuple[str, str]:
    """Return where and why a retry of a batch is refused."""
    with pytest.raises(InvalidRequest) as caught:
        batches.retry(batch, actor=None, **asked)
    problem = caught.value.problems[0]
    return problem.attr or "", problem.code


def test_its_plans_are_made_with_the_workflow_that_a_retry_names(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME)

    run = first(failed)
    assert run.workflow is not None
    assert (run.workflow.name, run.workflow.graph["4"]["inputs"]["cfg"]) == (NAME, 3.0)
    assert failed.workflow is not None
    assert failed.workflow.name == "Test.json"


def test_what_was_asked_for_before_is_asked_of_the_other_too(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME, params={"cfg": 2.0})

    run = first(failed)
    assert run.values == {"steps": 4, "cfg": 2.0}
    assert run.value_sources == {"steps": "request", "seed": "drawn", "cfg": "retry"}


def test_presets_and_style_of_the_workflow_before_are_not_taken_along(failed: Batch) -> None:
    failed.params |= {"cfg": 9.0, "denoise": 0.5}
    failed.sources |= {"cfg": "style", "denoise": "preset"}
    failed.save()

    batches.retry(failed, actor=None, workflow_json=NAME)

    assert first(failed).values == {"steps": 4}


def test_a_seed_stays(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME)

    assert first(failed).seed == "42"


def test_a_workflow_without_a_seed_is_told_none(folder: Path, failed: Batch) -> None:
    give(folder, flying.INVERTED)
    failed.params, failed.sources = {}, {}
    failed.save()

    batches.retry(failed, actor=None, workflow_json=NAME)

    assert (first(failed).seed, first(failed).sources) == ("", {})


def test_a_plan_waits_for_the_panel_that_only_the_other_starts_from(
    folder: Path, failed: Batch
) -> None:
    give(folder, flying.INVERTED)
    failed.params = {}
    failed.save()

    batches.retry(failed, actor=None, workflow_json=NAME)

    assert first(failed).wait_reason == WaitReason.PANEL


def test_its_runs_are_grouped_by_what_it_needs(folder: Path, failed: Batch) -> None:
    failed.needs = factories.needs("of the batch")
    failed.save()
    give(folder, with_another_checkpoint())

    plan_runs.retry(first(failed), actor=None, workflow_json=NAME)

    run = first(failed)
    assert run.group is not None
    assert run.group.own_workflow == run.own_workflow
    assert run.needed is not None
    assert "Other.safetensors" in str(run.needed.files)
    assert failed.runs.order_by("position")[1].group != run.group


def test_the_log_names_it(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME, params={"cfg": 2.0})

    entry = failed.logs.filter(event="retried_with").first()
    assert entry is not None
    assert entry.data["workflow"].startswith(NAME)
    assert entry.data["values"] == "cfg 2.0"


def test_the_next_retry_keeps_it(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME)
    batches.cancel(failed, actor=None)

    batches.retry(failed, actor=None, params={"cfg": 1.5})

    run = first(failed)
    assert run.workflow is not None
    assert run.workflow.name == NAME
    assert run.values == {"steps": 4, "cfg": 1.5}
    assert run.group is not None
    assert run.group.own_workflow == run.workflow


def test_that_of_the_batch_can_be_named_again(failed: Batch) -> None:
    batches.retry(failed, actor=None, workflow_json=NAME, params={"cfg": 2.0})
    batches.cancel(failed, actor=None)

    batches.retry(failed, actor=None, workflow_json="Test.json")

    run = first(failed)
    assert run.own_workflow is None
    assert run.values == {"steps": 4, "cfg": 2.0}


def test_an_unknown_workflow_is_refused_by_its_field(failed: Batch) -> None:
    assert refused(failed, workflow_json="Nothing.json") == ("workflow_json", "unknown_workflow")


def test_one_that_cannot_take_what_was_asked_for_is_refused(folder: Path, failed: Batch) -> None:
    give(folder, flying.INVERTED)

    assert refused(failed, workflow_json=NAME) == ("workflow_json", "unknown_parameter")


def test_one_with_an_open_question_is_refused(folder: Path, failed: Batch) -> None:
    asking = copy.deepcopy(flying.INVERTED)
    asking["4"] = {"class_type": "LoadImage", "inputs": {"image": "b.png"}}
    asking["2"] = {
        "class_type": "ImageBatch",
        "inputs": {"image1": ["1", 0], "image2": ["4", 0]},
    }
    give(folder, asking)
    failed.params = {}
    failed.save()

    assert refused(failed, workflow_json=NAME) == ("workflow_json", "open_which_panel")


def test_values_are_judged_by_the_other_workflow(failed: Batch) -> None:
    asked = {"workflow_json": NAME, "params": {"blur": 1}}

    assert refused(failed, **asked) == ("params.blur", "unknown_parameter")


def test_what_artists_make_takes_none(folder: Path, plans: list[Plan]) -> None:
    batch = factories.batch([RunState.CANCELLED], of=plans[:1], mode=Mode.MANUEL, workflow=None)

    assert refused(batch, workflow_json=NAME) == ("workflow_json", "no_workflow")


def test_variations_are_not_made_without_a_seed(folder: Path, failed: Batch) -> None:
    give(folder, flying.INVERTED)
    failed.params, failed.variations = {}, 2
    failed.save()

    assert refused(failed, workflow_json=NAME) == ("workflow_json", "no_variations")


def test_a_server_that_is_blocked_for_the_batch_s_may_take_the_other(failed: Batch) -> None:
    server = factories.server()
    assert failed.workflow is not None
    Block.objects.create(server=server, workflow=failed.workflow, detail="odd")

    batches.retry(failed, actor=None, workflow_json=NAME)

    assert [group.own_workflow is None for group in claimable.groups_for(server.pk)] == [False]


def test_a_server_that_is_blocked_for_the_other_takes_none(failed: Batch) -> None:
    server = factories.server()
    batches.retry(failed, actor=None, workflow_json=NAME)
    own = first(failed).own_workflow
    assert own is not None

    Block.objects.create(server=server, workflow=own, detail="odd")

    assert not claimable.groups_for(server.pk).exists()
    assert RunGroup.objects.queued_with_own_needs().count() == 1
