"""Workflows that are given by a file, whatever exported it: by the API."""

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rest_framework.test import APIClient

from generation.models import NamedWorkflow
from tests import factories
from tests.conftest import client_of

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[1] / "data/workflows"
ADDRESS = "/api/workflows"
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "mine"}}
LOAD = {"class_type": "LoadImage", "inputs": {"image": "panel.png"}}
GRAPH = {"1": LOAD, "2": SAVE}
OTHER = {**GRAPH, "2": {**SAVE, "inputs": {**SAVE["inputs"], "filename_prefix": "other"}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    return tmp_path / "workflows"


@pytest.fixture
def director(db: None) -> APIClient:
    """The technical director's client: may give and change workflows."""
    user = User.objects.create_user("director", password="director-pw")
    user.user_permissions.add(Permission.objects.get(codename="give_workflow"))
    return client_of(user)


def give(client: APIClient, content: Any, filename: str = "A.json", **fields: str) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(ADDRESS, {"file": factories.sent(raw, filename), **fields})


def graph_of(name: str = "A.json") -> Any:
    return NamedWorkflow.objects.get(name=name).graph


def png(**texts: str) -> bytes:
    written = PngInfo()
    for name, text in texts.items():
        written.add_text(name, text, zip=name == "workflow")
    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, "PNG", pnginfo=written)
    return held.getvalue()


def webp(*texts: str) -> bytes:
    """A WebP as ComfyUI's own nodes write it: from the tag Model downwards."""
    picture = Image.new("RGB", (8, 8))
    exif = picture.getexif()
    for number, text in enumerate(texts):
        exif[0x0110 - number] = text
    held = io.BytesIO()
    picture.save(held, "WEBP", exif=exif)
    return held.getvalue()


def test_a_workflow_is_given_and_told(director: APIClient) -> None:
    answer = give(director, GRAPH)

    assert (answer.status_code, answer.json()["workflow_json"]) == (201, "A.json")
    assert answer.headers["Location"].endswith("/api/workflows/A.json")
    assert graph_of() == GRAPH
    assert NamedWorkflow.objects.get().changed_by.username == "director"


def test_a_new_export_takes_its_place_and_what_was_chosen_stays(director: APIClient) -> None:
    give(director, GRAPH)
    NamedWorkflow.objects.update(choices={"parameters": {}})
    answer = give(director, OTHER)

    assert (answer.status_code, graph_of()) == (200, OTHER)
    assert NamedWorkflow.objects.get().choices == {"parameters": {}}


def test_whoever_may_not_give_workflows_is_refused_with_words(api: APIClient) -> None:
    answer = give(api, GRAPH)

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not NamedWorkflow.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        {"prompt": GRAPH},
        {"input": {"workflow": GRAPH}},
        {"workflow": GRAPH},
        {"prompt": GRAPH, "extra_data": {"extra_pnginfo": {"workflow": {"nodes": []}}}},
        b"\xef\xbb\xbf" + json.dumps(GRAPH).encode(),
        png(prompt=json.dumps(GRAPH)),
        png(prompt=json.dumps(GRAPH), workflow=json.dumps({"nodes": [], "links": []})),
        webp("prompt:" + json.dumps(GRAPH)),
        webp("prompt:" + json.dumps(GRAPH), 'workflow:{"nodes": [], "links": []}'),
    ],
)
def test_whatever_is_around_the_graph_is_taken_off(director: APIClient, content: Any) -> None:
    assert give(director, content).status_code == 201
    assert graph_of() == GRAPH


def test_the_editors_document_in_a_picture_is_converted(director: APIClient) -> None:
    document = (DATA / "editor/h01_plain.ui.json").read_text("utf-8")
    answer = give(director, png(workflow=document), "ComfyUI_00001_.png")

    assert answer.json()["workflow_json"] == "ComfyUI_00001_.json"
    assert graph_of("ComfyUI_00001_.json")["8"]["inputs"]["steps"] == 21


def test_what_a_server_added_to_the_prompt_that_it_executed_is_left_out(
    director: APIClient,
) -> None:
    executed = json.dumps({"1": {**LOAD, "is_changed": [float("nan")]}, "2": SAVE})
    give(director, png(prompt=executed))

    assert graph_of() == GRAPH


def test_a_picture_that_madsea_rendered_gets_its_own_names_back(director: APIClient) -> None:
    give(director, GRAPH)
    prompt_id = uuid.uuid4()
    frozen = factories.workflow()
    type(frozen).objects.filter(pk=frozen.pk).update(graph=GRAPH)
    run = factories.batch(workflow=frozen).runs.first()
    assert run is not None
    factories.attempt(run, prompt_id=prompt_id)
    rendered = {
        "1": {**LOAD, "inputs": {"image": f"madsea/{'a' * 64}.png"}},
        "2": {**SAVE, "inputs": {**SAVE["inputs"], "filename_prefix": f"madsea/{prompt_id}"}},
    }
    give(director, png(prompt=json.dumps(rendered)), "E202_SQ0010-0010_AI-concept_v0001.png")

    assert graph_of("E202_SQ0010-0010_AI-concept_v0001.json") == GRAPH


