"""Workflow files: looked up by name, frozen as they are, refused with what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from generation.errors import InvalidRequest
from generation.models import ServerDefinitions, Workflow
from generation.services import requested_workflows, workflow_library
from tests import factories

pytestmark = pytest.mark.django_db

SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
LOAD = {"class_type": "LoadImage", "inputs": {"image": "panel.png"}}
GRAPH = {"1": LOAD, "2": SAVE}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    return tmp_path / "workflows"


def refusal(name: str) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        requested_workflows.load(name)
    assert caught.value.attr == "workflow_json"
    return caught.value.code, caught.value.detail


def test_a_workflow_is_frozen_once_per_content(folder: Path) -> None:
    file = folder / "A.json"
    file.write_text(json.dumps(GRAPH))
    first, again = requested_workflows.load("A.json"), requested_workflows.load("A.json")
    file.write_text(json.dumps({"1": LOAD, "2": SAVE, "3": LOAD}))
    changed = requested_workflows.load("A.json")

    assert first == again != changed
    assert Workflow.objects.get(pk=first.pk).graph == GRAPH


def test_the_layout_of_the_file_makes_no_other_workflow(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    first = requested_workflows.load("A.json")
    (folder / "A.json").write_text(json.dumps(GRAPH, indent=4))

    assert requested_workflows.load("A.json") == first


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "workflow_not_json"),
        ("{", "workflow_not_json"),
        ("[]", "workflow_not_a_graph"),
        ("{}", "workflow_empty"),
        ('{"nodes": [], "links": []}', "workflow_empty"),
        ('{"nodes": [{"id": 1, "type": "?"}], "links": []}', "workflow_unknown_class"),
        (json.dumps({"1": LOAD}), "workflow_saves_no_image"),
        (json.dumps({"2": SAVE}), "workflow_dangling_link"),
        ('{"1": {"inputs": {}}}', "workflow_no_class"),
        ('{"1": {"class_type": "SaveImage"}}', "workflow_no_inputs"),
        ('{"1": {"class_type": "SaveImage", "inputs": {"x": NaN}}}', "workflow_not_finite"),
        (
            json.dumps({"1": LOAD, "2": SAVE, "3": LOAD | {"inputs": {"image": "a\0b"}}}),
            "workflow_bad_text",
        ),
        (
            json.dumps({"1": LOAD, "2": SAVE, "3": LOAD | {"inputs": {"image": "\ud800"}}}),
            "workflow_bad_text",
        ),
    ],
)
def test_a_file_that_is_no_workflow_is_refused(folder: Path, content: str, code: str) -> None:
    (folder / "A.json").write_text(content)

    found, detail = refusal("A.json")

    assert found == code
    assert "A.json" in detail
    assert not Workflow.objects.exists()


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "A.json").write_bytes(b"\xff\xfe\x00")

    assert refusal("A.json")[0] == "workflow_not_json"


@pytest.mark.parametrize(
    "name",
    ["B.json", "", "A", "../A.json", "/A.json", "sub/A.json", "A.json\0", "a" * 130 + ".json"],
)
def test_a_workflow_is_a_name_and_never_a_path(folder: Path, name: str) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    (folder.parent / "A.json").write_text(json.dumps(GRAPH))

    code, detail = refusal(name)

    assert code == "unknown_workflow"
    assert "Known: A.json" in detail


def test_only_files_are_available(folder: Path) -> None:
    (folder / "B.json").mkdir()
    (folder / "A.json").write_text("")
    (folder / ".hidden.json").write_text("")
    (folder / "notes.txt").write_text("")

    assert workflow_library.available() == ["A.json"]


def test_no_folder_is_no_workflow(folder: Path) -> None:
    folder.rmdir()

    assert refusal("A.json")[0] == "unknown_workflow"


@pytest.mark.parametrize(
    ("name", "needs_panel"),
    [("OmbresChinoises.json", True), ("Labo.json", True), ("Silhouette.json", True)],
)
def test_the_workflows_shipped_start_from_the_panel(name: str, needs_panel: bool) -> None:
    assert requested_workflows.needs_panel(requested_workflows.load(name)) == needs_panel


def test_a_server_that_has_more_widens_what_can_be_asked_for() -> None:
    loaded = requested_workflows.load("OmbresChinoises.json")
    sampler = {"sampler_name": [["new"], {}]}
    ServerDefinitions.objects.create(
        server=factories.server(),
        definitions={"KSampler": {"input": {"required": sampler}, "output": []}},
    )

    assert requested_workflows.check_params(loaded, {"sampler_name": "new"}) == []


def test_what_no_list_names_is_refused_while_no_server_is_known() -> None:
    loaded = requested_workflows.load("OmbresChinoises.json")

    refused = requested_workflows.check_params(loaded, {"sampler_name": "new"})

    assert [problem.code for problem in refused] == ["not_in_list"]


def test_which_server_has_a_model_is_left_to_the_preflight() -> None:
    loaded = requested_workflows.load("OmbresChinoises.json")
    checkpoint = {"ckpt_name": [["New.safetensors"], {}]}
    ServerDefinitions.objects.create(
        server=factories.server(),
        definitions={"CheckpointLoaderSimple": {"input": {"required": checkpoint}, "output": []}},
    )

    assert requested_workflows.check_params(loaded, {"checkpoint": "Old.safetensors"}) == []
