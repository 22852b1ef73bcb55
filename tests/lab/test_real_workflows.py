"""What is held against a real server's history can be wrong; the models are files of their kind."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.real import random_models, workflow_facts, workflow_shapes

GRAPH = {
    "1": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 4}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
}
TARGETS = {"steps": ["1.steps"], "seed": ["1.seed"]}
STEPS = {"value": 4, "source": "request"}
SHAPE = workflow_shapes.Shape("one", b"", {"steps": 4}, {}, executed={"1.steps": 4})


def executed(**inputs: Any) -> Any:
    """The graph as the server has executed it, with other inputs of its sampler."""
    sampler = {**GRAPH["1"], "inputs": {"seed": 7, "steps": 4, **inputs}}
    return {**GRAPH, "1": sampler}


def untrue(of: Any, **told: Any) -> list[str]:
    recipe = {"graph": of, "seed": "7", "parameters": {"steps": STEPS}, **told}
    return list(workflow_facts._untrue(recipe, of, TARGETS))


def test_what_was_executed_as_it_is_told_is_right() -> None:
    assert untrue(GRAPH) == []


def test_a_value_that_was_executed_otherwise_is_wrong() -> None:
    assert untrue(executed(steps=5)) == ["steps is told as 4, 1.steps was 5"]


def test_a_seed_that_was_executed_otherwise_is_wrong() -> None:
    assert untrue(executed(seed=8)) == ["1.seed was 8, told is 7"]


def test_a_seed_that_is_not_told_is_wrong() -> None:
    assert untrue(GRAPH, seed=None) == ["1.seed was 7, told is None"]


def test_another_graph_than_the_recipe_has_is_wrong() -> None:
    recipe = {"graph": GRAPH, "seed": "7", "parameters": {}}

    found = list(workflow_facts._untrue(recipe, executed(cfg=1.0), TARGETS))

    assert found == ["the recipe's graph is not the one in /history"]


@pytest.mark.parametrize("told", [{}, {"steps": {"value": 4, "source": "workflow"}}])
def test_what_was_asked_for_and_is_not_told_so_is_wrong(told: Any) -> None:
    (words,) = workflow_facts._not_as_asked({"parameters": told}, SHAPE)

    assert words.startswith("steps was asked for as 4")


def test_an_input_without_the_value_that_it_must_have_is_wrong() -> None:
    found = [list(workflow_facts._not_executed(executed(steps=n), SHAPE)) for n in (4, 6)]

    assert found == [[], ["1.steps was 6, not 4"]]


def test_every_shape_has_a_file_and_what_its_parameters_reach() -> None:
    known = workflow_shapes.shapes()

    assert all(json.loads(shape.content) and shape.reached["seed"] for shape in known)
    assert len({shape.workflow for shape in known}) == len(known)


# Models ------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder of models."""
    made = tmp_path_factory.mktemp("models")
    random_models.write(made)
    return made


@pytest.mark.parametrize(
    "name",
    [
        "checkpoints/tiny_sd15.safetensors",
        "loras/style.safetensors",
        "vae/tiny_vae.safetensors",
    ],
)
def test_the_header_of_a_model_names_all_of_its_bytes(folder: Path, name: str) -> None:
    header, content = read(folder / name)

    ends = [0, *(held["data_offsets"][1] for held in header.values())]
    assert [held["data_offsets"][0] for held in header.values()] == ends[:-1]
    assert ends[-1] == len(content)


def test_base_and_refiner_are_different_models(folder: Path) -> None:
    name = "model.diffusion_model.out.2.weight"
    base, refiner = (
        weight(folder / f"checkpoints/{file}.safetensors", name)
        for file in ("tiny_sd15", "tiny_refiner")
    )

    assert base.shape == refiner.shape == (4 * 320 * 3 * 3,)
    assert not np.array_equal(base, refiner)


def test_the_weights_are_those_of_the_seed(folder: Path, tmp_path: Path) -> None:
    random_models.write(tmp_path / "again")

    again = (tmp_path / "again/diffusion_models/tiny_unet.safetensors").read_bytes()
    assert again == (folder / "diffusion_models/tiny_unet.safetensors").read_bytes()


def weight(path: Path, name: str) -> Any:
    header, content = read(path)
    begin, end = header[name]["data_offsets"]
    return np.frombuffer(content[begin:end], np.float16)