def test_names_of_a_madsea_that_is_not_this_one_become_plain_ones(director: APIClient) -> None:
    prefix = f"madsea/{uuid.uuid4()}-beside"
    saved = {**SAVE, "inputs": {**SAVE["inputs"], "filename_prefix": prefix}}
    give(director, png(prompt=json.dumps({"1": LOAD, "2": saved})))

    assert graph_of()["2"]["inputs"]["filename_prefix"] == "ComfyUI"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"{", "workflow_not_json", "JSON"),
        (b"", "workflow_not_json", "JSON"),
        (png(), "workflow_no_workflow", "Export (API)” under File"),
        (png(prompt="{"), "workflow_not_json", "prompt"),
        (png(prompt=json.dumps(GRAPH))[:60], "workflow_truncated", "image"),
        (factories.jpeg(), "workflow_not_json", "JSON"),
        ({"1": LOAD}, "workflow_saves_no_image", "SaveImage"),
        ({**GRAPH, "2": {**SAVE, "inputs": {"images": ["9", 0]}}}, "workflow_dangling_link", "9"),
        (
            {**GRAPH, "3": {**LOAD, "inputs": {"image": "x" * 32_001}}},
            "workflow_text_too_long",
            "3",
        ),
    ],
)
def test_what_is_no_workflow_is_refused_with_what_to_do(
    director: APIClient, content: Any, code: str, words: str
) -> None:
    answer = give(director, content)

    error = answer.json()["errors"][0]
    assert (answer.status_code, error["attr"], error["code"]) == (400, "file", code)
    assert words in error["detail"]
    assert not NamedWorkflow.objects.exists()


def test_a_graph_that_saves_a_video_is_not_told_to_export_it_anew(director: APIClient) -> None:
    answer = give(director, (DATA / "graphs/c15_save_video.json").read_bytes())

    assert answer.json()["code"] == "workflow_saves_video"
    assert "xport" not in answer.json()["detail"]


def test_a_text_that_unfolds_to_more_than_a_graph_may_have_is_not_unfolded(
    director: APIClient,
) -> None:
    answer = give(director, png(workflow=" " * (4 * 2**20 + 1)))

    assert answer.json()["code"] == "workflow_too_large"
    assert "4,194,304" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("settings_name", "bound"),
    [
        ("MADSEA_GRAPH_MAX_NODES", 1),
        ("MADSEA_GRAPH_MAX_BYTES", 100),
        ("MADSEA_TEXT_MAX_CHARACTERS", 3),
    ],
)
def test_the_bounds_are_settings(
    director: APIClient, settings: Any, settings_name: str, bound: int
) -> None:
    setattr(settings, settings_name, bound)
    answer = give(director, GRAPH)

    assert answer.status_code == 400
    assert f"{bound} are allowed" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", [" ", "a/b.json", "a\\b.json", "a\nb.json", ".hidden.json", "x" * 129]
)
def test_a_name_is_a_name_and_never_a_path(director: APIClient, name: str) -> None:
    answer = give(director, GRAPH, name=name)

    assert (answer.status_code, answer.json()["attr"]) == (400, "name")
    assert not NamedWorkflow.objects.exists()


@pytest.mark.parametrize("name", ["Étude n° 1", "forêt.v2 (final).json", "夜の森"])
def test_any_other_name_will_do(director: APIClient, name: str) -> None:
    give(director, GRAPH, name=name)

    assert director.get(f"{ADDRESS}/{name}").json()["workflow_json"] == name


def test_two_names_never_differ_in_case_alone(director: APIClient) -> None:
    give(director, GRAPH)
    answer = give(director, GRAPH, name="a.JSON")

    assert (answer.status_code, answer.json()["code"]) == (400, "name_taken")
    assert "A.json" in answer.json()["detail"]


def test_what_is_given_beats_the_file_of_that_name_until_that_is_changed(
    director: APIClient, folder: Path
) -> None:
    (folder / "A.json").write_text(json.dumps(GRAPH))
    give(director, OTHER)
    given = director.get(f"{ADDRESS}/A.json/graph").json()["graph"]
    (folder / "A.json").write_text(json.dumps({**GRAPH, "3": LOAD}))

    assert given == OTHER
    assert "3" in director.get(f"{ADDRESS}/A.json/graph").json()["graph"]


def test_what_the_conversion_left_out_is_told_where_it_is_given(director: APIClient) -> None:
    document = (DATA / "editor/h02_bypass_lora.ui.json").read_bytes()
    answer = give(director, document)

    told = [(said["code"], said["node"]) for said in answer.json()["warnings"]]
    assert ("bypassed", "2") in told
    assert director.get(f"{ADDRESS}/A.json").json()["warnings"] == answer.json()["warnings"]


def test_a_new_export_without_anything_left_out_says_nothing_more(director: APIClient) -> None:
    give(director, (DATA / "editor/h02_bypass_lora.ui.json").read_bytes())
    answer = give(director, (DATA / "editor/h01_plain.ui.json").read_bytes())

    assert "bypassed" not in [said["code"] for said in answer.json()["warnings"]]


def test_where_something_is_missing_for_it_a_refusal_names_what_was_left_out(
    director: APIClient,
) -> None:
    answer = give(director, (DATA / "editor/h06_mute_lora.ui.json").read_bytes())

    assert answer.json()["code"] == "workflow_missing_input"
    assert "is required and missing. In the editor node 2" in answer.json()["detail"]
    assert "is muted" in answer.json()["detail"]
