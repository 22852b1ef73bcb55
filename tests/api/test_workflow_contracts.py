"""The contract of a workflow: answered and chosen by whoever may, frozen with each batch."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from generation.models import Batch, NamedWorkflow, Style
from tests.api.calls import EXAMPLE
from tests.conftest import client_of

DATA = Path(__file__).resolve().parents[1] / "data/workflows/graphs"
ADDRESS = "/api/workflows/OmbresChinoises.json"
GENERATE = "/api/generate_ai_concept"


@pytest.fixture
def director(artist: User) -> APIClient:
    """The technical director's client: may give and change workflows."""
    user = User.objects.create_user("director", password="director-pw")
    user.user_permissions.add(Permission.objects.get(codename="give_workflow"))
    return client_of(user)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path
    return tmp_path


def change(client: APIClient, address: str = ADDRESS, **wanted: Any) -> Any:
    return client.patch(address, wanted, format="json")


def put(folder: Path, graph: str, name: str = "A.json") -> str:
    (folder / name).write_text((DATA / f"{graph}.json").read_text("utf-8"))
    return f"/api/workflows/{name}"


def two_pictures(folder: Path) -> str:
    """A workflow in which either of two loaders may take the panel: nodes 11 and 70."""
    address = put(folder, "c11_two_loadimages")
    loader = {"class_type": "LoadImage", "inputs": {"image": "second.png"}}
    edit(folder / "A.json", _70=loader)
    return address


def edit(file: Path, **nodes: Any) -> None:
    """Write the graph of a file anew, with these nodes instead of its own."""
    graph = json.loads(file.read_text("utf-8")) | {key[1:]: of for key, of in nodes.items()}
    file.write_text(json.dumps(graph))


def parameter(shown: Any, name: str) -> Any:
    return next(row for row in shown["parameters"] if row["name"] == name)


def refusals(answer: Any) -> list[tuple[str, str]]:
    return [(error["attr"], error["code"]) for error in answer.json()["errors"]]


def test_who_has_no_permission_is_refused_with_words(api: APIClient) -> None:
    answer = change(api, parameters={"steps": {"preset": 24}})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "generation.give_workflow" in answer.json()["detail"]
    assert not NamedWorkflow.objects.exclude(choices={}).exists()


def test_what_is_chosen_of_a_parameter_is_told(director: APIClient) -> None:
    chosen = {"label": "Steps", "order": 1, "min": 10, "max": 60, "preset": 24}
    answer = change(director, parameters={"steps": chosen})

    steps = answer.json()["parameters"][0]
    assert (steps["name"], steps["label"], steps["min"], steps["max"]) == ("steps", "Steps", 10, 60)
    assert (steps["default"], steps["default_source"]) == (24, "preset")
    schema = answer.json()["schema"]["properties"]["steps"]
    assert schema == {"title": "Steps", "type": "integer", "minimum": 10, "maximum": 60}


def test_a_preset_beats_the_file_and_is_beaten_by_style_and_request(director: APIClient) -> None:
    presets = {name: {"preset": 0.25} for name in ("denoise", "lora_strength", "cfg")}
    style = Style.objects.get(code="ombres_chinoises")
    Style.objects.filter(pk=style.pk).update(params={"lora_strength": 0.5})
    change(director, parameters=presets)
    director.post(GENERATE, EXAMPLE | {"params": {"cfg": 7.5}}, format="json")

    params = Batch.objects.get().params
    assert (params["denoise"], params["lora_strength"], params["cfg"]) == (0.25, 0.5, 7.5)


def test_what_is_asked_for_is_held_against_the_chosen_bounds(director: APIClient) -> None:
    change(director, parameters={"steps": {"max": 20}})
    answer = director.post(GENERATE, EXAMPLE | {"params": {"steps": 21}}, format="json")

    assert refusals(answer) == [("params.steps", "out_of_bounds")]


