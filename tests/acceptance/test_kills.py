"""Whatever is killed, between whichever steps: each plan is rendered once and published once."""

from pathlib import Path

import pytest

from tests.acceptance import wholeness
from tests.processes import Site, wait_for

pytestmark = pytest.mark.slow

PLANS = ("0010", "0020", "0030")
CUT = str(Path(__file__).with_name("cut.py"))
#: The way of a plan, cut between each two of its steps. `make test` cuts at those where a server or
#: the disk has something that the database does not know of; `make kills` at the others.
STEPS = [
    pytest.param(
        "generation.services.prepared_writes:insert",
        "after",
        marks=pytest.mark.soak,
        id="claim-before-commit",
    ),
    pytest.param(
        "generation.services.transitions:claim", "after", marks=pytest.mark.soak, id="claimed"
    ),
    pytest.param(
        "generation.services.transitions:set_graph",
        "after",
        marks=pytest.mark.soak,
        id="graph-stored",
    ),
    pytest.param(
        "generation.comfyui.client:Client.post_prompt",
        "before",
        marks=pytest.mark.soak,
        id="before-post",
    ),
    pytest.param("generation.comfyui.client:Client.post_prompt", "after", id="posted"),
    pytest.param(
        "generation.services.transitions:acknowledge",
        "after",
        marks=pytest.mark.soak,
        id="rendering",
    ),
    pytest.param(
        "generation.comfyui.client:Client.view", "before", marks=pytest.mark.soak, id="rendered"
    ),
    pytest.param("generation.storage:stage", "after", marks=pytest.mark.soak, id="staged"),
    pytest.param(
        "generation.services.publication:reserve_render",
        "before",
        marks=pytest.mark.soak,
        id="before-reservation",
    ),
    pytest.param(
        "generation.services.publication:reserve_render",
        "after",
        marks=pytest.mark.soak,
        id="reserved",
    ),
    pytest.param("generation.storage:link", "after", id="linked"),
    pytest.param(
        "generation.services.transitions.unit_of_work:publish",
        "after",
        marks=pytest.mark.soak,
        id="before-last-commit",
    ),
    pytest.param(
        "generation.storage:discard", "before", marks=pytest.mark.soak, id="before-discard"
    ),
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
