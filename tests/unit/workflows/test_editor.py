"""The editor's format, converted as ComfyUI's own page exports it."""

import json
from typing import Any

import pytest
from graphs import DATA

from generation.workflows import formats, limits
from generation.workflows import graph as graphs
from generation.workflows.contract import contract
from generation.workflows.definitions import shipped_definitions
from generation.workflows.editor import convert
from generation.workflows.errors import GraphError

EDITOR = DATA / "editor"
FEATURES = sorted(path.name.removesuffix(".ui.json") for path in EDITOR.glob("*.ui.json"))
#: The page resolves these texts; here they stay as they are written, and that is said.
LEFT_AS_WRITTEN = {
    "h13_dynamic_prompt": "a {red|red} bird /* hidden */",
    "h14_tokens": "%date:yyyy%",
}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EDITOR / f"{name}.ui.json").read_text("utf-8"))
    return found


def exported(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EDITOR / f"{name}.api.json").read_text("utf-8"))
    return found


def plain(graph: dict[str, Any]) -> dict[str, Any]:
    """A graph without titles, as values: 30 and 30.0 are the same."""
    return {key: (node["class_type"], node["inputs"]) for key, node in graph.items()}


def converted(name: str) -> dict[str, Any]:
    return convert(document(name), shipped_definitions()).graph


@pytest.mark.parametrize("name", [name for name in FEATURES if name not in LEFT_AS_WRITTEN])
def test_each_feature_is_converted_as_the_page_exports_it(name: str) -> None:
    assert plain(converted(name)) == plain(exported(name))


@pytest.mark.parametrize("name", LEFT_AS_WRITTEN)
def test_what_only_the_page_resolves_stays_as_it_is_written(name: str) -> None:
    texts = [value for node in converted(name).values() for value in node["inputs"].values()]

    assert any(LEFT_AS_WRITTEN[name] in value for value in texts if isinstance(value, str))


@pytest.mark.parametrize(
    ("name", "told"),
    [("h13_dynamic_prompt", ("dynamic_prompt", "3")), ("h14_tokens", ("token", "10"))],
)
def test_what_only_the_page_resolves_is_told_by_the_contract(
    name: str, told: tuple[str, str]
) -> None:
    found = contract(converted(name), shipped_definitions()).warnings

    assert told in [(warning.code, warning.node) for warning in found]


@pytest.mark.parametrize("name", ["h38_titles", "h01_plain"])
def test_titles_are_those_of_the_page(name: str) -> None:
    titles = {key: node["_meta"]["title"] for key, node in converted(name).items()}

    assert titles == {key: node["_meta"]["title"] for key, node in exported(name).items()}


def changed(name: str, node_id: int, **changes: Any) -> dict[str, Any]:
    found = document(name)
    (node,) = [node for node in found["nodes"] if node["id"] == node_id]
    node.update(changes)
    return found


def refusal(found: dict[str, Any]) -> GraphError:
    with pytest.raises(GraphError) as refused:
        convert(found, shipped_definitions())
    return refused.value


def test_a_class_that_no_server_told_of_is_refused_with_its_node() -> None:
    refused = refusal(changed("h01_plain", 6, type="MagicScale", title="Enlarge"))

    assert (refused.code, refused.node_id) == ("unknown_class", "6")
    assert "node 6 “Enlarge”" in str(refused)


def test_an_old_group_node_is_refused_with_what_to_do() -> None:
    refused = refusal(changed("h01_plain", 6, type="workflow>Scaling"))

    assert (refused.code, refused.node_id) == ("group_node", "6")
    assert "unpack" in str(refused)


def test_values_by_name_win_over_places() -> None:
    named = {"seed": 5, "steps": 9, "cfg": 2.0, "sampler_name": "heun", "scheduler": "karras"}
    found = convert(changed("h01_plain", 8, widgets_values=named), shipped_definitions()).graph

    inputs = found["8"]["inputs"]
    assert {name: inputs[name] for name in named} == named
    assert inputs["denoise"] == 1.0


def test_what_the_file_does_not_hold_has_its_default() -> None:
    found = convert(changed("h01_plain", 8, widgets_values=[7]), shipped_definitions()).graph

    assert (found["8"]["inputs"]["seed"], found["8"]["inputs"]["steps"]) == (7, 20)


def test_a_setter_brings_what_its_getter_asks_for() -> None:
    found = document("h01_plain")
    found["links"] = [link for link in found["links"] if link[:5] != [13, 1, 2, 9, 1]]
    found["nodes"] += [
        {"id": 40, "type": "SetNode", "inputs": [{"name": "VAE", "type": "VAE", "link": 90}],
         "outputs": [], "widgets_values": ["the vae"]},
        {"id": 41, "type": "GetNode", "inputs": [], "widgets_values": ["the vae"],
         "outputs": [{"name": "VAE", "type": "VAE", "links": [13]}]},
    ]  # fmt: skip
    found["links"] += [[90, 1, 2, 40, 0, "VAE"], [13, 41, 0, 9, 1, "VAE"]]

    assert convert(found, shipped_definitions()).graph["9"]["inputs"]["vae"] == ["1", 2]


