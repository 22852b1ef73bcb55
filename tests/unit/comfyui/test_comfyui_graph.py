"""Which workflow files are graphs that Madsea can run, and what the others are told."""

import json
from typing import Any

import pytest
from scripted_comfyui import recorded, workflow

from generation.workflows import graph
from generation.workflows.errors import GraphError
from generation.workflows.output_names import set_output_prefix, wanted_outputs


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    meta = {"_meta": {"title": title}} if title else {}
    return {"class_type": class_type, "inputs": inputs, **meta}


LOAD = node("LoadImage", image="p.png")


def save(source: str, title: str = "") -> dict[str, Any]:
    return node("SaveImage", title, images=[source, 0], filename_prefix="x")


def refusal(text: str | bytes) -> GraphError:
    with pytest.raises(GraphError) as raised:
        graph.load(text)
    return raised.value


@pytest.mark.parametrize("name", ["OmbresChinoises", "Labo", "Silhouette"])
def test_the_shipped_workflows_load(name: str) -> None:
    loaded = graph.load(workflow(name))
    assert loaded == json.loads(workflow(name))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        ("[" * 100_000, "not_json"),
        (f'{{"1": {"9" * 5000}}}', "not_json"),
        ("[]", "not_a_graph"),
        ('"text"', "not_a_graph"),
        ("{}", "empty"),
        ('{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "not_finite"),
        ('{"1": {"class_type": "A", "inputs": {"x": -Infinity}}}', "not_finite"),
        ('{"1": {"class_type": "A", "inputs": {"x": 1e999}}}', "not_finite"),
        ('{"1": {}, "1": {}}', "twice"),
        ('{"nodes": [], "links": [], "version": 0.4}', "ui_format"),
    ],
)
def test_a_file_that_is_no_graph_is_refused(text: str | bytes, code: str) -> None:
    assert refusal(text).code == code


def test_the_editors_format_says_how_to_save_it() -> None:
    assert "Export (API)" in refusal('{"nodes": [{"id": 1}], "links": []}').detail


@pytest.mark.parametrize(
    ("nodes", "code", "node_id"),
    [
        ({"1": {"inputs": {}}}, "no_class", "1"),
        ({"1": {"class_type": "", "inputs": {}}}, "no_class", "1"),
        ({"1": None}, "no_class", "1"),
        ({"1": {"class_type": "A"}}, "no_inputs", "1"),
        ({"1": {"class_type": "A", "inputs": None}}, "no_inputs", "1"),
        ({"9": save("99")}, "dangling_link", "9"),
        ({"1": LOAD, "9": node("SaveImage", images=[1, 0])}, "bad_link", "9"),
        ({"1": LOAD, "9": node("SaveImage", images=["1", -1])}, "bad_link", "9"),
        ({"1": LOAD, "9": node("SaveImage", images=["1", True])}, "bad_link", "9"),
        ({"1": node("A", x=["1", 0])}, "cycle", None),
        ({"1": node("A", x=["2", 0]), "2": node("B", x=["1", 0]), "9": save("1")}, "cycle", None),
    ],
)
def test_a_graph_that_cannot_run_names_its_node(
    nodes: dict[str, Any], code: str, node_id: str | None
) -> None:
    refused = refusal(json.dumps(nodes))
    assert (refused.code, refused.node_id) == (code, node_id)
    assert refused.detail


def test_a_wrapped_list_is_a_value() -> None:
    nodes = {"1": node("LoadImage", image="p", extra={"__value__": [1, 2]}), "9": save("1")}
    assert graph.load(json.dumps(nodes))["1"]["inputs"]["extra"] == {"__value__": [1, 2]}


def test_what_images_carry_beside_the_graph_is_taken_off() -> None:
    nodes = {"1": {**LOAD, "is_changed": ["abc"], "x": 1}, "9": save("1")}
    assert graph.load(json.dumps(nodes))["1"] == LOAD


@pytest.mark.parametrize("path", [["prompt"], ["workflow"], ["input", "workflow"]])
def test_a_graph_is_found_in_what_others_put_around_it(path: list[str]) -> None:
    wrapped: dict[str, Any] = {"1": LOAD, "9": save("1")}
    for key in reversed(path):
        wrapped = {key: wrapped, "client_id": "x", "extra_data": {}}

    assert graph.load(json.dumps(wrapped)).keys() == {"1", "9"}


def test_a_list_that_is_no_link_is_a_value() -> None:
    nodes = {"1": node("LoadImage", image="p", boxes=[[1, 2], [3, 4], [5, 6]]), "9": save("1")}

    assert graph.load(json.dumps(nodes))["1"]["inputs"]["boxes"] == [[1, 2], [3, 4], [5, 6]]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert graph.load(b"\xef\xbb\xbf" + workflow("Silhouette"))


def test_a_long_chain_is_walked() -> None:
    nodes = {str(i): node("A", x=[str(i - 1), 0]) for i in range(1, 4999)} | {"0": node("A")}
    loaded = graph.load(json.dumps(nodes | {"save": save("4998")}))
    assert len(list(graph.ancestors(loaded, "save"))) == 4999


def test_the_hash_ignores_layout_and_nothing_else() -> None:
    loaded = graph.load(workflow("Silhouette"))
    shuffled = graph.load(json.dumps(dict(reversed(loaded.items())), indent=8))
    changed = graph.load(workflow("Silhouette").replace(b"0.5", b"0.51"))
    assert graph.sha256(loaded) == graph.sha256(shuffled)
    assert graph.sha256(loaded) != graph.sha256(changed)


def test_every_accepted_graph_of_the_recordings_loads() -> None:
    posted = [
        event["request"]["prompt"]
        for event in recorded("success.json") + recorded("success_sampling.json")
        if event.get("path") == "/prompt"
    ]
    assert [len(graph.load(json.dumps(prompt))) for prompt in posted] == [6, 8]


def test_the_prefix_is_set_on_a_copy_and_the_result_has_its_own() -> None:
    loaded = graph.load(json.dumps({"1": LOAD, "8": save("1", "@result"), "9": save("1")}))
    changed = set_output_prefix(loaded, "madsea/abc", "8")
    prefixes = [changed[i]["inputs"]["filename_prefix"] for i in ("8", "9")]
    assert prefixes == ["madsea/abc", "madsea/abc-beside"]
    assert loaded["8"]["inputs"]["filename_prefix"] == "x"
    assert wanted_outputs(changed) == ("8", "9")
