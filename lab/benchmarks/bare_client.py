"""The bare client: keeps a server's queue full, and fetches, decodes and hashes every image.

No database, no names, no retries: what is left is the time that a server's plans take at least.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from time import perf_counter
from uuid import uuid4

from generation.comfyui.client import Client
from generation.comfyui.protocol import Executing
from generation.comfyui.socket import Socket
from generation.decoding import pillow_images
from lab.benchmarks.site import Graph

DEPTH = 2
MAX_BYTES = 2**26
MAX_PIXELS = 10**8
SILENCE_S = 60.0


def render(url: str, graphs: Iterator[Graph]) -> float:
    """Render graphs on a server; return the seconds from the first POST to the last hash.

    Each is taken from `graphs` when the server has room for it; its node 2 saves the picture.
    """
    client, client_id = Client(url), uuid4().hex
    socket = Socket(url, client_id)
    socket.connect(5.0)
    began = perf_counter()
    n_open = sum(_post(client, client_id, graph) for graph in islice(graphs, DEPTH))
    if n_open:
        for prompt_id in _ended(socket):
            n_open += sum(_post(client, client_id, graph) for graph in islice(graphs, 1)) - 1
            _fetch(client, prompt_id)
            if not n_open:
                break
    seconds = perf_counter() - began
    socket.close()
    client.close()
    return seconds


def _post(client: Client, client_id: str, graph: Graph) -> int:
    """Post a graph, and return how many that is."""
    prompt_id = str(uuid4())
    saved = {**graph["2"]["inputs"], "filename_prefix": prompt_id}
    own = {**graph, "2": {**graph["2"], "inputs": saved}}
    client.post_prompt(own, prompt_id=prompt_id, client_id=client_id)
    return 1


def _ended(socket: Socket) -> Iterator[str]:
    heard_at = perf_counter()
    while perf_counter() - heard_at < SILENCE_S:
        event = socket.receive(1.0)
        if isinstance(event, Executing) and event.node is None:
            heard_at = perf_counter()
            yield event.prompt_id
    raise TimeoutError(f"The server has ended nothing for {SILENCE_S:.0f} s.")


def _fetch(client: Client, prompt_id: str) -> str:
    history = client.history(prompt_id)
    while history is None:
        history = client.history(prompt_id)
    content = client.view(history.outputs[0], max_bytes=MAX_BYTES)
    pillow_images.examine(content, max_pixels=MAX_PIXELS)
    return hashlib.sha256(content).hexdigest()
