"""The watch drops what a server says when nobody takes it: the socket is a hint."""

from queue import SimpleQueue
from typing import Any

import pytest

from generation.comfyui.address import Endpoint
from generation.comfyui.protocol import PromptStarted
from generation.driver import socket_listener
from generation.driver.transfers import Message
from tests.driver.flying import is_soon


class Flood:
    """A socket that is never silent."""

    n_received = 0

    def __init__(self, *_: Any) -> None:
        pass

    def connect(self, timeout: float) -> None:
        pass

    def receive(self, _: float) -> PromptStarted:
        Flood.n_received += 1
        return PromptStarted("p")

    def close(self) -> None:
        pass


class Broken(Flood):
    """A socket that fails as nobody foresaw."""

    def receive(self, _: float) -> PromptStarted:
        Flood.n_received += 1
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_listener, "FLOODED_S", 0.001)
    monkeypatch.setattr(socket_listener, "RECONNECT_MOST_S", 0.01)
    monkeypatch.setattr(Flood, "n_received", 0)


def test_a_flood_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_listener, "Socket", Flood)
    inbox: SimpleQueue[Message] = SimpleQueue()
    watching = socket_listener.SocketListener(Endpoint("http://127.0.0.1:9"), inbox)

    assert is_soon(lambda: Flood.n_received > 2 * socket_listener.WAITING_MOST)

    watching.close()
    assert inbox.qsize() <= socket_listener.WAITING_MOST + 1


def test_what_nobody_foresaw_leaves_the_watch_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_listener, "Socket", Broken)
    watching = socket_listener.SocketListener(Endpoint("http://127.0.0.1:9"), SimpleQueue())

    assert is_soon(lambda: Flood.n_received > 2)

    watching.close()
