"""Through nginx and beside it: forged heads, hosts, paths and requests inside of requests."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.hostile import raw_requests
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground
from tests import nginx
from tests.processes import Site

EVIL = "evil.example"
#: What a stranger may try to be believed.
FORGED = (
    f"X-Forwarded-Host: {EVIL}",
    "X-Forwarded-Proto: gopher",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-For: 127.0.0.1",
    "X-Script-Name: /evil",
    f"X-Original-URL: http://{EVIL}/",
    "X-Rewrite-URL: /api/batches",
    f"Forwarded: for=127.0.0.1;host={EVIL};proto=https",
    f"X-Host: {EVIL}",
    "X-HTTP-Method-Override: DELETE",
)
HOSTS = (
    EVIL,
    f"localhost.{EVIL}",
    f"localhost@{EVIL}",
    f"localhost:80@{EVIL}",
    "localhost:port",
    "localhost%00",
    "[::1",
    "localhost, evil.example",
    "",
)
#: None leads below another path than its own, out of /madsea/, or to something of another kind.
PATHS = (
    "/madsea/../api/batches",
    "/madsea/..%2fapi/batches",
    "/madsea/%2e%2e/%2e%2e/etc/passwd",
    "/madsea/static/../../../../etc/passwd",
    "/madsea/static/..%2f..%2f..%2fetc%2fpasswd",
    "/madsea/static/..%5c..%5cetc%5cpasswd",
    "/madsea/files/1:a:b/..%2f..%2fetc%2fpasswd",
    "/madsea//evil.example/%2e%2e",
    "/madsea//evil.example/admin",
    "/madsea/%00",
    "/madsea/api/batches%00.css",
    "/madseaX/api/batches",
    "/madsea/madsea/api/batches",
    "/MADSEA/api/batches",
    "/madsea/api/batches;.css",
    "/madsea/admin/%0d%0aSet-Cookie:%20a=b",
)
INNER = b"GET /madsea/api/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: Requests that say two things of their length, so that two readers may see two ends.
SMUGGLED = {
    "a length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: %d\r\n", b""),
    "chunks by another name": (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunks, hidden by a tab": (b"Transfer-Encoding:\tchunked, identity\r\n", b"0\r\n\r\n"),
    "chunks, with a blank before the colon": (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "a length with a sign": (b"Content-Length: +0\r\n", b""),
    "a length in hexadecimal": (b"Content-Length: 0x0\r\n", b""),
    "a folded line": (b"X: a\r\n Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a bare line feed": (b"X: a\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a chunk that is longer than it says": (
        b"Transfer-Encoding: chunked\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
    ),
    "a length for a GET": (b"Content-Length: 0\r\n", b""),
}


@dataclass(frozen=True)
class Way:
    """A way to Madsea: through nginx, or straight to a web process."""

    name: str
    port: int
    certificate: Path | None = None

    def say(self, request: bytes) -> bytes:
        """Send bytes and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as plain:
            client = self._wrapped(plain)
            received = bytearray()
            with suppress(OSError):
                client.sendall(request)
                client.settimeout(3)
                while part := client.recv(raw_requests.CHUNK):
                    received += part
            return bytes(received)

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        if self.certificate is None:
            return plain
        context = ssl.create_default_context(cafile=str(self.certificate))
        return context.wrap_socket(plain, server_hostname=nginx.HOST)


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield what must be true of Madsea behind nginx; nothing where there is no nginx."""
    if nginx.PROGRAM is None:
        yield Fact("nginx", "not installed: nothing was tried", holds=True)
        return
    ports = nginx.free_ports(3)
    site = ground.site(**nginx.ENVIRONMENT)
    nginx.web(site, ports[1])
    nginx.web(site, ports[2])
    # Its own stands alone: no address of this machine is a proxy to it.
    alone = ground.site(**nginx.ENVIRONMENT | {"MADSEA_TRUSTED_PROXIES": "10.255.0.1"})
    (alone_port,) = nginx.free_ports(1)
    nginx.web(alone, alone_port)
    folder = ground.folder / "nginx"
    folder.mkdir()
    with nginx.started(folder / "run", nginx.example(folder, ports[0], ports[1:]), ports[0]):
        through = Way("through nginx", ports[0], folder / "ca.pem")
        beside = Way("beside nginx", alone_port)
        for way in (through, beside):
            yield from _forged(way)
            yield from _hosts(way)
            yield from _paths(way)
        yield from _smuggled(through, [site])
        yield from _smuggled(beside, [alone])
    for each in (site, alone):
        yield _log(each)
        each.close()


def _asked(path: str, *lines: str, host: str = nginx.HOST) -> bytes:
    head = [f"GET {path} HTTP/1.1", f"Host: {host}", *lines, "Connection: close", "", ""]
    return "\r\n".join(head).encode()


def _status(answer: bytes) -> int:
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0


def _forged(way: Way) -> Iterator[Fact]:
    for path in ("/madsea/", "/madsea/admin/", "/madsea/api/batches"):
        plain = _head_of(way.say(_asked(path)))
        forged = _head_of(way.say(_asked(path, *FORGED)))
        title = f"{way.name}: {len(FORGED)} forged headers change nothing of {path}"
        yield Fact(title, forged[0], plain == forged and EVIL not in str(forged))


def _head_of(answer: bytes) -> list[str]:
    """Return the head of an answer, without what differs from one to the next."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return [line for line in lines if not line.lower().startswith(("date:", "set-cookie:"))]


