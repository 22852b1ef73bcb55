"""A small real server whose every answer a test writes down, and the recordings."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data" / "comfyui"

Answer = Callable[["Handler"], None]


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass
class ScriptedServer:
    """Answers each path as told; `asked` keeps what came in."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def on(self, path: str, answer: Answer) -> None:
        self.answers[path] = answer


class Handler(BaseHTTPRequestHandler):
    """Reads the whole request, writes it down, and does what the script says."""

    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        port = self.client_address[1]
        self.script.asked.append(Asked(self.command, self.path, dict(self.headers), body, port))
        self.script.answers[self.path.split("?")[0]](self)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        """Stay silent."""

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def says(body: Any, status: int = 200) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda handler: handler.reply(
        status, text.encode(), Content_Type="application/json; charset=utf-8"
    )


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda handler: handler.reply(status, body, **headers)


def hangs(handler: Handler) -> None:
    handler.script.released.wait(60)
    handler.close_connection = True


def resets(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def drips(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.script.released.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def cuts(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


class QuietServer(ThreadingHTTPServer):
    """Keeps to itself that a client went away, which is what some tests are about."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent."""


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the events of a recording."""
    events: list[dict[str, Any]] = json.loads((DATA / "recordings" / name).read_text())["events"]
    return events


def recorded_frames(name: str) -> list[str]:
    return [json.dumps(event["message"]) for event in recorded(name) if event.get("ws") == "text"]


def recorded_answers(name: str, path: str, status: int = 200) -> list[Any]:
    return [
        event["response"]
        for event in recorded(name)
        if event.get("path", "").startswith(path) and event["status"] == status
    ]


def recorded_history(name: str) -> dict[str, Any]:
    """Return the one entry of the last history answer of a recording."""
    answer: dict[str, Any] = recorded_answers(name, "/history/")[-1]
    entry: dict[str, Any] = next(iter(answer.values()))
    return entry


def workflow(name: str) -> bytes:
    return (ROOT / "workflows" / f"{name}.json").read_bytes()
