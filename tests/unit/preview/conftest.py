"""Preview servers for the tests of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from preview_client import Client, png

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Starts preview servers, each with the panel uploaded; stops them after the test."""
    clients: list[Client] = []

    def start_one(**options: Any) -> Client:
        home = options.pop("home", tmp_path / f"home{len(clients)}")
        client = Client(PreviewServer(Options(home=home, port=0, **options)).__enter__())
        clients.append(client)
        client.upload("panel.png", png(), overwrite="true")
        return client

    yield start_one
    for client in clients:
        client.close()
        client.server.__exit__(None, None, None)


@pytest.fixture
def comfy(start: Callable[..., Client]) -> Client:
    """A preview server that is as fast as it can be."""
    return start()


@pytest.fixture
def slow_comfy(start: Callable[..., Client]) -> Client:
    """A preview server that takes one second per plan."""
    return start(seconds_per_plan=1)
