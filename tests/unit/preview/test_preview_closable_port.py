"""The port of a preview server: nothing that knocks while it is left is left behind."""

import gc
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer

N_CALLERS = 3


def knock(port: int, over: threading.Event) -> None:
    """Connect again and again until it is over."""
    while not over.wait(0):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()


def stop_amid_callers(home: Path) -> None:
    over = threading.Event()
    with PreviewServer(Options(home=home, port=0)) as server:
        port = urlsplit(server.url).port
        callers = [threading.Thread(target=knock, args=(port, over)) for _ in range(N_CALLERS)]
        [caller.start() for caller in callers]
        over.wait(0.1)
    over.set()
    [caller.join() for caller in callers]


def test_a_server_that_stops_amid_callers_leaves_no_connection_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)

    [stop_amid_callers(tmp_path / str(turn)) for turn in range(6)]
    gc.collect()

    assert left == []
