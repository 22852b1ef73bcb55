"""A preview server in this process, the real database, and a driver that leaves when told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation.driver import loop, reachability, running_rules
from generation.models import Server
from tests import factories


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of a driver, a tenth as long."""
    monkeypatch.setattr(running_rules, "LOOK_RUNNING_S", 0.2)
    monkeypatch.setattr(running_rules, "LOOK_BLIND_S", 0.1)
    monkeypatch.setattr(running_rules, "LOOK_STOPPING_S", 0.1)
    monkeypatch.setattr(running_rules, "ABSENT_AGAIN_S", 0.3)
    monkeypatch.setattr(loop, "OBEY_EVERY_S", 0.05)
    monkeypatch.setattr(reachability, "PAUSES_S", (0.05, 0.1, 0.2))
    # The test shares its connection with the driver, which must not close it.
    monkeypatch.setattr(loop, "close_old_connections", lambda: None)


@pytest.fixture
def start_comfy(tmp_path: Path) -> Iterator[Callable[..., PreviewServer]]:
    """Starts preview servers; stops them after the test."""
    started: list[PreviewServer] = []

    def start(**options: Any) -> PreviewServer:
        home = tmp_path / f"comfy{len(started)}"
        wanted = Options(home=home, port=0, faults=True, **options)
        started.append(PreviewServer(wanted).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__(None, None, None)


@pytest.fixture
def comfy(start_comfy: Callable[..., PreviewServer]) -> PreviewServer:
    """A preview server that is as fast as it can be."""
    return start_comfy()


@pytest.fixture
def slow_comfy(start_comfy: Callable[..., PreviewServer]) -> PreviewServer:
    """A preview server that takes a minute per plan."""
    return start_comfy(seconds_per_plan=60)


@pytest.fixture
def server(db: None, comfy: PreviewServer) -> Server:
    """The row of the fast server."""
    return factories.server(url=comfy.url)


@pytest.fixture
def slow_server(db: None, slow_comfy: PreviewServer) -> Server:
    """The row of the slow server."""
    return factories.server(url=slow_comfy.url)


@pytest.fixture
def pair(start_comfy: Callable[..., PreviewServer], db: None) -> list[tuple[Server, PreviewServer]]:
    """Two servers: their rows, and what answers there."""
    comfies = [start_comfy(), start_comfy()]
    return [
        (factories.server(f"gpu-{number}", url=comfy.url), comfy)
        for number, comfy in enumerate(comfies, 1)
    ]
