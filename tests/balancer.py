"""What studios put before ComfyUIs: a forwarded port, and balancers that take them in turn."""

import http.client
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Gate:
    """Listens at a free port of its own, and hands on to `targets` in turn; they can be changed."""

    def __init__(self, handler: type[BaseRequestHandler], targets: Sequence[str]) -> None:
        self.lead_to(targets)
        serves_http = issubclass(handler, BaseHTTPRequestHandler)
        kind = ThreadingHTTPServer if serves_http else ThreadingTCPServer
        bound = type("Bound", (handler,), {"gate": self})
        self._server = kind(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def lead_to(self, targets: Sequence[str]) -> None:
        """Hand on to these from now on."""
        self._targets: Iterator[str] = cycle(targets)

    def next_place(self) -> tuple[str, int]:
        """Return the host and port whose turn it is."""
        with self._lock:
            split = urlsplit(next(self._targets))
        return (split.hostname or "", split.port or 80)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Forward(BaseRequestHandler):
    """Joins each connection to the next target's."""

    gate: Gate

    def handle(self) -> None:
        with socket.create_connection(self.gate.next_place()) as far:
            join(self.request, far)


class Balance(BaseHTTPRequestHandler):
    """Hands each request on to the next target, whatever connection it came by."""

    gate: Gate
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade"):
            self._tunnel()
        else:
            self._hand_on()

    def do_POST(self) -> None:
        self._hand_on()

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        far = http.client.HTTPConnection(*self.gate.next_place(), timeout=30)
        # Who asked may have gone meanwhile.
        with closing(far):
            far.request(self.command, self.path, body, dict(self.headers))
            answer = far.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _tunnel(self) -> None:
        head = f"{self.requestline}\n{self.headers}".replace("\n", "\r\n").encode()
        with socket.create_connection(self.gate.next_place()) as far:
            far.sendall(head)
            join(self.connection, far)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def join(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    back = threading.Thread(target=_carry, args=[far, near], daemon=True)
    back.start()
    _carry(near, far)
    back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def forward(*targets: str) -> Gate:
    """Return a forwarded port; with several targets, a balancer of connections."""
    return Gate(Forward, targets)


def balance(*targets: str) -> Gate:
    """Return a balancer of requests."""
    return Gate(Balance, targets)
