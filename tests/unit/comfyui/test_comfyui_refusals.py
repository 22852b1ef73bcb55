"""What a server refuses, in words that a supervisor understands."""

from typing import Any

import pytest
from scripted_comfyui import recorded_answers

from generation.comfyui.errors import ComfyError, Denied, Refused, Unreachable

REFUSALS = recorded_answers("rejected_prompts.json", "/prompt", 400)


def refusal(answer: dict[str, Any]) -> Refused:
    error = answer["error"]
    return Refused(error["type"], error["message"], error["details"], answer["node_errors"])


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (
            0,
            (
                "CheckpointLoaderSimple (node 1): ckpt_name is 'missing.safetensors',"
                " which this server does not have."
            ),
        ),
        (1, "KSampler (node 8): steps is 0, less than the server allows (min 1)."),
        (2, "KSampler (node 8): cfg is 'high', which is of the wrong type."),
        (3, "KSampler (node 8): sampler_name is 'nope', which this server does not have."),
        (4, "KSampler (node 8): seed is missing."),
        (
            5,
            (
                "KSampler (node 8): model is linked to an output of the wrong type:"
                " CONDITIONING instead of MODEL."
            ),
        ),
        (6, "KSampler (node 8): Exception when validating inner node: '99'"),
        (7, "Cannot execute because node IPAdapterAdvanced does not exist: Node ID '#3'"),
        (8, "Prompt has no outputs."),
        (
            9,
            (
                "LoadImage (node 1): Custom validation failed for node:"
                " image - Invalid image file: madsea/none.png"
            ),
        ),
    ],
)
def test_a_recorded_refusal_names_class_node_input_and_value(place: int, sentence: str) -> None:
    assert refusal(REFUSALS[place]).sentences() == [sentence]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_always_says_something(answer: dict[str, Any]) -> None:
    assert all(refusal(answer).sentences())


def test_sentences_come_in_the_order_of_the_nodes() -> None:
    missing = {
        "class_type": "A",
        "errors": [{"type": "required_input_missing", "extra_info": {"input_name": "x"}}],
    }
    refused = Refused("t", "m", "", {"10": missing, "2": missing})
    assert [sentence[:10] for sentence in refused.sentences()] == ["A (node 2)", "A (node 10"]


@pytest.mark.parametrize(
    "node_errors",
    [
        {"1": None},
        {"1": {"errors": None}},
        {"1": {"errors": []}},
    ],
)
def test_node_errors_without_errors_leave_the_message(node_errors: dict[str, object]) -> None:
    assert Refused("t", "No.", "why", node_errors).sentences() == ["No: why"]


def test_a_long_value_is_shortened() -> None:
    error = {"type": "value_not_in_list", "extra_info": {"received_value": "x" * 9999}}
    refused = Refused("t", "m", "", {"1": {"class_type": "A", "errors": [error]}})
    assert len(refused.detail) < 300


@pytest.mark.parametrize("error", [ComfyError, Unreachable, Denied])
def test_the_docstring_is_the_default_message(error: type[ComfyError]) -> None:
    assert error().detail == (error.__doc__ or "").splitlines()[0]
