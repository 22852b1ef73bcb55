"""What lets Madsea into a server is kept apart from its address, and told nowhere."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from generation.comfyui import address
from generation.models import Server
from generation.selectors import servers as reads
from generation.services import server_controls, servers
from tests import factories

pytestmark = pytest.mark.django_db

SECRET = "https://me:s3cr%40t@gpu.studio:8188/comfy1/?token=abc%2Cdef"
PUBLIC = "https://gpu.studio:8188/comfy1"


def test_an_address_of_the_settings_is_split(settings: Any) -> None:
    settings.COMFYUI_SERVERS = [SECRET]

    [server] = servers.register_from_settings()

    assert (server.url, server.login, server.query) == (PUBLIC, "me:s3cr%40t", "token=abc%2Cdef")
    assert (str(server), reads.public_address(server)) == ("gpu.studio:8188", PUBLIC)


def test_a_password_that_changes_changes_no_server(settings: Any) -> None:
    settings.COMFYUI_SERVERS = [SECRET]
    servers.register_from_settings()
    settings.COMFYUI_SERVERS = [SECRET.replace("s3cr%40t", "other")]

    servers.register_from_settings()

    assert Server.objects.get().login == "me:other"
    assert not Server.objects.filter(is_draining=True).exists()


def test_an_address_of_the_admin_is_split() -> None:
    server = Server(name="a", url=SECRET, headers={})
    server.full_clean()
    assert (server.url, server.login, server.query) == (PUBLIC, "me:s3cr%40t", "token=abc%2Cdef")


@pytest.mark.parametrize(
    "url",
    ["http://gpu-01:8188", "http://[::1]:8188", "https://render_farm/comfy1", "10.0.0.5:8188"],
)
def test_an_address_that_names_a_host_of_the_house_is_taken(url: str) -> None:
    server = Server(name="a", url=url, headers={})
    server.full_clean()
    assert address.problem(server.url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "ftp://me:s3cret@gpu",
        "http://me:s3cret@",
        "http://me:s3cret@gpu:99999",
        "http://me:s3cret@gpu/#x",
        "http://me:s3cret@gpu/a b",
        "http://me:s3cret@[gpu",
    ],
)
def test_a_wrong_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Server(name="a", url=url, headers={}).full_clean()
    assert "url" in refused.value.message_dict
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login", "nobody"),
        ("query", "token"),
        ("query", "a b=c"),
        ("certificate", "-----BEGIN CERTIFICATE-----\nnone"),
        ("certificate", "-----BEGIN PRIVATE KEY-----"),
        ("certificate", "ab:cd"),
        ("partner_key", "a\nb"),
    ],
)
def test_access_that_could_not_be_used_is_refused(field: str, value: str) -> None:
    server = factories.server()
    with pytest.raises(ValidationError) as refused:
        server_controls.set_access(server, actor=None, **{field: value})
    assert list(refused.value.message_dict) == [field]


def test_secrets_are_forgotten_together(settings: Any) -> None:
    server = factories.server(login="a:b", query="t=1", partner_key="k", headers={"X": "y"})

    server_controls.forget_secrets(server, actor=None)

    server.refresh_from_db()
    assert (server.login, server.query, server.partner_key, server.headers) == ("", "", "", {})


def test_what_a_server_is_reached_by_is_not_in_its_representation() -> None:
    server = factories.server(login="a:s3cret", query="t=s3cret", headers={"X": "s3cret"})
    assert "s3cret" not in repr(servers.endpoint_of(server)) + json.dumps(str(server))
