import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from django.core.management.base import CommandError
from django.utils import timezone

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation.models import Server, ServerDefinitions
from generation.states import RunState, ServerHealth
from tests import factories
from tests.commands.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[PreviewServer]:
    with PreviewServer(Options(home=tmp_path / "preview", port=0)) as server:
        yield server


def rows(said: str) -> list[list[str]]:
    return [line.split() for line in said.splitlines()[1:-1]]


def test_a_server_shows_its_driver_and_what_it_is_doing() -> None:
    lease = {
        "lease_owner": "host:1",
        "lease_token": uuid.uuid4(),
        "lease_expires_at": timezone.now() + timedelta(seconds=15),
    }
    server = factories.server("gpu-1", version="0.3.64", **lease)
    factories.batch([RunState.RUNNING])

    said = run("servers")

    assert rows(said) == [["gpu-1", server.url, "up", "0.3.64", "host:1", "SQ0010-0010"]]
    assert said.splitlines()[-1] == "1 of 1 server can take work."


@pytest.mark.parametrize(
    "fields",
    [{"is_enabled": False}, {"is_draining": True}, {"health": ServerHealth.DOWN}],
    ids=["disabled", "draining", "down"],
)
def test_when_no_server_can_take_work_it_ends_with_a_failure(fields: dict[str, object]) -> None:
    factories.server("gpu-1", **fields)

    with pytest.raises(CommandError, match="0 of 1 server can take work"):
        run("servers")


def test_no_server_at_all_is_a_failure() -> None:
    with pytest.raises(CommandError, match="0 of 0 servers"):
        run("servers")


def test_what_a_server_lacks_for_a_workflow_is_told() -> None:
    server = factories.server("gpu-1")
    ServerDefinitions.objects.create(server=server, definitions={})

    said = run("servers")

    assert "gpu-1 cannot run Silhouette.json: " in said


def test_a_password_in_an_address_is_not_shown() -> None:
    factories.server("gpu-1", url="http://user:secret@127.0.0.1:8188")

    assert "secret" not in run("servers")


def test_looking_asks_each_server_now(preview: PreviewServer) -> None:
    factories.server("preview", url=preview.url, health=ServerHealth.UNKNOWN)

    said = run("servers", look=True)

    assert rows(said)[0][2:4] == ["up", "0.3.64"]
    assert "cannot run" not in said


def test_a_server_that_does_not_answer_says_so() -> None:
    factories.server("gpu-1", url="http://127.0.0.1:9")

    with pytest.raises(CommandError, match="0 of 1"):
        run("servers", look=True)

    assert Server.objects.get().health == ServerHealth.DOWN


# How a server is reached ------------------------------------------------------------------------


def test_a_certificate_is_given_by_its_file(tmp_path: Path) -> None:
    server, file = factories.server("gpu-1"), tmp_path / "ca.pem"
    file.write_bytes(trustme.CA().cert_pem.bytes())

    run("servers", "--access", "gpu-1", "--certificate", str(file))

    server.refresh_from_db()
    assert server.certificate == file.read_text().strip()
    assert server.needs_reading


def test_a_certificate_may_be_a_fingerprint() -> None:
    server = factories.server("gpu-1")

    run("servers", "--access", "gpu-1", "--certificate", "AB:" * 31 + "AB")

    server.refresh_from_db()
    assert server.certificate == "AB:" * 31 + "AB"


def test_a_key_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    server, file = factories.server("gpu-1"), tmp_path / "key"
    file.write_text("comfyui-s3cret\n")

    said = run("servers", "--access", "gpu-1", "--partner-key-from", str(file))

    server.refresh_from_db()
    assert server.partner_key == "comfyui-s3cret"
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--access", "gpu-1"), "needs --certificate or"),
        (("--access", "gpu-2", "--certificate", ""), "No server is called 'gpu-2'"),
        (("--access", "gpu-1", "--certificate", "/none.pem"), "/none.pem cannot be read"),
        (("--access", "gpu-1", "--certificate", "manage.py"), "certificate: Expected"),
    ],
)
def test_access_that_cannot_be_used_is_refused(arguments: tuple[str, ...], words: str) -> None:
    factories.server("gpu-1", certificate="ab" * 32, health=ServerHealth.DOWN)
    with pytest.raises(CommandError, match=words):
        run("servers", *arguments)


def test_an_address_is_shown_without_its_secrets() -> None:
    factories.server("gpu-1", url="https://gpu.studio", login="me:s3cret", query="token=s3cret")
    assert "s3cret" not in run("servers")