def _hosts(way: Way) -> Iterator[Fact]:
    answers = {host: way.say(_asked("/madsea/admin/", host=host)) for host in HOSTS}
    seen = {host: _status(answer) for host, answer in answers.items()}
    told = [host for host, answer in answers.items() if _leads_away(answer)]
    holds = set(seen.values()) <= {0, 400, 421} and not told
    yield Fact(f"{way.name}: a host that is not ours is refused", str(seen), holds)
    absolute = way.say(_asked(f"http://{EVIL}/madsea/admin/"))
    title = f"{way.name}: an address with another host leads nowhere else"
    yield Fact(title, f"{_status(absolute)}", not _leads_away(absolute))


def _leads_away(answer: bytes) -> bool:
    locations = [line for line in _head_of(answer) if line.lower().startswith("location:")]
    return any(EVIL in line or "//" in line.partition(":")[2].strip()[:2] for line in locations)


def _paths(way: Way) -> Iterator[Fact]:
    answers = {path: way.say(_asked(path)) for path in PATHS}
    statuses = {path: _status(answer) for path, answer in answers.items()}
    expected = {301, 302, 308, 400, 401, 404}
    wrong = [path for path, status in statuses.items() if status not in expected]
    wrong += [path for path, answer in answers.items() if _leads_away(answer) or _is_out(answer)]
    title = f"{way.name}: {len(PATHS)} odd paths lead to nothing else"
    yield Fact(title, str(wrong) if wrong else str(set(statuses.values())), not wrong)


def _is_out(answer: bytes) -> bool:
    return b"root:" in answer or any(
        line.lower().startswith("set-cookie: a=") for line in _head_of(answer)
    )


def _smuggled(way: Way, sites: list[Site]) -> Iterator[Fact]:
    for title, (lines, end) in SMUGGLED.items():
        lengths = lines % len(INNER) if b"%d" in lines else lines
        request = b"POST /madsea/api/nowhere HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % lengths
        answer = way.say(request + end + INNER)
        seen = [_status(b"HTTP/1." + part) for part in answer.split(b"HTTP/1.")[1:]]
        # Two answers where the second request is one by all rules; never 200, never a failure.
        holds = 1 <= len(seen) <= 2 and set(seen) <= {400, 401, 403, 404, 501} and _alive(way)
        yield Fact(f"{way.name}: {title}", str(seen), holds)


def _alive(way: Way) -> bool:
    return _status(way.say(_asked("/madsea/api/batches"))) == 401


def _log(site: Site) -> Fact:
    logs = [Path(each.log).read_text(errors="replace") for each in site.started]
    n_failures = sum(text.count("Traceback") for text in logs)
    return Fact("No request has left a traceback in the log", str(n_failures), not n_failures)
