"""Whatever is killed, between whichever steps: each plan is rendered once and published once."""

from pathlib import Path

import pytest

from tests.acceptance import wholeness
from tests.processes import Site, wait_for

pytestmark = pytest.mark.slow

PLANS = ("0010", "0020", "0030")
CUT = str(Path(__file__).with_name("cut.py"))
#: The way of a plan, cut between each two of its steps.
STEPS = [
    pytest.param("generation.services.prepared_writes:insert", "after", id="claim-before-commit"),
    pytest.param("generation.services.transitions:claim", "after", id="claimed"),
    pytest.param("generation.services.transitions:set_graph", "after", id="graph-stored"),
    pytest.param("generation.comfyui.client:Client.post_prompt", "before", id="before-post"),
    pytest.param("generation.comfyui.client:Client.post_prompt", "after", id="posted"),
    pytest.param("generation.services.transitions:acknowledge", "after", id="rendering"),
    pytest.param("generation.comfyui.client:Client.view", "before", id="rendered"),
    pytest.param("generation.storage:stage", "after", id="staged"),
    pytest.param(
        "generation.services.publication:reserve_render", "before", id="before-reservation"
    ),
    pytest.param("generation.services.publication:reserve_render", "after", id="reserved"),
    pytest.param("generation.storage:link", "after", id="linked"),
    pytest.param(
        "generation.services.transitions.unit_of_work:publish", "after", id="before-last-commit"
    ),
    pytest.param("generation.storage:discard", "before", id="before-discard"),
]


@pytest.mark.parametrize(("function", "when"), STEPS)
def test_a_killed_worker_costs_no_plan_and_no_second_render(
    site: Site, function: str, when: str
) -> None:
    marker = site.home / "cut"
    site.run("work", [CUT, str(marker), function, when, "process"])

    site.generate(PLANS)

    site.wait_done()
    assert marker.exists()
    assert wholeness.faults(site, n_plans=3) == []
    wait_for(lambda: wholeness.staged(site) == [], name="an empty staging folder")


@pytest.mark.parametrize(("function", "when"), STEPS)
def test_a_killed_tree_that_is_started_again_costs_no_plan_and_no_second_render(
    site: Site, function: str, when: str
) -> None:
    marker = site.home / "cut"
    first = site.run("work", [CUT, str(marker), function, when, "session"])
    site.generate(PLANS)
    first.process.wait(120)

    site.work()

    site.wait_done()
    assert marker.exists()
    assert wholeness.faults(site, n_plans=3) == []
    wait_for(lambda: wholeness.staged(site) == [], name="an empty staging folder")
