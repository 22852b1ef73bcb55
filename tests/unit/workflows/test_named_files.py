"""Which files a graph's values name: models in lists of extensions, embeddings, pictures."""

from typing import Any

import pytest

from generation.workflows import named_files, requirements
from generation.workflows.definitions import shipped_definitions
from generation.workflows.graph import Graph
from generation.workflows.named_files import EMBEDDINGS, INPUT
from generation.workflows.requirements import Requirements

POWER = "Power Lora Loader (rgthree)"
LORAS = {"LoraLoader": {"input": {"required": {"lora_name": [["ink.safetensors"], {}]}}}}


def one_node(class_type: str, **inputs: Any) -> Graph:
    return {"1": {"class_type": class_type, "inputs": inputs}}


def files(graph: Graph) -> set[tuple[str, str, str]]:
    return set(named_files.models(graph, shipped_definitions()))


def lora(name: str, *, on: bool = True) -> dict[str, Any]:
    return {"on": on, "lora": name, "strength": 1}


def lacks(known: dict[str, Any], *wanted: tuple[str, str, str]) -> list[str]:
    found = requirements.lacks(Requirements((), wanted), known)
    return [str(lack) for lack in found]


def test_a_lora_within_a_value_is_needed() -> None:
    graph = one_node(
        POWER, lora_1=lora("ink.safetensors"), PowerLoraLoaderHeaderWidget={"type": "x"}
    )

    assert files(graph) == {(POWER, "lora_1.lora", "ink.safetensors")}


def test_a_lora_that_is_switched_off_is_not_needed() -> None:
    assert files(one_node(POWER, lora_1=lora("ink.safetensors", on=False))) == set()


def test_models_in_a_list_within_a_value_are_needed() -> None:
    graph = one_node("Stack", stack={"loras": [["a.safetensors", 1.0], ["b.safetensors", 0.5]]})

    assert {name for *_, name in files(graph)} == {"a.safetensors", "b.safetensors"}


def test_a_lora_within_a_value_is_looked_for_in_the_servers_list_of_loras() -> None:
    known = LORAS | {POWER: {"input": {}}}

    assert lacks(known, (POWER, "lora_1.lora", "ink.safetensors")) == []
    assert lacks(known, (POWER, "lora_1.lora", "inc.safetensors")) == [
        f"inc.safetensors for {POWER}.lora_1.lora (closest: ink.safetensors)"
    ]


def test_a_lora_within_a_value_is_spelled_as_the_server_does() -> None:
    known = {POWER: {}, "LoraLoader": {"input": {"required": {"lora_name": [["a\\ink.pt"], {}]}}}}
    graph = one_node(POWER, lora_1=lora("a/ink.pt"))
    needed = Requirements((), tuple(files(graph)))

    theirs = requirements.respelled(graph, requirements.spellings(needed, known))

    assert theirs["1"]["inputs"]["lora_1"] == lora("a\\ink.pt")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a lamp, embedding:bad-hands", {"bad-hands"}),
        ("embedding:bad-hands:1.2, lamp", {"bad-hands"}),
        ("a lamp (embedding:bad-hands.pt:1.1)", {"bad-hands"}),
        ("embedding:xl/ink, (embedding:b:0.5)\nembedding:c.safetensors", {"xl/ink", "b", "c"}),
        ("an embedding: none, no_embedding:x", set()),
    ],
)
def test_embeddings_of_a_prompt_are_needed(text: str, names: set[str]) -> None:
    graph = one_node("CLIPTextEncode", text=text, clip=["2", 0])

    assert files(graph) == {(EMBEDDINGS, "", name) for name in names}


def test_embeddings_are_judged_only_where_a_server_tells_them() -> None:
    wanted = (EMBEDDINGS, "", "bad-hand")

    assert lacks({}, wanted) == []
    assert lacks(dict(named_files.in_folders({EMBEDDINGS: ["bad-hands"]})), wanted) == [
        "the embedding bad-hand (closest: bad-hands)"
    ]


def composed(*pictures: str) -> Graph:
    """Return a graph that saves the first of these pictures; the others lead nowhere."""
    loaders: Graph = {
        str(n): {"class_type": "LoadImage", "inputs": {"image": name}}
        for n, name in enumerate(pictures)
    }
    saved = {"images": ["0", 0], "filename_prefix": "x"}
    return {**loaders, "save": {"class_type": "SaveImage", "inputs": saved}}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("style.png", {"style.png"}),
        ("style.png [input]", {"style.png"}),
        ("style.png [output]", set()),
        ("clipspace/mask.png [input]", set()),
    ],
)
def test_a_picture_that_a_graph_loads_is_needed_in_the_input_folder(
    given: str, names: set[str]
) -> None:
    found = set(named_files.pictures(composed(given), shipped_definitions(), but=()))

    assert found == {(INPUT, "", name) for name in names}


def test_neither_the_panel_nor_what_leads_nowhere_is_needed_in_the_input_folder() -> None:
    graph = composed("panel.png", "unused.png")

    assert not set(named_files.pictures(graph, shipped_definitions(), but=[("0", "image")]))


def test_a_folder_of_too_many_pictures_is_not_told() -> None:
    spec = [[f"{n}.png" for n in range(named_files.FILES_MOST + 1)], {"image_upload": True}]

    assert named_files.uploads({"LoadImage": {"input": {"required": {"image": spec}}}}) is None
    assert named_files.uploads({}) is None
