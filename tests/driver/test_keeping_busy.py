"""A server is never idle between two plans, and the database is asked no more than needed."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.models import Server, Version
from generation.preview.server import PreviewServer
from generation.states import RunState
from tests.driver import flying

pytestmark = pytest.mark.django_db


def test_the_next_plan_is_posted_while_the_last_one_is_being_fetched(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("delay", match="/view", seconds=1.5)
    flying.sampled(4)

    flying.drive_until(server, lambda: flying.n_accepted(comfy) >= 3)

    assert not Version.objects.exists()


def test_what_is_being_fetched_does_not_pile_up(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("delay", match="/view", seconds=3.0)
    flying.sampled(6)
    ends_at = time.monotonic() + 1.5

    flying.drive_until(server, lambda: time.monotonic() > ends_at)

    assert flying.n_accepted(comfy) == 4


def test_a_plan_takes_few_queries(server: Server) -> None:
    batch = flying.sampled(8)

    with CaptureQueriesContext(connection) as queries:
        flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 8
    assert len(queries) <= 8 * 45
