"""A scripted server and a client that is in a hurry."""

import threading
from collections.abc import Iterator

import pytest
from scripted_comfyui import Handler, QuietServer, ScriptedServer

from generation.comfyui.client import Client
from generation.comfyui.http_transport import Timeouts
from generation.workflows.definitions import Definitions, shipped_definitions


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    script = ScriptedServer()
    handler = type("ScriptedHandler", (Handler,), {"script": script})
    listening = QuietServer(("127.0.0.1", 0), handler)
    script.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    script.released.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Client]:
    timeouts = Timeouts(connect_s=60, read_s=60, whole_s=60)
    made = Client(server.url, headers={"Authorization": "Bearer abc"}, timeouts=timeouts)
    yield made
    made.close()


@pytest.fixture
def hurried_client(server: ScriptedServer) -> Iterator[Client]:
    """A client for which whatever takes long takes too long."""
    made = Client(server.url, timeouts=Timeouts(connect_s=60, read_s=0.3, whole_s=0.5))
    yield made
    made.close()


@pytest.fixture
def definitions() -> Definitions:
    return shipped_definitions()
