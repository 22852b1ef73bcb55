"""What POST /prompt refuses, beyond what the recordings hold."""

from collections.abc import Callable
from typing import Any

import pytest
from preview_client import Client, image_graph, sampling_graph


def node_error(comfy: Client, graph: dict[str, Any], node_id: str) -> dict[str, Any]:
    answer = comfy.post("/prompt", {"prompt": graph})
    assert answer.status_code == 400
    return dict(answer.json()["node_errors"][node_id]["errors"][0])


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"steps": 10001}, "value_bigger_than_max"),
        ({"denoise": -0.1}, "value_smaller_than_min"),
        ({"seed": None}, "invalid_input_type"),
        ({"sampler_name": "nope"}, "value_not_in_list"),
        ({"latent_image": ["4", 0, 1]}, "bad_linked_input"),
        ({"latent_image": ["3", 0]}, "return_type_mismatch"),
    ],
)
def test_bad_inputs_are_named(comfy: Client, changes: dict[str, Any], kind: str) -> None:
    error = node_error(comfy, sampling_graph(**changes), "5")

    assert error["type"] == kind
    assert error["extra_info"]["input_name"] == next(iter(changes))


def test_dangling_link_of_an_output_is_an_exception(comfy: Client) -> None:
    graph = image_graph()
    graph["3"]["inputs"]["images"] = ["99", 0]

    assert node_error(comfy, graph, "3")["type"] == "exception_during_validation"


def test_cycle_is_refused_without_a_word(comfy: Client) -> None:
    graph = image_graph()
    graph["2"]["inputs"]["image"] = ["2", 0]

    answer = comfy.post("/prompt", {"prompt": graph})

    assert answer.json()["node_errors"] == {}
    assert answer.json()["error"]["type"] == "prompt_outputs_failed_validation"


def test_values_are_rewritten_to_the_type_wanted(comfy: Client) -> None:
    entry = comfy.run(sampling_graph(steps="3", seed=8.7, cfg="7"))

    inputs = entry["prompt"][2]["5"]["inputs"]
    assert (inputs["steps"], inputs["seed"], inputs["cfg"]) == (3, 8, 7.0)


def test_targets_choose_among_outputs(comfy: Client) -> None:
    graph = image_graph("a")
    graph["4"] = {
        "class_type": "SaveImage",
        "inputs": {"images": ["1", 0], "filename_prefix": "b"},
    }

    entry = comfy.run(graph, partial_execution_targets=["4"])

    assert list(entry["outputs"]) == ["4"]


def test_unknown_inputs_are_ignored(comfy: Client) -> None:
    graph = image_graph()
    graph["2"]["inputs"]["_nonce"] = "x"

    assert comfy.run(graph)["status"]["completed"]


def test_scalar_in_place_of_a_picture_fails_while_it_runs(comfy: Client) -> None:
    graph = image_graph()
    graph["2"]["inputs"]["image"] = "a picture"

    last, about = comfy.run(graph)["status"]["messages"][-1]

    assert last == "execution_error"
    assert (about["node_id"], about["exception_message"][-1]) == ("2", "\n")


def test_unreachable_broken_nodes_harm_nobody(comfy: Client) -> None:
    graph = image_graph()
    graph["8"] = {"class_type": "ImageInvert"}
    graph["9"] = {"class_type": "ImageInvert", "inputs": {"image": ["77", 0]}}

    assert comfy.run(graph)["status"]["completed"]


@pytest.mark.parametrize(
    "body", [{"extra_data": None}, {"number": "soon"}, {"prompt": [1]}, {"client_id": []}]
)
def test_payloads_that_trip_a_server_are_answered_500(comfy: Client, body: dict[str, Any]) -> None:
    assert comfy.post("/prompt", {"prompt": image_graph(), **body}).status_code == 500


def test_newer_server_names_the_missing_class(start: Callable[..., Client]) -> None:
    graph = image_graph()
    graph["2"] = {"class_type": "IPAdapter", "inputs": {}, "_meta": {"title": "Style"}}

    error = start(generation="jobs").post("/prompt", {"prompt": graph}).json()["error"]

    assert error["type"] == "missing_node_type"
    assert error["extra_info"] == {
        "node_id": "2",
        "class_type": "IPAdapter",
        "node_title": "Style",
    }


def test_object_info_lists_models_and_input_images(comfy: Client) -> None:
    shown = comfy.get("/object_info").json()

    checkpoint = shown["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
    assert "RealVisXL_V5.0_fp16.safetensors" in checkpoint
    assert shown["LoadImage"]["input"]["required"]["image"][0] == ["panel.png"]
