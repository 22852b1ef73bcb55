"""Where a client is."""

import asyncio
from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from madsea.web import client_addresses


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_ipv6_network_counts_as_one_client(address: str, network: str) -> None:
    assert client_addresses.network_of({"client": (address, 1)}) == network


def test_behind_a_unix_socket_a_client_has_no_address() -> None:
    assert client_addresses.network_of({"client": None}) == client_addresses.network_of({}) == ""


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ([], "1.2.3.4", "127.0.0.1"),
        (["10.0.0.1"], "1.2.3.4", "127.0.0.1"),
        (["127.0.0.1"], "1.2.3.4", "1.2.3.4"),
        (["127.0.0.1"], "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (["127.0.0.0/8", "10.0.0.0/8"], "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
    ],
)
def test_only_named_proxies_are_believed(trusted: list[str], forwarded: str, seen: str) -> None:
    found: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found.append(client_addresses.network_of(scope))

    scope: Any = {
        "type": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"x-forwarded-for", forwarded.encode())],
    }
    asyncio.run(ProxyHeadersMiddleware(application, trusted)(scope, None, None))  # type: ignore[arg-type]

    assert found == [seen]