def test_what_is_not_offered_cannot_be_asked_for(director: APIClient) -> None:
    shown = change(director, parameters={"checkpoint": {"offered": False}}).json()
    answer = director.post(GENERATE, EXAMPLE | {"params": {"checkpoint": "a.ckpt"}}, format="json")

    assert parameter(shown, "checkpoint")["offered"] is False
    assert "checkpoint" not in shown["schema"]["properties"]
    assert refusals(answer) == [("params.checkpoint", "not_offered")]


def test_null_takes_a_choice_back(director: APIClient) -> None:
    first = director.get(ADDRESS).json()
    change(director, parameters={"steps": {"preset": 24, "label": "S"}, "cfg": {"preset": 2}})
    half = change(director, parameters={"steps": {"preset": None}, "cfg": None}).json()
    whole = change(director, parameters={"steps": None}).json()

    assert (parameter(half, "steps")["label"], parameter(half, "steps")["default"]) == ("S", 30)
    assert whole == first


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({"parameters": {"stps": {"preset": 1}}}, [("parameters.stps", "unknown_parameter")]),
        ({"parameters": {"panel": {"label": "P"}}}, [("parameters.panel", "unknown_parameter")]),
        ({"parameters": {"steps": {"max": 10001}}}, [("parameters.steps.max", "out_of_bounds")]),
        ({"parameters": {"steps": {"min": 0}}}, [("parameters.steps.min", "out_of_bounds")]),
        ({"parameters": {"steps": {"min": 1.5}}}, [("parameters.steps.min", "wrong_type")]),
        (
            {"parameters": {"steps": {"min": 9, "max": 8}}},
            [("parameters.steps.max", "out_of_bounds")],
        ),
        ({"parameters": {"prompt": {"max": 8}}}, [("parameters.prompt.max", "no_bounds")]),
        (
            {"parameters": {"steps": {"max": 20, "preset": 21}}},
            [("parameters.steps.preset", "out_of_bounds")],
        ),
        ({"parameters": {"steps": {"preset": "20"}}}, [("parameters.steps.preset", "wrong_type")]),
        ({"parameters": {"steps": {"label": "x" * 101}}}, [("parameters.steps.label", "too_long")]),
        ({"parameters": {"steps": {"order": -1}}}, [("parameters.steps.order", "out_of_bounds")]),
        ({"parameters": {"steps": {"colour": 1}}}, [("parameters.steps.colour", "unknown_key")]),
        (
            {"parameters": {"steps": {"offered": "no"}}},
            [("parameters.steps.offered", "not_a_boolean")],
        ),
        (
            {"parameters": {"prompt": {"preset": "{plan} by {nobody}"}}},
            [("parameters.prompt.preset", "unknown_field")],
        ),
        ({"parameters": {"steps": 3}}, [("parameters.steps", "not_an_object")]),
        ({"answers": {"which_panel": "99"}}, [("answers.which_panel", "not_an_option")]),
        ({"answers": {"which_house": "1"}}, [("answers.which_house", "unknown_key")]),
        ({}, [(None, "required")]),
        (
            {"parameters": {"width": {"preset": 16384}, "height": {"preset": 16384}}},
            [("parameters.width.preset", "too_large"), ("parameters.height.preset", "too_large")],
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(
    director: APIClient, wanted: Any, refused: Any
) -> None:
    answer = change(director, **wanted)

    assert (answer.status_code, refusals(answer)) == (400, refused)
    assert not NamedWorkflow.objects.exclude(choices={}).exists()


def test_an_answered_question_is_none_any_more(director: APIClient, folder: Path) -> None:
    address = two_pictures(folder)
    (question,) = director.get(address).json()["questions"]
    wanted = question["options"][1]["node"]
    shown = change(director, address, answers={"which_panel": wanted}).json()

    assert question["code"] == "which_panel"
    assert (shown["questions"], shown["panel"]["node"]) == ([], wanted)
    assert shown["answers"] == {"which_panel": wanted}


def test_a_workflow_with_an_open_question_is_not_run_until_it_is_answered(
    director: APIClient, folder: Path
) -> None:
    address = two_pictures(folder)
    wanted = EXAMPLE | {"workflow_json": "A.json", "params": {}}
    refused = director.post(GENERATE, wanted, format="json")
    change(director, address, answers={"which_panel": "70"})
    taken = director.post(GENERATE, wanted, format="json")

    assert (refused.status_code, refused.json()["code"]) == (400, "open_which_panel")
    assert taken.status_code == 201


def test_none_of_the_pictures_may_be_the_panel(director: APIClient, folder: Path) -> None:
    address = two_pictures(folder)
    shown = change(director, address, answers={"which_panel": ""}).json()

    assert (shown["questions"], shown["panel"], shown["needs_panel"]) == ([], None, False)
    assert shown["answers"] == {"which_panel": ""}
    assert len(shown["needs"]["files"]) == 2


def test_a_painted_mask_may_be_given_up(director: APIClient, folder: Path) -> None:
    address = put(folder, "c18c_mask_editor_small")
    shown = change(director, address, answers={"painted_mask": "11"}).json()

    assert shown["questions"] == []
    assert [said["code"] for said in shown["warnings"]] == ["mask_lost"]


def test_an_answer_beats_a_title(director: APIClient, folder: Path) -> None:
    address = put(folder, "c11c_panel_title")
    titled = director.get(address).json()["panel"]["node"]
    graph = director.get(f"{address}/graph").json()["graph"]
    other = next(
        key for key, of in graph.items() if of["class_type"] == "LoadImage" and key != titled
    )
    shown = change(director, address, answers={"which_panel": other}).json()

    assert shown["panel"]["node"] == other


def test_choices_survive_a_new_export_where_the_node_is_still_there(
    director: APIClient, folder: Path
) -> None:
    address = two_pictures(folder)
    change(director, address, answers={"which_panel": "70"}, parameters={"steps": {"preset": 9}})
    note = {"class_type": "LoadImage", "inputs": {"image": "new.png"}}
    edit(folder / "A.json", _77=note)
    shown = director.get(address).json()

    assert shown["answers"] == {"which_panel": "70"}
    assert (shown["questions"], parameter(shown, "steps")["default"]) == ([], 9)


def test_they_become_questions_again_where_the_node_is_another(
    director: APIClient, folder: Path
) -> None:
    address = two_pictures(folder)
    change(director, address, answers={"which_panel": "70"})
    other = {"class_type": "LoadImageOutput", "inputs": {"image": "new.png"}}
    edit(folder / "A.json", _70=other)
    shown = director.get(address).json()

    assert shown["answers"] == {}
    assert "which_panel" in [asked["code"] for asked in shown["questions"]]
    assert "choice_gone" in [said["code"] for said in shown["warnings"]]


def test_a_batch_freezes_the_contract_that_it_was_made_with(director: APIClient) -> None:
    director.post(GENERATE, EXAMPLE, format="json")
    shown = change(director, parameters={"steps": {"max": 40}}).json()
    director.post(GENERATE, EXAMPLE, format="json")

    after, before = Batch.objects.select_related("workflow").order_by("-pk")
    assert before.workflow.sha256 == after.workflow.sha256
    assert (before.workflow.choices, after.workflow.contract_sha256) == (
        {},
        shown["contract_sha256"],
    )
    assert before.workflow.contract_sha256 != after.workflow.contract_sha256


def test_a_change_that_another_has_overtaken_is_refused(
    director: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(row: NamedWorkflow) -> Any:
        NamedWorkflow.objects.get(pk=row.pk).save()
        return original(row)

    original = NamedWorkflow.unstored_copy
    change(director, parameters={"cfg": {"label": "first"}})
    monkeypatch.setattr(NamedWorkflow, "unstored_copy", overtaken)
    answer = change(director, parameters={"steps": {"preset": 24}})

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")


def test_a_broken_workflow_has_no_contract(director: APIClient, folder: Path) -> None:
    (folder / "A.json").write_text("{")
    answer = change(director, "/api/workflows/A.json", parameters={"steps": {"preset": 24}})

    assert (answer.status_code, answer.json()["code"]) == (409, "workflow_not_json")


def test_what_does_not_exist_has_no_contract(director: APIClient) -> None:
    answer = change(director, "/api/workflows/B.json", parameters={"steps": {"preset": 24}})

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_workflow")
