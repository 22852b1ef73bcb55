"""The pages of a workflow: dropped, looked at, answered, chosen, tried on one plan."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from generation.models import Batch, NamedWorkflow, PlanRun
from generation.services import workflow_library
from tests import factories
from tests.admin.pages import said, text, url

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[1] / "data/workflows/graphs"
MODEL = "namedworkflow"
GIVE = "/admin/generation/namedworkflow/give/"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    return tmp_path / "workflows"


@pytest.fixture
def forest(folder: Path) -> NamedWorkflow:
    """A workflow with two passes, and no question."""
    return stored(folder, "c01_hires_fix")


def stored(folder: Path, graph: str) -> NamedWorkflow:
    (folder / "Forest.json").write_text((DATA / f"{graph}.json").read_text("utf-8"))
    workflow_library.read_folder()
    return NamedWorkflow.objects.get()


def two_pictures(folder: Path) -> NamedWorkflow:
    """A workflow in which either of two loaders may take the panel: nodes 11 and 70."""
    graph = json.loads((DATA / "c11_two_loadimages.json").read_text("utf-8"))
    graph["70"]["_meta"] = {"title": "Load Image"}
    (folder / "Forest.json").write_text(json.dumps(graph))
    workflow_library.read_folder()
    return NamedWorkflow.objects.get()


def save(client: Client, row: NamedWorkflow, **fields: str) -> Any:
    """Send the form of the contract: all that is offered stays so, unless told otherwise."""
    ticked = re.findall(r'name="(\w+:offered)"', text(client, url(MODEL, row.pk)))
    offered = dict.fromkeys(ticked, "on")
    form = offered | {name.replace("__", ":"): value for name, value in fields.items()}
    return client.post(url(MODEL, row.pk, "contract"), form)


def test_a_dropped_file_becomes_a_workflow_and_is_shown(office: Client) -> None:
    content = (DATA / "c01_hires_fix.json").read_bytes()
    answer = office.post(GIVE, {"file": factories.sent(content, "Forest.json"), "name": ""})

    row = NamedWorkflow.objects.get()
    assert (answer["Location"], said(answer)) == (url(MODEL, row.pk), ["Forest.json is given."])
    assert (row.name, row.changed_by.username) == ("Forest.json", "supervisor")


def test_what_the_conversion_left_out_stands_on_its_page(office: Client) -> None:
    content = (DATA.parent / "editor/h02_bypass_lora.ui.json").read_bytes()
    answer = office.post(GIVE, {"file": factories.sent(content, "Forest.json"), "name": ""})

    assert "In the editor node 2 (LoraLoader) is bypassed" in text(office, answer["Location"])


def test_what_cannot_be_used_is_said_with_its_node(office: Client) -> None:
    content = (DATA / "c15_save_video.json").read_bytes()
    (told,) = said(office.post(GIVE, {"file": factories.sent(content, "Film.json")}))

    assert told.startswith("Film.json: The workflow saves a video (node ")
    assert not NamedWorkflow.objects.exists()


def test_the_page_draws_the_graph(office: Client, forest: NamedWorkflow) -> None:
    shown = text(office, url(MODEL, forest.pk))

    assert shown.count("<rect x=") == len(forest.graph)
    assert 'class="is-result "' in shown
    assert "can be run" in shown


def test_a_question_is_answered_by_choosing_a_node(office: Client, folder: Path) -> None:
    row = two_pictures(folder)
    before = text(office, url(MODEL, row.pk))
    save(office, row, which_panel="70")
    after = text(office, url(MODEL, row.pk))

    assert ("A question" in before, "A question" in after) == (True, False)
    assert '<option value="70" selected>' in after
    row.refresh_from_db()
    assert row.choices["answers"]["which_panel"]["node"] == "70"


def test_none_of_the_pictures_can_be_chosen(office: Client, folder: Path) -> None:
    row = two_pictures(folder)
    save(office, row, which_panel="none")

    row.refresh_from_db()
    assert row.choices["answers"]["which_panel"]["among"] == ["11", "70"]


def test_parameters_are_chosen(office: Client, forest: NamedWorkflow) -> None:
    answer = save(office, forest, steps__label="Steps", steps__max="60", steps__preset="24")

    assert said(answer) == ["The contract of Forest.json is changed for what is asked next."]
    forest.refresh_from_db()
    chosen = forest.choices["parameters"]["steps"]
    assert (chosen["label"], chosen["max"], chosen["preset"]) == ("Steps", 60, 24)
    assert forest.changed_by.username == "supervisor"


def test_what_is_left_empty_is_taken_back(office: Client, forest: NamedWorkflow) -> None:
    save(office, forest, steps__label="Steps", steps__preset="24")
    save(office, forest, steps__label="Steps")

    forest.refresh_from_db()
    assert "preset" not in forest.choices["parameters"]["steps"]


def test_what_does_not_fit_is_marked_and_nothing_is_changed(
    office: Client, forest: NamedWorkflow
) -> None:
    answer = save(office, forest, steps__max="20", steps__preset="21")

    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing was changed" in shown
    assert "must be between 1 and 20, not 21" in shown
    forest.refresh_from_db()
    assert forest.choices == {}


def test_it_is_tried_on_one_plan(office: Client, forest: NamedWorkflow) -> None:
    (plan,) = factories.plans({"SQ0010": ["0010"]})
    form = {"plan": plan.pk, "style": "labo"}
    answer = office.post(url(MODEL, forest.pk, "try"), form)

    batch = Batch.objects.get()
    assert answer["Location"] == url("batch", batch.pk)
    assert PlanRun.objects.get().plan == plan
    assert batch.workflow is not None
    assert (batch.workflow.name, batch.workflow.sha256) == ("Forest.json", forest.sha256)


def test_one_with_a_question_cannot_be_tried(office: Client, folder: Path) -> None:
    row = two_pictures(folder)
    (plan,) = factories.plans({"SQ0010": ["0010"]})
    answer = office.post(url(MODEL, row.pk, "try"), {"plan": plan.pk, "style": "labo"})

    assert said(answer)[0].startswith("Nothing was asked for. Nodes 70, 11 each load a picture.")
    assert not Batch.objects.exists()


def test_a_broken_one_says_why(office: Client, folder: Path) -> None:
    (folder / "Forest.json").write_text("{")
    workflow_library.read_folder()
    row = NamedWorkflow.objects.get()

    assert "It cannot be used" in text(office, url(MODEL, row.pk))
    assert "cannot be used" in text(office, url(MODEL))


@pytest.mark.parametrize("act", ["contract", "try"])
def test_who_may_only_look_changes_nothing(
    visitor: Client, forest: NamedWorkflow, act: str
) -> None:
    shown = text(visitor, url(MODEL, forest.pk))

    assert "<fieldset disabled>" in shown
    assert visitor.post(url(MODEL, forest.pk, act), {}).status_code == 403
    assert visitor.post(GIVE, {}).status_code == 403


def test_a_gone_workflow_is_told(office: Client) -> None:
    assert said(office.post(url(MODEL, 77, "contract"))) == ["There is no workflow '77'."]
