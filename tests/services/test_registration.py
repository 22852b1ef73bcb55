"""Servers: registered, looked at, given up; and the doorbell that calls their drivers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_q.models import OrmQ

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation import queueing
from generation.models import Attempt, Server, ServerDefinitions
from generation.services import requested_workflows, servers, tick
from generation.states import AttemptOutcome, RunState, ServerHealth
from tests import factories

pytestmark = pytest.mark.django_db

FIRST, SECOND = "http://10.0.0.5:8188", "http://10.0.0.6:8188"
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def comfy(tmp_path: Path) -> Iterator[PreviewServer]:
    """A server that answers."""
    options = Options(home=tmp_path / "comfy", port=0, faults=True, generation="jobs")
    with PreviewServer(options) as started:
        yield started


# Registration -----------------------------------------------------------------------------------


def test_without_addresses_the_preview_server_is_registered(settings: Any) -> None:
    settings.COMFYUI_SERVERS = []

    [server] = servers.register_from_settings()

    assert (server.url, server.source) == (settings.MADSEA_PREVIEW_URL, "preview")
    assert server.is_enabled


def test_the_addresses_of_the_settings_are_registered_once(settings: Any) -> None:
    settings.COMFYUI_SERVERS = [FIRST, SECOND]

    servers.register_from_settings()
    servers.register_from_settings()

    rows = Server.objects.order_by("url").values_list("name", "url", "source")
    assert list(rows) == [
        ("10.0.0.5:8188", FIRST, "settings"),
        ("10.0.0.6:8188", SECOND, "settings"),
    ]


def test_an_address_that_leaves_the_list_is_drained_and_comes_back_with_it(settings: Any) -> None:
    settings.COMFYUI_SERVERS = [FIRST, SECOND]
    servers.register_from_settings()
    settings.COMFYUI_SERVERS = [FIRST]
    servers.register_from_settings()
    drained = Server.objects.get(is_draining=True).url
    settings.COMFYUI_SERVERS = [FIRST, SECOND]

    servers.register_from_settings()

    assert drained == SECOND
    assert not Server.objects.filter(is_draining=True).exists()


def test_a_server_of_the_admin_is_left_alone(settings: Any) -> None:
    mine = factories.server(url=FIRST, is_draining=True)
    settings.COMFYUI_SERVERS = [SECOND]

    servers.register_from_settings()

    mine.refresh_from_db()
    assert (mine.source, mine.is_draining, mine.is_enabled) == ("admin", True, True)


def test_a_real_server_disables_the_preview_server(settings: Any) -> None:
    settings.COMFYUI_SERVERS = []
    servers.register_from_settings()
    settings.COMFYUI_SERVERS = [FIRST]

    servers.register_from_settings()

    assert list(Server.objects.enabled().values_list("url", flat=True)) == [FIRST]


def test_a_name_that_is_taken_is_counted_on(settings: Any) -> None:
    factories.server("10.0.0.5:8188", url=SECOND)
    settings.COMFYUI_SERVERS = [FIRST]

    [registered] = servers.register_from_settings()

    assert registered.name == "10.0.0.5:8188 2"


# Health -----------------------------------------------------------------------------------------


def test_looking_at_a_server_writes_what_it_says(comfy: PreviewServer) -> None:
    server = factories.server(url=comfy.url, health=ServerHealth.UNKNOWN)

    looked_at = servers.read_now(server)

    assert (looked_at.health, looked_at.version) == (ServerHealth.UP, "0.38.1")
    assert (looked_at.has_jobs_api, looked_at.down_since) == (True, None)
    assert "LoadImage" in ServerDefinitions.objects.get().definitions


def test_a_server_that_does_not_answer_is_down_since_the_first_time(db: None) -> None:
    server = factories.server(url="http://127.0.0.1:9")
    first = servers.read_now(server).down_since

    again = servers.read_now(server)

    assert (again.health, again.down_since) == (ServerHealth.DOWN, first)
    assert again.health_detail


def test_a_server_that_answers_again_is_no_longer_down(comfy: PreviewServer) -> None:
    server = factories.server(url=comfy.url, health=ServerHealth.DOWN, down_since=LONG_AGO)

    servers.check_undriven()

    server.refresh_from_db()
    assert (server.health, server.down_since) == (ServerHealth.UP, None)


def test_a_server_that_a_driver_watches_is_not_asked(lease: Any) -> None:
    servers.check_undriven()

    lease.server.refresh_from_db()
    assert lease.server.health == ServerHealth.UP


def test_what_a_server_lacks_is_said_in_sentences(comfy: PreviewServer) -> None:
    server = factories.server(url=comfy.url)
    workflow = requested_workflows.load("OmbresChinoises.json")
    unknown = servers.missing_for(workflow, server)
    servers.read_now(server)
    nothing = servers.missing_for(workflow, server)
    definitions = ServerDefinitions.objects.get()
    del definitions.definitions["Canny"]
    definitions.sha256 = ""
    definitions.save()

    assert (unknown, nothing) == ([], [])
    assert servers.missing_for(workflow, server) == ["node class Canny"]


# Giving up --------------------------------------------------------------------------------------


def test_a_server_unreachable_for_too_long_loses_its_plans(running: Attempt) -> None:
    Server.objects.update(health=ServerHealth.DOWN, down_since=LONG_AGO, health_detail="no route")

    assert servers.give_up_gone() == 1

    running.refresh_from_db()
    assert (running.outcome, running.outcome_detail) == (AttemptOutcome.ABANDONED, "no route")
    assert running.run.batch.runs.filter(state=RunState.QUEUED).count() == 2


def test_a_server_unreachable_for_a_moment_keeps_its_plans(running: Attempt) -> None:
    servers.note_silence(running.server, "no route")

    assert servers.give_up_gone() == 0


# The doorbell -----------------------------------------------------------------------------------


def test_every_server_that_takes_work_is_asked_once(queued: Any, calls: list[int]) -> None:
    takes = factories.server("gpu-1")
    factories.server("gpu-2", is_enabled=False)
    factories.server("gpu-3", is_draining=True)
    factories.server("gpu-4", health=ServerHealth.DOWN)

    assert (queueing.wake(), queueing.wake()) == (1, 0)

    assert calls == [takes.pk]


def test_a_request_that_nobody_took_is_made_again(queued: Any, calls: list[int]) -> None:
    server = factories.server(drive_requested_at=LONG_AGO)

    queueing.wake()

    assert calls == [server.pk]


def test_a_server_that_is_driven_is_not_asked(lease: Any, queued: Any, calls: list[int]) -> None:
    queueing.wake()

    assert calls == []


@pytest.mark.parametrize("reason", ["panel", "upload"])
def test_nobody_is_asked_when_nothing_can_be_claimed(
    reason: str, queued: Any, calls: list[int]
) -> None:
    factories.server()
    queued.batch.runs.update(wait_reason=reason)

    assert queueing.wake() == 0


def test_a_server_with_something_of_ours_is_asked_even_when_it_drains(calls: list[int]) -> None:
    factories.batch([RunState.RUNNING])
    Server.objects.update(is_draining=True)

    queueing.wake_left_behind()

    assert calls == [Server.objects.get().pk]


@pytest.mark.skipif(bool(settings.REDIS_URL), reason="the messages are in Redis")
def test_a_wake_up_is_a_message_of_django_q(queued: Any) -> None:
    server = factories.server()

    queueing.wake()

    [message] = OrmQ.objects.all()
    assert (message.task["func"], message.task["args"]) == (queueing.DRIVE, (server.pk,))


def test_the_tick_repairs_what_was_left(running: Attempt, image: Any, lease: Any) -> None:
    Server.objects.update(
        health=ServerHealth.DOWN,
        down_since=LONG_AGO,
        lease_token=None,
        lease_expires_at=None,
        url="http://127.0.0.1:9",
    )

    tick.tick()

    running.refresh_from_db()
    assert running.outcome == AttemptOutcome.ABANDONED
