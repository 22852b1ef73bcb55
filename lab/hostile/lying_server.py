"""What a hostile ComfyUI answers: a server that passes on to a real one, but for one route."""

import base64
import hashlib
import io
import json
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from PIL import Image

MIB = 2**20
#: So long one answer goes on, when nobody ends it.
LONG_S = 60.0
ESCAPES = "\x1b]0;own\x07\x1b[2J\x1b[31m\u202egnp.exe\x9b"


@dataclass
class Liar:
    """Passes requests on to `behind`; what comes for `route` (`METHOD /path`) it answers itself."""

    behind: str
    route: str
    act: "Act"
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    liar: Liar
    body: bytes

    def do_GET(self) -> None:
        """Answer it, by a lie or the truth."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with suppress(OSError):
            if f"{self.command} {self.path}".startswith(self.liar.route):
                self.liar.act(self)
            elif self.path.startswith("/ws"):
                self.say(b"", 404)
            else:
                truth = self.truth()
                self.say(truth.content, truth.status_code, truth.headers.get("Content-Type", ""))

    def do_POST(self) -> None:
        """Answer it alike."""
        self.do_GET()

    def truth(self) -> requests.Response:
        """Return what the server behind answers."""
        sent = {"Content-Type": self.headers.get("Content-Type", "")}
        url = self.liar.behind + self.path
        return requests.request(self.command, url, data=self.body, headers=sent, timeout=30)

    def say(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        """Answer whole."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def going_on(self) -> Iterator[None]:
        """Go on until nobody listens, or for long."""
        ends_at = time.monotonic() + LONG_S
        while not self.liar.over.is_set() and time.monotonic() < ends_at:
            yield

    def log_message(self, *_: object) -> None:
        """Stay silent."""


Act = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Stay silent: whoever listens goes away."""


@contextmanager
def lying(behind: str, route: str, act: Act) -> Iterator[Liar]:
    """Give a hostile server before a real one."""
    liar = Liar(behind, route, act)
    server = _Server(("127.0.0.1", 0), type("LyingHandler", (Handler,), {"liar": liar}))
    liar.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield liar
    finally:
        liar.over.set()
        server.shutdown()
        server.server_close()


# Answers ------------------------------------------------------------------------------------------


def says(text: str, status: int = 200) -> Act:
    """Answer a text."""
    return lambda handler: handler.say(text.encode("utf-8", "surrogatepass"), status)


def ended(**changes: Any) -> Act:
    """Tell the true history, changed; `raw` are numbers as they are to be written."""

    def act(handler: Handler) -> None:
        told = handler.truth().json()
        for entry in told.values():
            entry.update(changes)
        handler.say(json.dumps(told).encode())

    return act


def timed(number: str) -> Act:
    """Tell the true history, each of its times this number."""

    def act(handler: Handler) -> None:
        told = handler.truth().json()
        for entry in told.values():
            for _, said in entry.get("status", {}).get("messages", []):
                said["timestamp"] = "@@"
        handler.say(json.dumps(told).replace('"@@"', number).encode())

    return act


def failing(**said: Any) -> Act:
    """Tell that a node has failed, in these words."""
    message = {"node_id": "3", "node_type": "KSampler", "exception_type": "RuntimeError", **said}
    status = {"status_str": "error", "completed": False, "messages": [["execution_error", message]]}
    return ended(status=status)


def endless(handler: Handler) -> None:
    """Answer one piece after the other."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in handler.going_on():
        handler.wfile.write(b"100000\r\n" + b" " * MIB + b"\r\n")


def dripping(handler: Handler) -> None:
    """Answer one byte a second."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in handler.going_on():
        handler.wfile.write(b" ")
        handler.liar.over.wait(1)


def heads(handler: Handler) -> None:
    """Send a head without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in handler.going_on():
        handler.wfile.write(b"X-More: " + b"x" * 60_000 + b"\r\n")


def drips_head(handler: Handler) -> None:
    """Send a head byte by byte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: ")
    for _ in handler.going_on():
        handler.wfile.write(b"x")
        handler.liar.over.wait(1)


@cache
def _folded() -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packed.compress(b" " * MIB) for _ in range(256)) + packed.flush()


@cache
def _pixels() -> bytes:
    held = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(held, "PNG")
    return held.getvalue()


def unfolds(handler: Handler) -> None:
    """Answer a little that unfolds to 256 MiB."""
    body = _folded()
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def leads_away(handler: Handler) -> None:
    """Redirect to the very same place."""
    handler.send_response(307)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def lies_about_length(handler: Handler) -> None:
    """Announce more than comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "99999999999")
    handler.end_headers()
    handler.wfile.write(b'{"a": 1}')
    handler.close_connection = True


def bomb(handler: Handler) -> None:
    """Give a picture of 20,000 × 20,000 in a few KB."""
    handler.say(_pixels(), kind="image/png")


def oversized_body(handler: Handler) -> None:
    """Give 60 MiB that begin like a picture."""
    handler.say(b"\x89PNG\r\n\x1a\n" + b"x" * (60 * MIB), kind="image/png")


# The socket ---------------------------------------------------------------------------------------


def shakes(handler: Handler) -> None:
    """Accept a socket."""
    key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    handler.wfile.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )


def frame(first: int, content: bytes, size: int | None = None) -> bytes:
    """Return a frame; `size` is the length that it claims."""
    return struct.pack("!BBQ", first, 127, len(content) if size is None else size) + content


