"""Graphs of the corpus, and small ones made up of nodes."""

import json
from pathlib import Path
from typing import Any

from generation.workflows import graph
from generation.workflows.contract import Contract, contract
from generation.workflows.definitions import shipped_definitions
from generation.workflows.graph import Graph

DATA = Path(__file__).resolve().parents[2] / "data" / "workflows"


def expectations(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / folder / "expected.json").read_text("utf-8"))
    return found


def corpus(name: str) -> Graph:
    return graph.load((DATA / "graphs" / f"{name}.json").read_bytes())


def changed(name: str, **inputs: dict[str, Any]) -> Graph:
    """A graph of the corpus with other inputs: `n3={"seed": 5}` changes node 3."""
    loaded = corpus(name)
    for node_id, values in inputs.items():
        loaded[node_id.removeprefix("n")]["inputs"].update(values)
    return loaded


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"class_type": class_type, "inputs": inputs}
    return made | ({"_meta": {"title": title}} if title else {})


def read(loaded: Graph, **classes: Any) -> Contract:
    return contract(loaded, {**shipped_definitions(), **classes})


def targets(found: Contract, name: str) -> list[str]:
    parameter = found.parameters.get(name)
    return [f"{node_id}.{held}" for node_id, held in parameter.targets] if parameter else []
