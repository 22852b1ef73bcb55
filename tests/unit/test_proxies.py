"""What is believed of a proxy, and below which path Madsea is."""

import asyncio
from typing import Any

import pytest

from madsea.web.proxies import Proxied


def seen(scope: dict[str, Any], trusted: list[str], path: str = "") -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope)

    whole = {"type": "http", "path": "/", "client": ("127.0.0.1", 1), "headers": [], **scope}
    asyncio.run(Proxied(application, trusted, path)(whole, None, None))
    return found[0]


def host(trusted: list[str], *forwarded: str) -> list[str]:
    lines = [(b"x-forwarded-host", each.encode()) for each in forwarded]
    scope = seen({"headers": [(b"host", b"127.0.0.1:8000"), *lines]}, trusted)
    return [value.decode() for name, value in scope["headers"] if name == b"host"]


@pytest.mark.parametrize("trusted", [[], ["10.0.0.1"], ["10.0.0.0/8"]])
def test_the_host_that_a_stranger_forwards_is_not_believed(trusted: list[str]) -> None:
    assert host(trusted, "evil.example") == ["127.0.0.1:8000"]


@pytest.mark.parametrize(
    ("forwarded", "believed"),
    [
        (["studio.example"], "studio.example"),
        (["studio.example:8443"], "studio.example:8443"),
        # A proxy that adds to what its client has said.
        (["evil.example, studio.example"], "studio.example"),
        (["evil.example", "studio.example"], "studio.example"),
        ([""], "127.0.0.1:8000"),
        ([], "127.0.0.1:8000"),
    ],
)
def test_the_host_of_a_trusted_proxy_stands_for_that_of_its_own_request(
    forwarded: list[str], believed: str
) -> None:
    assert host(["127.0.0.1"], *forwarded) == [believed]


@pytest.mark.parametrize(
    ("trusted", "said", "scheme"),
    [
        ([], "https", "http"),
        (["10.0.0.1"], "https", "http"),
        (["127.0.0.1"], "https", "https"),
        (["127.0.0.1"], "gopher", "http"),
    ],
)
def test_tls_is_believed_of_a_trusted_proxy_only(
    trusted: list[str], said: str, scheme: str
) -> None:
    headers = [(b"x-forwarded-proto", said.encode())]

    assert seen({"scheme": "http", "headers": headers}, trusted)["scheme"] == scheme


@pytest.mark.parametrize(
    ("asked", "below"),
    [
        ("/madsea/api/batches", "/madsea/api/batches"),
        ("/api/batches", "/madsea/api/batches"),
        ("/madsea", "/madsea/"),
        ("/madsea/", "/madsea/"),
        ("/", "/madsea/"),
        # Neither our path nor below it: it leads nowhere, and to nothing of ours.
        ("/madseaX/api", "/madsea/madseaX/api"),
        ("/madsea/madsea/api", "/madsea/madsea/api"),
        ("//madsea/api", "/madsea//madsea/api"),
    ],
)
def test_a_proxy_may_leave_the_path_or_cut_it_off(asked: str, below: str) -> None:
    scope = seen({"path": asked}, [], "/madsea")

    assert (scope["root_path"], scope["path"]) == ("/madsea", below)


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]])
def test_no_request_says_below_which_path_madsea_is(trusted: list[str]) -> None:
    headers = [(b"x-forwarded-prefix", b"/evil"), (b"x-script-name", b"/evil")]

    scope = seen({"path": "/api", "headers": headers}, trusted)

    assert (scope["root_path"], scope["path"]) == ("", "/api")


def test_the_path_of_another_server_gives_way_to_the_setting() -> None:
    scope = seen({"path": "/other/api", "root_path": "/other"}, [], "/madsea")

    assert (scope["root_path"], scope["path"]) == ("/madsea", "/madsea/api")