def floods(start: bytes, piece: bytes) -> Act:
    """Open the socket, and send the piece over and over."""

    def act(handler: Handler) -> None:
        shakes(handler)
        handler.wfile.write(start)
        for _ in handler.going_on():
            handler.wfile.write(piece)

    return act


STATUS = b'{"type":"progress","data":{"prompt_id":"p","node":"3","value":1,"max":2}}'
NODES = json.dumps(
    {"type": "execution_cached", "data": {"prompt_id": "p", "nodes": ["1"] * 150_000}}
).encode()
ANY_TYPE = {"prompt": None, "outputs": [1, "a"], "status": {"messages": [[1, 2], None, ["a", []]]}}


_VALUES = "[" + "{}," * 700_000 + "{}]"


def _wide() -> str:
    """Return JSON whose text takes four bytes a letter in memory."""
    return json.dumps({"a": "é" * (7 * MIB) + "😀"}, ensure_ascii=False)


def _node_errors(n: int) -> str:
    errors = [{"type": "odd", "message": f"{ESCAPES}{'m' * 100}", "details": "d", "extra_info": {}}]
    nodes = {str(i): {"class_type": "KSampler", "errors": errors} for i in range(n)}
    return json.dumps({"error": {"type": "prompt_outputs_failed"}, "node_errors": nodes})


#: Where a lie is told, how, and how the plan may end, by what it is called.
Lies = dict[str, tuple[str, Act, str]]


def acts() -> Lies:
    """Return every lie."""
    return _history_lies() | _prompt_lies() | _file_lies() | _socket_lies()


def _history_lies() -> Lies:
    history = "GET /history"
    words = "x" * (20 * MIB)
    return {
        "History: times of 400 digits": (history, timed("9" * 400), "done"),
        "History: times of NaN": (history, timed("NaN"), "done"),
        "History: times of 1e400": (history, timed("1e400"), "done"),
        "History: times below nothing": (history, timed("-1e300"), "done"),
        "History: times of lists": (history, timed("[[]]"), "done"),
        "History: an error of 20 MiB": (history, failing(exception_message=words), "node_error"),
        "History: commands to a terminal": (
            history,
            failing(exception_message=ESCAPES, node_type=ESCAPES, exception_type=ESCAPES),
            "node_error",
        ),
        "History: everything of another type": (history, ended(**ANY_TYPE), "no_output node_error"),
        "History: nested 90,000 deep": (history, says("[" * 90_000), "done"),
        "History: 700,000 values": (
            history,
            says('{"a":' + _VALUES + "}"),
            "done lost_often waits",
        ),
        "History: no UTF-8": (history, says('{"\ud800": "\udfff"}'), "done lost_often waits"),
        "History: without end": (history, endless, "done"),
        "History: 256 MiB in a few KB": (history, unfolds, "done"),
    }


def _prompt_lies() -> Lies:
    prompt, queue = "POST /prompt", "GET /queue"
    return {
        "Prompt: an answer without end": (prompt, endless, "prompt_not_taken"),
        "Prompt: a byte a second": (prompt, dripping, "waits"),
        "Prompt: a head without end": (prompt, heads, "waits prompt_not_taken"),
        "Prompt: a head byte by byte": (prompt, drips_head, "waits"),
        "Prompt: 20,000 nodes refused": (prompt, says(_node_errors(15_000), 400), "graph_refused"),
        "Prompt: a redirect": (prompt, leads_away, "waits prompt_not_taken"),
        "Prompt: a length that is none": (prompt, lies_about_length, "waits"),
        "Queue: text of four bytes a letter": (queue, says(_wide()), "waits"),
        "Queue: without end": (queue, endless, "waits"),
    }


def _file_lies() -> Lies:
    view, lists, upload = "GET /view", "GET /object_info", "POST /upload"
    return {
        "View: without end": (view, endless, "output_too_large"),
        "View: 60 MiB of nothing": (view, oversized_body, "output_too_large unreadable_output"),
        "View: a picture that unfolds": (view, bomb, "output_too_large"),
        "View: a byte a second": (view, dripping, "waits"),
        "Definitions: 700,000 values": (lists, says('{"A":' + _VALUES + "}"), "done waits"),
        "Definitions: text of four bytes": (lists, says(_wide()), "done"),
        "Definitions: without end": (lists, endless, "done"),
        "Upload: an answer without end": (upload, endless, "upload_refused"),
        "Upload: a name of megabytes": (
            upload,
            says(json.dumps({"name": ESCAPES + "n" * 3 * MIB})),
            "graph_refused upload_refused",
        ),
    }


def _socket_lies() -> Lies:
    ws = "GET /ws"
    return {
        "Socket: a frame without end": (ws, floods(frame(0x81, b"{", 2**62), b" " * MIB), "done"),
        "Socket: pieces without a last": (
            ws,
            floods(frame(0x01, b"{"), frame(0x00, b" " * MIB)),
            "done",
        ),
        "Socket: a flood of small frames": (ws, floods(b"", frame(0x81, STATUS) * 1000), "done"),
        "Socket: a flood of long lists": (ws, floods(b"", frame(0x81, NODES)), "done"),
        "Socket: a flood of previews": (ws, floods(b"", frame(0x82, b"\0" * (7 * MIB))), "done"),
        "Socket: a flood of pings": (ws, floods(b"", frame(0x89, b"p" * 100) * 1000), "done"),
    }