def test_links_that_lead_in_a_circle_are_refused() -> None:
    found = document("h07_reroute_chain")
    found["links"] = [link for link in found["links"] if link[0] != 15]
    found["links"].append([15, 13, 0, 11, 0, "VAE"])

    assert refusal(found).code == "cycle"


def bomb(levels: int) -> dict[str, Any]:
    """Subgraphs that each hold two of the next: 2 to the power of `levels` nodes."""
    inner = [
        {"id": f"s{n}", "inputs": [], "outputs": [], "links": [],
         "nodes": [{"id": 1, "type": f"s{n + 1}"}, {"id": 2, "type": f"s{n + 1}"}]}
        for n in range(levels)
    ]  # fmt: skip
    last = {"id": f"s{levels}", "links": [], "nodes": [{"id": 1, "type": "EmptyLatentImage"}]}
    nodes = [{"id": 1, "type": "s0"}]
    return {"nodes": nodes, "links": [], "definitions": {"subgraphs": [*inner, last]}}


def test_subgraphs_that_unfold_without_end_are_refused() -> None:
    assert refusal(bomb(30)).code == "too_large"


def test_a_subgraph_that_holds_itself_is_refused() -> None:
    found = {"nodes": [{"id": 1, "type": "s"}], "links": []}
    inside = {"id": "s", "links": [], "nodes": [{"id": 1, "type": "s"}]}

    assert refusal(found | {"definitions": {"subgraphs": [inside]}}).code == "too_deep"


@pytest.mark.parametrize("path", [[], ["workflow"], ["input", "workflow"]])
def test_a_document_is_found_in_what_others_put_around_it(path: list[str]) -> None:
    wrapped = document("h01_plain")
    for key in reversed(path):
        wrapped = {key: wrapped, "client_id": "x"}

    loaded = formats.load(json.dumps(wrapped).encode(), [shipped_definitions()])

    assert plain(loaded.graph) == plain(exported("h01_plain"))


def test_where_a_file_carries_both_formats_the_graph_counts() -> None:
    both = {"prompt": exported("h01_plain"), "workflow": document("h02_bypass_lora")}

    loaded = formats.load(json.dumps(both).encode(), [shipped_definitions()])

    assert loaded.graph.keys() == exported("h01_plain").keys()


def test_the_first_server_that_knows_every_class_tells_the_values_apart() -> None:
    lacking = {k: v for k, v in shipped_definitions().items() if k != "ImageScale"}
    content = json.dumps(document("h01_plain")).encode()

    assert "6" in formats.load(content, [lacking, shipped_definitions()]).graph


def test_a_file_of_more_nodes_than_allowed_is_refused_with_the_bound() -> None:
    nodes = {str(n): {"class_type": "A", "inputs": {}} for n in range(limits.DEFAULT.nodes + 1)}

    with pytest.raises(GraphError, match="5,000 are allowed"):
        graphs.load(json.dumps(nodes))


# What the conversion has left out ----------------------------------------------------------------


def left_out(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(said.code, said.node) for said in convert(found, shipped_definitions()).remarks]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("h01_plain", []),
        ("h02_bypass_lora", [("bypassed", "2")]),
        ("h15_notes", []),
        ("h27_modes_1_3", []),
    ],
)
def test_nodes_that_are_muted_or_bypassed_are_told(name: str, told: list[tuple[str, str]]) -> None:
    assert left_out(document(name)) == told


def test_a_link_that_led_to_a_muted_node_is_told_where_it_is_missed() -> None:
    told = left_out(document("h06_mute_lora"))

    assert told[0] == ("muted", "2")
    assert {code for code, _ in told[1:]} == {"link_dropped"}


def test_a_muted_subgraph_is_told_once() -> None:
    found = document("h16_subgraph")
    (instance,) = [node for node in found["nodes"] if len(str(node["type"])) == 36]
    instance["mode"] = 2

    told = left_out(found)

    assert [each for each in told if each[0] == "muted"] == [("muted", str(instance["id"]))]


def test_what_is_left_out_is_told_with_its_title() -> None:
    found = changed("h01_plain", 2, mode=4, title="The look")

    (said,) = convert(found, shipped_definitions()).remarks

    assert said.detail == (
        "In the editor node 2 “The look” (LoraLoader) is bypassed: it is left out, and what it is"
        " given goes on to what follows it where the types fit."
    )


def test_a_graph_that_needs_no_conversion_leaves_out_nothing() -> None:
    content = json.dumps(exported("h02_bypass_lora")).encode()

    assert formats.load(content, [shipped_definitions()]).remarks == ()
