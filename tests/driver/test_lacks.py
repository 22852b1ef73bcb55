"""What a refusal says that a server does not have."""

from typing import Any

import pytest

from generation.comfyui.errors import Refused
from generation.driver import prompt_exchange
from generation.workflows.requirements import Lack
from tests.driver import flying


def error(kind: str, value: object, name: str = "ckpt_name") -> dict[str, Any]:
    return {"type": kind, "extra_info": {"input_name": name, "received_value": value}}


def refused(*errors: dict[str, Any], kind: str = "", details: str = "") -> Refused:
    nodes = {"1": {"class_type": "CheckpointLoaderSimple", "errors": list(errors)}}
    return Refused(kind, "", details, nodes if errors else {})


def test_choices_that_are_not_there_are_lacking() -> None:
    found = prompt_exchange.lacks(refused(error("value_not_in_list", "a.pt")), flying.SAMPLED)

    assert found == [Lack("a.pt", "CheckpointLoaderSimple.ckpt_name")]


@pytest.mark.parametrize("kind", ["invalid_prompt", "missing_node_type"])
def test_a_class_that_is_not_there_is_lacking(kind: str) -> None:
    found = prompt_exchange.lacks(refused(kind=kind, details="Node ID '#4'"), flying.SAMPLED)

    assert found == [Lack("KSampler", "")]


@pytest.mark.parametrize(
    "why",
    [
        refused(error("value_smaller_than_min", 0)),
        refused(error("value_not_in_list", "a.pt"), error("value_smaller_than_min", 0)),
        refused(error("value_not_in_list", "madsea/panel.png", "image")),
        refused(kind="invalid_prompt", details="Node ID '#99'"),
        refused(kind="invalid_prompt", details=""),
        refused(kind="prompt_no_outputs"),
    ],
)
def test_what_another_server_would_refuse_as_well_is_not(why: Refused) -> None:
    assert prompt_exchange.lacks(why, flying.SAMPLED) == []
