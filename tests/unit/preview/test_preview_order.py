"""In which order the nodes of a graph are executed."""

from comfyui_preview.execution_order import ExecutionOrder
from comfyui_preview.queue import Graph


def graph(**links: list[str]) -> Graph:
    return {
        node_id: {"inputs": {str(place): [source, 0] for place, source in enumerate(sources)}}
        for node_id, sources in links.items()
    }


def order(nodes: Graph, outputs: list[str], cached: str = "") -> list[str]:
    execution = ExecutionOrder(nodes, outputs.__contains__, cached.__contains__)
    for output in outputs:
        execution.want(output)
    return list(execution)


def test_output_comes_as_soon_as_it_can() -> None:
    nodes = graph(load=[], save=["load"], more=["load"], late=["more"])

    assert order(nodes, ["late", "save"]) == ["load", "save", "more", "late"]


def test_what_feeds_an_output_comes_before_what_does_not() -> None:
    nodes = graph(a=[], b=["a"], c=["b"], d=[], save=["c", "d"])

    assert order(nodes, ["save"]) == ["d", "a", "b", "c", "save"]


def test_cached_ancestors_are_not_asked_for() -> None:
    nodes = graph(a=[], b=["a"], save=["b"])

    assert order(nodes, ["save"], cached="ab") == ["save"]


def test_what_no_output_needs_is_left_out() -> None:
    nodes = graph(a=[], idle=["a"], save=["a"])

    assert order(nodes, ["save"]) == ["a", "save"]
