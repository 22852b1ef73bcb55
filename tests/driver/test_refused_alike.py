"""A wrong graph is refused once for its batch, not once for each of its plans."""

from copy import deepcopy
from typing import Any

import pytest

from comfyui_preview.server import PreviewServer
from generation import events
from generation.models import Attempt, Batch, LogEntry, Plan, Server
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

#: So many plans a driver has in its hands at once.
IN_HAND = 2


@pytest.fixture
def plans(db: None) -> list[Plan]:
    """200 plans."""
    return factories.many_plans(200)


def batch_of_steps(steps: int, plans: list[Plan], **fields: Any) -> Batch:
    """Return a batch of a workflow with so many steps; of none, a server refuses it."""
    graph = deepcopy(flying.SAMPLED)
    graph["4"]["inputs"]["steps"] = steps
    queued = [RunState.QUEUED] * len(plans)
    return factories.batch(queued, of=plans, workflow=flying.workflow(graph), **fields)


def attempts_at(batch: Batch) -> int:
    return Attempt.objects.filter(run__batch=batch).count()


def told_of(batch: Batch) -> list[LogEntry]:
    return list(LogEntry.objects.filter(batch=batch, run=None).order_by("pk"))


def test_a_server_is_asked_about_a_wrong_graph_of_200_plans_hardly_more_than_once(
    server: Server, plans: list[Plan]
) -> None:
    wrong = batch_of_steps(0, plans)

    flying.finish(server, wrong)

    assert attempts_at(wrong) <= IN_HAND
    assert flying.states(wrong) == [RunState.ERROR] * 200
    assert not wrong.runs.filter(error_message="").exists()
    assert not wrong.runs.filter(error_remedy="").exists()


def test_the_batchs_log_says_once_what_is_wrong_and_the_plans_refer_to_it(
    server: Server, plans: list[Plan]
) -> None:
    wrong = batch_of_steps(0, plans[:10])

    flying.finish(server, wrong)

    [entry] = told_of(wrong)
    said = events.sentence(entry.event, entry.data)
    assert "steps is 0, less than the server allows (min 1)" in said
    last = wrong.runs.get(position=9)
    assert (last.error_code, last.n_attempts) == ("graph_refused", 0)
    assert "The log of its batch says why" in last.error_message


def test_batches_of_another_graph_are_rendered(server: Server, plans: list[Plan]) -> None:
    wrong, right = batch_of_steps(0, plans[:5]), batch_of_steps(1, plans[:2])

    flying.finish(server, wrong, right)

    assert flying.states(right) == [RunState.DONE] * 2


def test_plans_of_the_batch_with_other_parameters_are_asked_about_for_themselves(
    server: Server, plans: list[Plan]
) -> None:
    wrong = batch_of_steps(0, plans[:5])
    wrong.runs.filter(position=4).update(params={"steps": 1})

    flying.finish(server, wrong)

    assert flying.states(wrong) == [RunState.ERROR] * 4 + [RunState.DONE]


def test_a_panel_that_a_server_refuses_is_its_plans_own(
    server: Server, comfy: PreviewServer
) -> None:
    told = {"type": "custom_validation_failed", "extra_info": {"input_name": "image"}}
    node = {"class_type": "LoadImage", "errors": [told]}
    comfy.faults.set("refuse_prompt", node_errors={"1": node}, times=1)
    batch = flying.inverted(3)

    flying.finish(server, batch)

    assert sorted(flying.states(batch)) == [RunState.DONE, RunState.DONE, RunState.ERROR]
