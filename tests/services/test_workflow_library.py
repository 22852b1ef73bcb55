"""Workflows by name: the folder is read into the database, which all machines share."""

import json
import os
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from generation.models import NamedWorkflow, ServerDefinitions
from generation.services import workflow_library
from tests import factories

pytestmark = pytest.mark.django_db

SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
LOAD = {"class_type": "LoadImage", "inputs": {"image": "panel.png"}}
GRAPH = {"1": LOAD, "2": SAVE}
OTHER = {**GRAPH, "3": LOAD}
EDITORS = {"nodes": [{"id": 1, "type": "Odd", "inputs": [], "outputs": []}], "links": []}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    return tmp_path / "workflows"


def current(name: str) -> NamedWorkflow:
    row = workflow_library.current(name)
    assert row is not None
    return row


def test_the_folder_is_read_once(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))

    assert workflow_library.read_folder() == 1
    assert workflow_library.read_folder() == 0
    assert NamedWorkflow.objects.get().graph == GRAPH


def test_a_file_is_known_before_it_is_read_into_the_database(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))

    assert current("A.json").graph == GRAPH
    assert workflow_library.available() == ["A.json"]
    assert not NamedWorkflow.objects.exists()


def test_a_workflow_stays_where_the_folder_is_another_machine_s(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    workflow_library.read_folder()
    (folder / "A.json").unlink()

    assert workflow_library.read_folder() == 0
    assert current("A.json").graph == GRAPH


def test_a_changed_file_is_read_and_what_was_chosen_stays(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    workflow_library.read_folder()
    NamedWorkflow.objects.update(choices={"parameters": {}})
    (folder / "A.json").write_text(json.dumps(OTHER))

    assert workflow_library.read_folder() == 1
    assert NamedWorkflow.objects.get().graph == OTHER
    assert NamedWorkflow.objects.get().choices == {"parameters": {}}


def test_an_older_file_of_another_machine_is_not_read(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    workflow_library.read_folder()
    row = NamedWorkflow.objects.get()
    later = row.file_changed_at + timedelta(minutes=1)
    NamedWorkflow.objects.update(graph=OTHER, file_sha256="0" * 64, file_changed_at=later)

    assert workflow_library.read_folder() == 0
    assert current("A.json").graph == OTHER


def test_what_was_given_meanwhile_is_not_overwritten_by_an_unchanged_file(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    workflow_library.read_folder()
    NamedWorkflow.objects.update(graph=OTHER)

    assert workflow_library.read_folder() == 0
    assert current("A.json").graph == OTHER


def test_what_another_process_wrote_meanwhile_is_not_overwritten(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    workflow_library.read_folder()
    (folder / "A.json").write_text(json.dumps(OTHER))
    late = current("A.json")
    NamedWorkflow.objects.get().save()

    assert not workflow_library.keep(late)
    assert NamedWorkflow.objects.get().graph == GRAPH


def test_a_broken_file_says_why_in_its_row(folder: Path) -> None:
    (folder / "A.json").write_text("{")
    workflow_library.read_folder()

    row = NamedWorkflow.objects.get()
    assert (row.graph, row.error["code"], row.document) == (None, "not_json", "{")


def test_the_editors_format_is_read_again_once_a_server_knows_its_classes(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(EDITORS))
    workflow_library.read_folder()
    refused = NamedWorkflow.objects.get().error["code"]
    ServerDefinitions.objects.create(
        server=factories.server(), definitions={"Odd": {"input": {}, "output": []}}
    )

    assert (refused, workflow_library.read_folder()) == ("unknown_class", 1)
    assert NamedWorkflow.objects.get().graph["1"]["class_type"] == "Odd"


def test_names_are_composed_however_a_disk_spells_them(folder: Path) -> None:
    name = "Étude n° 1.JSON"
    (folder / unicodedata.normalize("NFD", name)).write_text(json.dumps(GRAPH))

    assert workflow_library.available() == [name]
    assert current(unicodedata.normalize("NFD", name)).name == name


def test_two_files_that_differ_in_case_alone_are_one_workflow(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    (folder / "a.JSON").write_text(json.dumps(OTHER))

    assert workflow_library.read_folder() == 1
    assert workflow_library.available() == ["A.json"]


def test_a_graph_is_stored_in_the_order_in_which_every_database_gives_it_back(
    folder: Path,
) -> None:
    (folder / "A.json").write_text(json.dumps({"10": LOAD, "2": SAVE, "1": LOAD}))
    workflow_library.read_folder()

    assert list(current("A.json").graph) == ["1", "2", "10"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_says_so(folder: Path) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    (folder / "A.json").chmod(0)

    assert current("A.json").error["code"] == "unreadable"
