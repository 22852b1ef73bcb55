"""A server is never idle between two plans, and the database is asked no more than needed."""

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from comfyui_preview.server import PreviewServer
from generation.models import Server, Version
from generation.states import RunState
from tests.driver import flying

pytestmark = pytest.mark.django_db

#: Far longer than a driver takes to look at what there is; nobody waits for it.
HELD_S = 3600


def test_the_next_plan_is_posted_while_the_last_one_is_being_fetched(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("delay", match="/view", seconds=HELD_S)
    flying.sampled(4)

    flying.drive_until(server, lambda: flying.n_accepted(comfy) >= 3)

    assert not Version.objects.exists()


def test_what_is_being_fetched_does_not_pile_up(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("delay", match="/view", seconds=HELD_S)
    flying.sampled(6)
    turns = itertools.count()

    def has_looked_often() -> bool:
        return flying.n_accepted(comfy) >= 4 and next(turns) >= 20

    flying.drive_until(server, has_looked_often)

    assert flying.n_accepted(comfy) == 4
    assert not Version.objects.exists()


def test_a_plan_takes_few_queries(server: Server) -> None:
    batch = flying.sampled(8)

    with CaptureQueriesContext(connection) as queries:
        flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 8
    assert len(queries) <= 8 * 46
