"""No web thread waits for a ComfyUI server: what is not known of one is read behind."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, TestCase
from django.utils import timezone
from rest_framework.test import APIClient

from generation.admin.servers import ServerAdmin
from generation.models import Batch, PlanRun, Server, ServerDefinitions
from generation.states import RunState, ServerHealth, WaitReason
from tests import factories
from tests.admin import pages
from tests.api.calls import EXAMPLE, URL
from tests.listening import Listener

LONG_AGO = "2020-01-01T00:00:00Z"
LACKING: dict[str, Any] = {
    "CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": [["Other.safetensors"], {}]}}}
}


@pytest.fixture
def hanging(db: None) -> Iterator[Listener]:
    """A server that answers nobody, which lacked everything when it was read, long ago."""
    with Listener() as listener:
        server = factories.server(url=listener.url)
        ServerDefinitions.objects.create(server=server, definitions=LACKING)
        ServerDefinitions.objects.update(read_at=LONG_AGO)
        Server.objects.update(needs_reading=False)
        yield listener


def request(api: APIClient, **change: Any) -> Any:
    """Ask for plans, and do what follows once that is committed."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return api.post(URL, EXAMPLE | change, format="json")


def test_a_request_that_some_server_may_be_able_to_take_by_now_is_taken(
    api: APIClient, hanging: Listener
) -> None:
    answer = request(api)

    assert (answer.status_code, hanging.n_connections()) == (201, 0)
    assert Server.objects.get().needs_reading


def test_its_plans_say_why_they_wait(api: APIClient, hanging: Listener) -> None:
    followed = request(api)["Location"]
    PlanRun.objects.update(wait_reason=WaitReason.TURN)

    document = api.get(followed).json()

    wait = document["plans"][0]["waits"]
    assert wait["code"] == "no_capable_server"
    assert "gpu-1 lacks" in document["reasons"][wait["reason"]]


def test_a_request_that_no_server_could_take_a_moment_ago_is_refused(
    api: APIClient, hanging: Listener
) -> None:
    ServerDefinitions.objects.update(read_at=timezone.now())

    answer = request(api)

    assert (answer.status_code, answer.json()["code"]) == (400, "no_capable_server")
    assert (hanging.n_connections(), Server.objects.get().needs_reading) == (0, False)


def test_one_server_of_which_nothing_new_is_known_is_enough_to_wait_for(
    api: APIClient, hanging: Listener
) -> None:
    other = factories.server("gpu-2", url=f"{hanging.url}/2", needs_reading=False)
    ServerDefinitions.objects.create(server=other, definitions=LACKING)

    answer = request(api)

    asked = Server.objects.filter(needs_reading=True)
    assert (answer.status_code, [server.name for server in asked]) == (201, ["gpu-1"])


def test_a_refused_request_leaves_no_row_of_what_it_needed(
    api: APIClient, hanging: Listener
) -> None:
    ServerDefinitions.objects.update(read_at=timezone.now())
    made = factories.needs("before")

    request(api, params={"checkpoint": "Nobody.safetensors"})

    assert list(type(made).objects.all()) == [made]


def retry(api: APIClient, batch: Batch) -> Any:
    body = {"batch_id": batch.public_id, "params": {"checkpoint": "New.safetensors"}}
    return api.post(f"{URL}/retry", body, format="json")


def cancel(api: APIClient, batch: Batch) -> Any:
    return api.post(f"{URL}/cancel", {"batch_id": batch.public_id}, format="json")


def steer(api: APIClient, batch: Batch) -> Any:
    return api.patch(f"/api/batches/{batch.public_id}", {"paused": True}, format="json")


@pytest.mark.parametrize("call", [retry, cancel, steer])
def test_what_changes_a_batch_asks_no_server(
    call: Callable[[APIClient, Batch], Any], api: APIClient, hanging: Listener
) -> None:
    batch = Batch.objects.get(public_id=request(api).json()["batch_id"])
    why = {"error_code": "node_error", "error_message": "It failed.", "error_remedy": "Retry."}
    batch.runs.filter(position=0).update(state=RunState.ERROR, **why)
    Batch.objects.update(n_queued=2, n_error=1)

    answer = call(api, batch)

    assert (answer.status_code, hanging.n_connections()) == (200, 0)


def press(client: Client, act: str) -> None:
    """Press a server's button, and agree where it asks first."""
    answer = client.post(pages.url("server", Server.objects.get().pk, act))
    if answer.status_code == 200:
        pages.agree(client, pages.asked(answer))


@pytest.mark.parametrize("act", [act.name for act in ServerAdmin.acts])
def test_no_act_of_the_admin_asks_a_server(act: str, hanging: Listener, supervisor: User) -> None:
    client = Client()
    client.force_login(supervisor)

    press(client, act)

    assert hanging.n_connections() == 0


def test_a_server_that_is_to_be_looked_at_is_read_by_the_next_tick(
    hanging: Listener, supervisor: User
) -> None:
    client = Client()
    client.force_login(supervisor)

    said = pages.press(client, "server", Server.objects.get(), "look")

    assert "within seconds" in said[0]
    assert Server.objects.get().needs_reading


def test_a_disabled_server_is_not_looked_at(hanging: Listener, supervisor: User) -> None:
    Server.objects.update(is_enabled=False, health=ServerHealth.DOWN)
    client = Client()
    client.force_login(supervisor)

    said = pages.press(client, "server", Server.objects.get(), "look")

    assert "gpu-1: It is disabled: enable it first." in said[0]
    assert not Server.objects.get().needs_reading
