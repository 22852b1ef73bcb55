"""Where a ComfyUI server is and how it is reached; its secrets stand apart from its address.

An address is split where it enters (settings, admin, commands): what is stored, shown and logged as
a server's address holds no name, no password and no token.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from wording import say

#: What is shorter would be found in other words by chance.
_SECRET_LEAST = 6


class Address(NamedTuple):
    """An address in three parts: `url` may be shown, `login` (`name:password`) and `query` not."""

    url: str
    login: str = ""
    query: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One server and all that a connection to it takes; only `url` may be shown.

    `headers` and `query` go with every request and with the socket, `login` as basic auth.
    `certificate` is PEM text of whom to trust, or the SHA-256 fingerprint of the server's own;
    `ca_bundle` a file or folder that takes the place of the machine's certificates. `partner_key`
    pays for partner nodes: it goes with every prompt.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: str = field(default="", repr=False)
    query: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    ca_bundle: str = field(default="", repr=False)
    partner_key: str = field(default="", repr=False)

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers of every request; an own `Authorization` goes before the login."""
        if not self.login:
            return dict(self.headers)
        name, _, password = self.login.partition(":")
        pair = f"{unquote(name)}:{unquote(password)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}", **self.headers}

    def secrets(self) -> list[str]:
        """Return what must not be told: values of headers, password, tokens, key; longest first."""
        values = [self.partner_key, unquote(self.login.partition(":")[2])]
        values += [value for _, value in parse_qsl(self.query)]
        for header in self.sent_headers.values():
            values += [header, header.rpartition(" ")[2]]
        return sorted({v for v in values if len(v) >= _SECRET_LEAST}, key=len, reverse=True)

    def redacted(self, body: bytes) -> bytes:
        """Return what the server says without secrets of ours that it repeats."""
        for secret in self.secrets():
            body = body.replace(secret.encode(), b"***")
        return body


def endpoint(where: "str | Endpoint", headers: Mapping[str, str] | None = None) -> Endpoint:
    """Return the endpoint of an address; of an endpoint, itself."""
    if isinstance(where, Endpoint):
        return where
    return Endpoint(*_public_and_rest(where, headers or {}))


def _public_and_rest(
    text: str, headers: Mapping[str, str]
) -> tuple[str, Mapping[str, str], str, str]:
    parts = parse(text)
    return parts.url, headers, parts.login, parts.query


def parse(text: str) -> Address:
    """Split an address into what may be shown and what not; the slash at its end goes.

    What is no address comes back as it is, but for what looks like a secret in it.
    """
    try:
        split = urlsplit(text.strip())
        # Whatever stands before the last @ of a host is a login.
        login, _, host = split.netloc.rpartition("@")
    except ValueError:
        return Address(text.rpartition("@")[2].partition("?")[0])
    bare = SplitResult(split.scheme.lower(), host, split.path.rstrip("/"), "", "")
    return Address(urlunsplit(bare), login, split.query)


def public(text: str) -> str:
    """Return an address without the name, password and token that it may carry."""
    return parse(text).url


def problem(text: str) -> str:
    """Return why an address cannot be one of a server; empty when it can. No secret is repeated."""
    example = say("such as http://10.0.0.5:8188")
    try:
        split = urlsplit(text)
        is_whole = split.scheme.lower() in {"http", "https"} and bool(split.hostname)
        is_whole = is_whole and (split.port is None or split.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        return say(
            "{address!r} is not an address {example}.", address=public(text)[:100], example=example
        )
    if split.fragment:
        return say("An address of a server has no #fragment.")
    if any(character <= " " or character == "\x7f" for character in text):
        return say("An address of a server holds no blanks.")
    return ""


def with_query(url: str, *queries: str) -> str:
    """Return a URL with these queries (`a=1&b=2`, percent-encoded already), empty ones left out."""
    whole = "&".join(query for query in queries if query)
    return f"{url}?{whole}" if whole else url


def encoded(params: Mapping[str, str]) -> str:
    """Return parameters as a query; a name's odd bytes go out as they came in."""
    return urlencode(params, errors="surrogateescape")


def websocket_url(where: Endpoint, client_id: str) -> str:
    """Return the address of the socket for a connection that is open, and encrypted, already."""
    split = urlsplit(where.url)
    port = split.port or (443 if split.scheme == "https" else 80)
    host = f"[{split.hostname}]" if ":" in (split.hostname or "") else split.hostname
    place = f"ws://{host}:{port}{split.path}/ws"
    return with_query(place, where.query, f"clientId={quote(client_id, safe='')}")
