"""Recipes over HTTP: by a version, by a hash, by a file; and a version that is made again."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from generation.models import Batch, Version
from generation.states import RunState
from tests import factories, pictures
from tests.driver import flying

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "6a1f6c1e-52c0-4b0e-9d1c-0c8a4f6f7a35"}


@pytest.fixture
def rendered(db: None) -> Version:
    """A version that a prompt made."""
    batch = factories.batch([RunState.DONE], workflow=flying.workflow(flying.SAMPLED))
    version = batch.versions.get()
    done = {"outcome": "done", "graph": flying.SAMPLED, "seed": "1"}
    version.attempt = factories.attempt(batch.runs.get(), **done)
    version.pixels_sha256 = "a" * 64
    version.save()
    return version


@pytest.fixture
def uploaded(rendered: Version) -> Version:
    """A version that an artist uploaded."""
    return factories.version(rendered.plan, number=2, origin=Version.Origin.UPLOAD)


def rerun(api: APIClient, version: Version, body: Any = None, **headers: str) -> Any:
    return api.post(f"/api/versions/{version.pk}/rerun", body or {}, format="json", headers=headers)


def look_up(api: APIClient, content: bytes, name: str = "renamed.jpg") -> Any:
    file = SimpleUploadedFile(name, content)
    return api.post("/api/recipes/lookup", {"file": file}, format="multipart")


def test_a_version_has_its_recipe(api: APIClient, rendered: Version) -> None:
    answer = api.get(f"/api/versions/{rendered.pk}/recipe").json()

    assert answer["graph"] == flying.SAMPLED
    assert answer["parameters"]["steps"] == {"value": 10, "source": "workflow"}
    assert (answer["seed"], answer["workflow"]["workflow_json"]) == ("1", "Test.json")
    assert answer["version"]["url"].startswith("http://testserver/files/")


def test_an_uploaded_picture_has_one_without_a_prompt(api: APIClient, uploaded: Version) -> None:
    answer = api.get(f"/api/versions/{uploaded.pk}/recipe").json()

    assert (answer["origin"], answer["graph"], answer["seed"]) == ("upload", None, None)
    assert (answer["parameters"], answer["models"], answer["attempts"]) == ({}, [], [])


@pytest.mark.parametrize("name", ["sha256", "pixels_sha256"])
def test_a_recipe_is_found_by_a_hash(name: str, api: APIClient, rendered: Version) -> None:
    answer = api.get(f"/api/recipes/{getattr(rendered, name)}").json()

    assert (answer["id"], answer["matched_by"], answer["also"]) == (rendered.pk, name, [])


@pytest.mark.parametrize("sha256", ["0" * 64, "abc", "%00", "1" * 5000])
def test_a_hash_of_nothing_is_404(sha256: str, api: APIClient, rendered: Version) -> None:
    assert api.get(f"/api/recipes/{sha256}").status_code == 404


def test_an_unknown_version_has_no_recipe(api: APIClient) -> None:
    answer = api.get("/api/versions/4711/recipe")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version")


def test_a_recipe_is_found_by_the_file_under_another_name(
    api: APIClient, rendered: Version
) -> None:
    answer = look_up(api, factories.png())

    assert (answer.status_code, answer.json()["id"]) == (200, rendered.pk)


def test_a_recipe_is_found_by_the_pixels_of_a_file_that_was_written_anew(
    api: APIClient, plans: Any
) -> None:
    panel = pictures.plain()
    sent = SimpleUploadedFile("a.png", panel)
    place = {"project_id": factories.PROJECT_ID, "season": "S02", "episode": "E202"}
    body = place | {"sequence_id": "SQ0010", "plan": "0010", "file": sent}
    made = api.post("/api/panels", body, format="multipart").json()

    answer = look_up(api, pictures.encoded(pictures.opened(panel), "WEBP", lossless=True)).json()

    assert (answer["id"], answer["matched_by"]) == (made["id"], "pixels_sha256")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (factories.png(color="pink"), 404, "unknown_picture"),
        (b"", 400, "empty"),
        (b"no image", 400, "not_an_image"),
        (factories.png()[:60], 400, "truncated"),
    ],
    ids=["unknown", "empty", "no image", "cut short"],
)
def test_a_file_that_nobody_published_says_why(
    content: bytes, status: int, code: str, api: APIClient
) -> None:
    answer = look_up(api, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_nobody_else_reads_recipes(anonymous: APIClient, rendered: Version) -> None:
    addresses = [f"/api/versions/{rendered.pk}/recipe", f"/api/recipes/{rendered.sha256}"]

    assert [anonymous.get(address).status_code for address in addresses] == [401, 401]
    assert look_up(anonymous, factories.png()).status_code == 401
    assert rerun(anonymous, rendered).status_code == 401


def test_a_rerun_is_answered_like_any_request(api: APIClient, rendered: Version) -> None:
    answer = rerun(api, rendered)

    batch = Batch.objects.latest("pk")
    assert answer.status_code == 201
    assert answer.json() == {
        "status": "started",
        "batch_id": batch.public_id,
        "logs": [],
        "progress": 0,
        "results": [],
    }
    assert answer["Location"].endswith(f"status?batch_id={batch.public_id}")
    assert (batch.rerun_of, batch.runs.get().seed) == (rendered, "1")


def test_a_rerun_that_is_sent_twice_makes_one_batch(api: APIClient, rendered: Version) -> None:
    first = rerun(api, rendered, {"seed": "new"}, **KEY)
    again = rerun(api, rendered, {"seed": "new"}, **KEY)

    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert Batch.objects.filter(rerun_of=rendered).count() == 1


def test_a_key_of_another_rerun_is_a_conflict(api: APIClient, rendered: Version) -> None:
    rerun(api, rendered, {"seed": "new"}, **KEY)

    answer = rerun(api, rendered, {"seed": 5}, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({"seed": True}, "seed", "not_a_number"),
        ({"seed": 1.5}, "seed", "not_a_number"),
        ({"seed": "other"}, "seed", "wrong_type"),
        ({"plans": []}, "plans", "empty"),
        ({"plans": ["0010"]}, "plans.0", "not_an_object"),
        ({"plans": [{"sequence_id": "SQ0010", "plan": "10"}]}, "plans.0.plan", "invalid_plan"),
        ({"plans": [{"plan": "0010"}]}, "plans.0.sequence_id", "required"),
        ({"variations": 0}, "variations", "min_value"),
        ({"steps": 5}, "steps", "unknown_key"),
    ],
)
def test_what_a_rerun_cannot_take_is_400_with_its_place(
    body: dict[str, Any], attr: str, code: str, api: APIClient, rendered: Version
) -> None:
    answer = rerun(api, rendered, body)

    assert (answer.status_code, answer.json()["attr"], answer.json()["code"]) == (400, attr, code)


def test_a_body_that_is_no_object_is_400(api: APIClient, rendered: Version) -> None:
    assert rerun(api, rendered, [1]).status_code == 400


def test_what_no_prompt_made_cannot_be_made_again(api: APIClient, uploaded: Version) -> None:
    answer = rerun(api, uploaded)

    assert (answer.status_code, answer.json()["code"]) == (409, "not_rendered")


def test_an_unknown_version_cannot_be_made_again(api: APIClient) -> None:
    assert api.post("/api/versions/4711/rerun", {}, format="json").status_code == 404
