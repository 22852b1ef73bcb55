"""Connections on which nothing gets on are closed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from generation.runtime import stalled_clients
from generation.runtime.stalled_clients import ImpatientProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Stream]]
MIB = 2**20


async def application(scope: Any, receive: Any, send: Any) -> None:
    content = b"x" * (64 * MIB if scope["path"] == "/large" else 2)
    if scope["path"] == "/read":
        content = str(await n_received(receive)).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def n_received(receive: Any) -> int:
    n_bytes, has_more = 0, True
    while has_more:
        message = await receive()
        n_bytes += len(message["body"])
        has_more = message["more_body"]
    return n_bytes


@asynccontextmanager
async def server() -> AsyncIterator[Connect]:
    config = uvicorn.Config(application, log_config=None, ws="none", lifespan="off")
    state, loop = ServerState(), asyncio.get_running_loop()
    made = lambda: ImpatientProtocol(config, state, {})  # noqa: E731 - a factory
    listening = await loop.create_server(made, "127.0.0.1", 0)
    yield lambda: connected(listening.sockets[0].getsockname())
    listening.close()


async def connected(address: Any) -> Stream:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    client.connect(address)
    return await asyncio.open_connection(sock=client)


def run(play: Callable[[Connect], Coroutine[Any, Any, Any]]) -> Any:
    async def played() -> Any:
        async with server() as connect, asyncio.timeout(120):
            return await play(connect)

    return asyncio.run(played())


async def rest(stream: Stream) -> bytes:
    try:
        return await stream[0].read()
    except ConnectionResetError:
        return b""
    finally:
        stream[1].close()


@pytest.mark.parametrize("said", [b"", HEAD, b"G"])
def test_a_head_that_does_not_come_ends_the_connection(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled_clients, "HEAD_S", 0.1)

    async def play(connect: Connect) -> bytes:
        stream = await connect()
        stream[1].write(said)
        return await rest(stream)

    assert run(play) == b""


def test_a_head_that_drips_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled_clients, "HEAD_S", 0.2)

    async def play(connect: Connect) -> bytes:
        reader, writer = await connect()
        ended = asyncio.create_task(rest((reader, writer)))
        while not ended.done():
            writer.write(b"X")
            await asyncio.sleep(0.02)
        return ended.result()

    assert run(play) == b""


def test_a_second_head_on_the_same_connection_has_its_time_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stalled_clients, "HEAD_S", 1.0)

    async def play(connect: Connect) -> bytes:
        reader, writer = await connect()
        writer.write(HEAD + b"\r\n")
        first = await reader.readuntil(b"\r\n\r\nxx")
        writer.write(HEAD)
        return first[:15] + await rest((reader, writer))

    assert run(play) == b"HTTP/1.1 200 OK"


def test_of_too_many_that_wait_the_oldest_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled_clients, "UNFINISHED_MAX", 3)

    async def play(connect: Connect) -> tuple[bytes, bytes]:
        streams = [await connect() for _ in range(3)]
        asking = await connect()
        asking[1].write(HEAD + b"Connection: close\r\n\r\n")
        answer = await rest(asking)
        closed = await rest(streams[0])
        for _, writer in streams:
            writer.close()
        return answer[:15], closed

    assert run(play) == (b"HTTP/1.1 200 OK", b"")


def test_a_body_in_crumbs_ends_the_connection() -> None:
    async def play(connect: Connect) -> bytes:
        reader, writer = await connect()
        writer.write(HEAD.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1\r\nx\r\n" * 2 * stalled_clients.PIECES_MAX)
        return await rest((reader, writer))

    assert run(play) == b""


def test_a_body_in_ordinary_chunks_is_read() -> None:
    async def play(connect: Connect) -> bytes:
        reader, writer = await connect()
        closes = b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(HEAD.replace(b"GET / ", b"POST /read ") + closes)
        chunk = b"%x\r\n%b\r\n" % (MIB // 64, b"x" * (MIB // 64))
        writer.write(chunk * 64 + b"0\r\n\r\n")
        return (await rest((reader, writer)))[-len(b"1048576") :]

    assert run(play) == b"1048576"


def test_a_client_that_does_not_read_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled_clients, "WRITE_S", 0.2)

    async def play(connect: Connect) -> int:
        reader, writer = await connect()
        writer.write(HEAD.replace(b"/ ", b"/large ") + b"\r\n")
        # As much as the system holds for it is on its way to it all the same.
        await asyncio.sleep(3)
        return len(await rest((reader, writer)))

    assert run(play) < 64 * MIB


def test_a_client_that_reads_slowly_gets_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # All of it takes longer than a piece may.
    monkeypatch.setattr(stalled_clients, "WRITE_S", 1.0)

    async def play(connect: Connect) -> int:
        reader, writer = await connect()
        writer.write(HEAD.replace(b"/ ", b"/large ") + b"Connection: close\r\n\r\n")
        n_bytes = 0
        while part := await reader.read(2 * MIB):
            n_bytes += len(part)
            await asyncio.sleep(0.002)
        writer.close()
        return n_bytes

    assert run(play) > 64 * MIB
