"""What each server has loaded last, and how long plans take there."""

import pytest

from generation.models import Server
from generation.selectors import paces
from generation.states import RunState
from tests import factories
from tests.commands.running import run
from tests.driver import flying

pytestmark = pytest.mark.django_db

CHECKPOINT = "RealVisXL_V5.0_fp16.safetensors"


@pytest.fixture
def worked() -> Server:
    """A server that has rendered three plans, in 10, 40 and 20 s."""
    batch = factories.batch([RunState.QUEUED] * 3, workflow=flying.workflow(flying.SAMPLED))
    server = factories.server("gpu-1")
    for plan, render_s in zip(batch.runs.all(), (10.0, 40.0, 20.0), strict=True):
        factories.attempt(
            plan,
            on=server,
            outcome="done",
            render_s=render_s,
            graph=flying.SAMPLED,
            acknowledged_at=factories.NOW,
        )
    return server


def test_a_server_has_loaded_the_models_of_the_prompt_that_it_took_last(worked: Server) -> None:
    assert paces.loaded(worked.pk) == [CHECKPOINT]
    assert paces.loaded(factories.server("gpu-2").pk) == []


def test_how_long_a_plan_takes_is_the_median_from_when_the_server_began(worked: Server) -> None:
    [pace] = paces.paces(worked.pk)

    assert (pace.workflow, pace.n_plans, pace.median_s) == ("Test.json", 3, 20.0)
    assert pace.per_hour == 180.0
    assert paces.paces(factories.server("gpu-2").pk) == []


def test_the_command_says_what_is_loaded_and_how_long_a_plan_takes(worked: Server) -> None:
    said = run("servers")

    assert f"gpu-1 has loaded last: {CHECKPOINT}" in said
    assert "gpu-1 takes 20.0 s for a plan of Test.json: 180 an hour (median of 3)" in said
