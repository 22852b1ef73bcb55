"""A server is never idle between two plans, and the database is asked no more than needed."""

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from comfyui_preview.server import PreviewServer
from generation import image_decoding
from generation.comfyui.client import Client
from generation.driver import loop
from generation.driver.flight_control import FlightControl
from generation.driver.observations import PanelUploaded, PicturesFetched
from generation.driver.transfers import Message, TransferDone
from generation.models import Server, Version
from generation.services import server_leases
from generation.services.claims import Desk
from generation.services.server_leases import Lease
from generation.states import RunState
from tests.driver import flying

pytestmark = pytest.mark.django_db

#: Far longer than a driver takes to look at what there is; nobody waits for it.
HELD_S = 3600


@pytest.fixture
def lease(server: Server) -> Lease:
    taken = server_leases.take(server.pk)
    assert taken is not None
    return taken


def test_the_next_plan_is_posted_while_the_last_one_is_being_fetched(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("delay", match="/view", seconds=HELD_S)
    flying.sampled(4)

    flying.drive_until(server, lambda: flying.n_accepted(comfy) >= 3)

    assert not Version.objects.exists()


def test_a_fresh_driver_does_nothing_before_its_first_post_that_can_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[str] = []
    claim, post = Desk.claim, Client.post_prompt
    monkeypatch.setattr(Desk, "claim", lambda *a, **k: (acts.append("claim"), claim(*a, **k))[1])
    monkeypatch.setattr(
        Client, "post_prompt", lambda *a, **k: (acts.append("post"), post(*a, **k))[1]
    )
    monkeypatch.setattr(image_decoding, "warm_up", lambda: acts.append("start decoding"))
    batch = flying.sampled(2)

    flying.finish(server, batch)

    assert acts[:2] == ["claim", "post"]
    assert acts.count("start decoding") == 1


def test_pictures_are_published_after_all_else_was_heard(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def note(_: FlightControl, message: Message) -> None:
        if isinstance(message, TransferDone):  # the server's socket may speak in between
            done.append(message.attempt_id)

    monkeypatch.setattr(FlightControl, "hear", note)
    driver = loop.Driver(lease, flying.StopSignal(lambda: True))
    for attempt_id in (1, 2):
        driver._inbox.put(TransferDone(attempt_id, PicturesFetched(())))
    driver._inbox.put(TransferDone(3, PanelUploaded("madsea/a.png")))

    driver._listen()
    driver._publish()
    driver._publish()

    assert done == [3, 1, 2]


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
    assert len(queries) <= 8 * 50
