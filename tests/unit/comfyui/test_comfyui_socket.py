"""The socket against a real handshake and real frames."""

import base64
import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from scripted_comfyui import Answer, Handler, ScriptedServer, hangs, resets, sends

from generation.comfyui.errors import Denied, Unreachable
from generation.comfyui.protocol import PromptStarted, QueueStatus
from generation.comfyui.socket import Socket
from tests.processes import wait_for

STATUS = b'{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 2}}}}'
START = b'{"type": "execution_start", "data": {"prompt_id": "p", "pad": "%s"}}'
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def framed(opcode: int, content: bytes) -> bytes:
    size = len(content)
    short = struct.pack("!BB", 0x80 | opcode, size) if size < 126 else b""
    return (short or struct.pack("!BBQ", 0x80 | opcode, 127, size)) + content


def shakes(handler: Handler) -> None:
    key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    handler.wfile.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )


def opens(*frames: bytes) -> Answer:
    """Accept the handshake, send the frames, then keep the connection open."""

    def answer(handler: Handler) -> None:
        shakes(handler)
        handler.wfile.write(b"".join(frames))
        handler.script.released.wait(60)
        handler.close_connection = True

    return answer


@pytest.fixture
def connect(server: ScriptedServer) -> Iterator[Callable[[Answer], Socket]]:
    made = Socket(server.url, "c/1", {"Authorization": "Bearer abc"})

    def connected(answer: Answer) -> Socket:
        server.on("/ws", answer)
        made.connect(60)
        return made

    yield connected
    made.close()


def test_events_come_in_order(connect: Callable[[Answer], Socket]) -> None:
    opened = connect(opens(framed(TEXT, STATUS), framed(TEXT, START % b"")))
    assert [opened.receive(60), opened.receive(60)] == [QueueStatus(2), PromptStarted("p")]


def test_the_handshake_carries_our_headers_and_no_origin(
    server: ScriptedServer, connect: Callable[[Answer], Socket]
) -> None:
    connect(opens())
    assert server.asked[0].path == "/ws?clientId=c%2F1"
    assert server.asked[0].headers["Authorization"] == "Bearer abc"
    assert "Origin" not in server.asked[0].headers


def test_silence_is_none(connect: Callable[[Answer], Socket]) -> None:
    assert connect(opens()).receive(0.05) is None


def test_a_wait_of_no_time_is_none(connect: Callable[[Answer], Socket]) -> None:
    assert connect(opens()).receive(0) is None


def test_previews_pings_and_garbage_are_none(connect: Callable[[Answer], Socket]) -> None:
    idle = [framed(BINARY, b"\0\0\0\1"), framed(PING, b"?"), framed(TEXT, b"\xff")]
    opened = connect(opens(*idle, framed(TEXT, STATUS)))
    # A ping is answered below: it is no message.
    assert [opened.receive(60) for _ in range(3)] == [None, None, QueueStatus(2)]


def test_a_frame_of_megabytes_is_passed_over(connect: Callable[[Answer], Socket]) -> None:
    opened = connect(opens(framed(TEXT, START % (b"x" * 6_000_000)), framed(TEXT, STATUS)))
    assert [opened.receive(60), opened.receive(60)] == [None, QueueStatus(2)]


def test_a_frame_that_comes_in_two_pieces_is_joined(
    connect: Callable[[Answer], Socket],
) -> None:
    whole = framed(TEXT, STATUS)
    rest = threading.Event()

    def answer(handler: Handler) -> None:
        shakes(handler)
        handler.wfile.write(whole[:10])
        rest.wait(60)
        handler.wfile.write(whole[10:])
        hangs(handler)

    opened = connect(answer)
    assert opened.receive(0.05) is None
    rest.set()
    assert opened.receive(60) == QueueStatus(2)


def test_a_farewell_makes_it_unreachable(connect: Callable[[Answer], Socket]) -> None:
    opened = connect(opens(framed(CLOSE, b"\x03\xe8")))
    with pytest.raises(Unreachable):
        wait_for(lambda: opened.receive(0.1))


def test_a_cut_connection_is_unreachable_and_stays_so(
    connect: Callable[[Answer], Socket], server: ScriptedServer
) -> None:
    server.released.set()
    opened = connect(opens())
    with pytest.raises(Unreachable):
        opened.receive(60)
    with pytest.raises(Unreachable):
        opened.receive(60)


@pytest.mark.parametrize("answer", [sends(b"", 502), sends(b"", 404), resets])
def test_a_handshake_that_fails_is_unreachable(
    connect: Callable[[Answer], Socket], answer: Answer
) -> None:
    with pytest.raises(Unreachable):
        connect(answer)


def test_a_handshake_that_hangs_is_unreachable(server: ScriptedServer) -> None:
    server.on("/ws", hangs)
    with pytest.raises(Unreachable):
        Socket(server.url, "c1").connect(0.2)


def test_a_redirected_handshake_is_not_followed(
    connect: Callable[[Answer], Socket], server: ScriptedServer
) -> None:
    with pytest.raises(Unreachable):
        connect(sends(b"", 302, Location=f"{server.url}/ws"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_handshake_may_be_denied(connect: Callable[[Answer], Socket], status: int) -> None:
    with pytest.raises(Denied):
        connect(sends(b"", status))


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        lonely = Socket(f"http://127.0.0.1:{bound.getsockname()[1]}", "c1")
        with pytest.raises(Unreachable):
            lonely.connect(1)


def test_a_socket_that_was_never_opened_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        Socket("http://127.0.0.1:1", "c1").receive(0.1)
