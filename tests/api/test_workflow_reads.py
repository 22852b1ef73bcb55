"""The workflows that requests name: what they take and give, and what is asked or wrong."""

from pathlib import Path
from typing import Any

from rest_framework.test import APIClient

from tests.api.calls import EXAMPLE

DATA = Path(__file__).resolve().parents[1] / "data"


def test_workflows_tell_their_parameters(api: APIClient) -> None:
    shown = api.get("/api/workflows/OmbresChinoises.json").json()

    parameters = {parameter["name"]: parameter for parameter in shown["parameters"]}
    assert shown["needs_panel"] is True
    assert "panel" not in parameters
    assert parameters["steps"]["type"] == "INT"
    assert (parameters["steps"]["min"], parameters["steps"]["max"]) == (1, 10000)
    assert parameters["seed"]["max"] == 2**64 - 1
    assert isinstance(parameters["steps"]["default"], int)


def test_workflows_tell_what_they_set_give_and_need(api: APIClient) -> None:
    shown = api.get("/api/workflows/OmbresChinoises.json").json()

    parameters = {parameter["name"]: parameter for parameter in shown["parameters"]}
    assert len(parameters["lora_strength"]["targets"]) == 2
    assert shown["panel"]["input"] == "image"
    assert [result["images"] for result in shown["results"] if result["published"]] == [1]
    assert "RealVisXL_V5.0_fp16.safetensors" in shown["needs"]["models"]
    assert shown["schema"]["properties"]["steps"] == {
        "type": "integer", "minimum": 1, "maximum": 10000
    }  # fmt: skip
    assert (shown["warnings"], shown["questions"]) == ([], [])


def test_the_graph_of_a_workflow_in_the_editors_format_is_told_converted(
    api: APIClient, tmp_path: Path, settings: Any
) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    document = (DATA / "workflows/editor/h01_plain.ui.json").read_text("utf-8")
    (tmp_path / "Étude n° 1.JSON").write_text(document)

    shown = api.get("/api/workflows/Étude n° 1.JSON/graph").json()

    assert shown["graph"]["8"]["inputs"]["steps"] == 21


def test_a_workflow_with_an_open_question_is_told_and_not_run(
    api: APIClient, tmp_path: Path, settings: Any
) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    graph = (DATA / "workflows/graphs/c18c_mask_editor_small.json").read_text("utf-8")
    (tmp_path / "Masked.json").write_text(graph)

    shown = api.get("/api/workflows/Masked.json").json()
    refused = api.post(
        "/api/generate_ai_concept", EXAMPLE | {"workflow_json": "Masked.json"}, format="json"
    )

    (question,) = shown["questions"]
    assert (question["code"], question["options"][0]["node"]) == ("painted_mask", "11")
    assert (refused.status_code, refused.json()["code"]) == (400, "open_painted_mask")


def test_a_broken_workflow_says_what_is_wrong_beside_the_others(
    api: APIClient, tmp_path: Path, settings: Any
) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    (tmp_path / "Broken.json").write_text("{")

    shown = api.get("/api/workflows/").json()

    assert [(row["workflow_json"], row["error"]["code"][:9]) for row in shown] == [
        ("Broken.json", "workflow_")
    ]
