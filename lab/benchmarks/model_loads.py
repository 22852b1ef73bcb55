"""Plans that need different models: how often two servers load another one than they hold.

Each prompt of a server whose checkpoint differs from that of the prompt before it is a load, by the
server's own history. Beside Madsea a bare client gives each server the next plan in line.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import requests

from lab.benchmarks import bare_client, batch_client
from lab.benchmarks.markdown_tables import Table, load
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Graph, Site

N_SERVERS = 2
SECONDS_PER_PLAN = 0.1
SEED = 7
#: The two that a preview server pretends to have.
CHECKPOINTS = ("RealVisXL_V5.0_fp16.safetensors", "tiny_sd15.safetensors")
WORKFLOW = "BenchModels.json"
HEADERS = ("plans", "loads", "s", "load")
NOTE = (
    "Half of the plans name the one checkpoint, half the other, in random order. Loads: prompts of"
    " both servers that need another checkpoint than the one before them there."
)


def graph(checkpoint: str) -> Graph:
    """Return a graph that samples with a checkpoint; its node 2 saves the picture."""
    sampled = {"seed": 1, "steps": 1, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal"}
    links = {
        "model": ["3", 0],
        "positive": ["4", 0],
        "negative": ["4", 0],
        "latent_image": ["5", 0],
    }
    return {
        "1": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["3", 2]}},
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": "bench"},
        },
        "3": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["3", 1]}},
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": 64, "height": 40, "batch_size": 1},
        },
        "6": {"class_type": "KSampler", "inputs": {**sampled, **links, "denoise": 1.0}},
    }


def models(site: Site, size: Load) -> Iterator[Table]:
    """Measure the same plans, half of them for each checkpoint in random order, given by both."""
    site.give_workflow(WORKFLOW, graph(CHECKPOINTS[0]))
    table = Table(f"Loads of {N_SERVERS} servers and {len(CHECKPOINTS)} checkpoints", HEADERS)
    for n_plans in size.model_plans:
        order = _in_random_order(n_plans)
        for who, give in (("first come, first served", _in_line), ("Madsea", _by_madsea)):
            with site.previews(N_SERVERS, SECONDS_PER_PLAN) as urls:
                seconds = give(site, urls, order)
                counted = [n_loads(_rendered(url)) for url in urls]
            figures = str(sum(counted)), f"{seconds:.2f}", load()
            table.rows.append([f"{len(order)}, {who}", *figures])
    table.notes.append(NOTE)
    yield table


def _in_random_order(n_plans: int) -> list[str]:
    half = n_plans // len(CHECKPOINTS)
    return random.Random(SEED).sample([*CHECKPOINTS] * half, half * len(CHECKPOINTS))


def n_loads(checkpoints: Sequence[str]) -> int:
    """Return how many prompts of a server needed another checkpoint than the one before them."""
    return sum(before != after for before, after in pairwise(checkpoints))


def _rendered(url: str) -> list[str]:
    """Return the checkpoint of each prompt that a server has ended, in their order."""
    history: dict[str, Any] = requests.get(f"{url}/history", timeout=60).json()
    return [entry["prompt"][2]["3"]["inputs"]["ckpt_name"] for entry in history.values()]


def _in_line(_site: Site, urls: Sequence[str], order: Sequence[str]) -> float:
    """Let a bare client at each server take the next plan in line; return the seconds."""
    line = iter([graph(checkpoint) for checkpoint in order])
    with ThreadPoolExecutor(len(urls)) as clients:
        return max(clients.map(lambda url: bare_client.render(url, line), urls))


def _by_madsea(site: Site, urls: Sequence[str], order: Sequence[str]) -> float:
    """Ask for one batch in which each plan names its checkpoint; return the seconds."""
    plans = [
        {"plan": f"{number:04d}", "params": {"checkpoint": checkpoint}}
        for number, checkpoint in enumerate(order)
    ]
    sequences = [{"sequence_id": "SQ0010", "plans": plans}]
    with site.web(), site.workers(*urls):
        return batch_client.makespan(site, len(plans), workflow_json=WORKFLOW, sequences=sequences)
