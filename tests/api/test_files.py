"""Files and thumbnails: by token, by session, by signed address, and by nothing else."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from PIL import Image
from rest_framework.test import APIClient

from generation import signed_urls, storage, thumbnails
from generation.models import Plan, Version
from generation.services import derived_making
from tests import factories


@pytest.fixture
def version(plans: list[Plan]) -> Version:
    return factories.version(plans[0], content=factories.png(640, 360, "white"))


def derived(version: Version) -> Version:
    """A version whose small pictures are made, as the workers make them."""
    derived_making.Maker().make_pending()
    version.refresh_from_db()
    return version


def by_id(version: Version, query: str = "") -> str:
    return f"/files/{version.pk}/{version}{query}"


def signed(version: Version, **options: Any) -> str:
    return signed_urls.signed_url(version.pk, str(version), **options)


def test_a_token_gets_the_file(api: APIClient, version: Version) -> None:
    answer = api.get(by_id(version))

    assert answer.status_code == 200
    assert answer.content == factories.png(640, 360, "white")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{version.sha256}"'
    assert answer["Content-Disposition"].startswith("inline;")


def test_a_session_gets_the_file(artist: User, version: Version) -> None:
    client = APIClient()
    client.force_login(artist)

    assert client.get(by_id(version)).status_code == 200


def test_a_signed_address_gets_the_file_without_a_token(
    anonymous: APIClient, version: Version
) -> None:
    answer = anonymous.get(signed(version), headers={"accept": "image/avif,image/webp"})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"


def test_the_address_of_a_result_works_in_a_page(api: APIClient, anonymous: APIClient) -> None:
    batch = factories.batch([factories.RunState.DONE])
    query = f"batch_id={batch.public_id}"
    result = api.get(f"/api/generate_ai_concept/status?{query}").json()["results"][0]

    answer = anonymous.get(result["url"].removeprefix("http://testserver"))

    assert len(answer.content) == result["bytes"]


def test_an_id_without_a_token_is_refused(anonymous: APIClient, version: Version) -> None:
    answer = anonymous.get(by_id(version))

    assert answer.status_code == 401


def test_an_address_grows_old(
    anonymous: APIClient, version: Version, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = signed(version)
    now = signed_urls.time.time()
    monkeypatch.setattr(signed_urls.time, "time", lambda: now + settings.MADSEA_FILE_LINK_S + 1)

    answer = anonymous.get(address)

    assert answer.status_code == 404
    assert "reload" in answer.json()["detail"]


@pytest.mark.parametrize("change", ["x", "0.0:a:b", ":::", "1.0"])
def test_an_address_that_was_not_signed_here_is_refused(
    anonymous: APIClient, version: Version, change: str
) -> None:
    assert anonymous.get(f"/files/{change}/{version}").status_code == 404


def test_a_signature_is_good_for_its_own_file_only(
    anonymous: APIClient, version: Version, plans: list[Plan]
) -> None:
    other = factories.version(plans[1])
    stolen = signed(version).replace(f"/{version.pk}.", f"/{other.pk}.")

    assert anonymous.get(stolen.replace(str(version), str(other))).status_code == 404


@pytest.mark.parametrize("width_px", [160, 320, 640])
def test_a_thumbnail_is_as_wide_as_asked_for(
    api: APIClient, version: Version, width_px: int
) -> None:
    answer = api.get(by_id(derived(version), f"?w={width_px}"))

    assert answer["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (width_px, width_px * 360 // 640)


def test_a_thumbnail_is_never_larger_than_its_image(api: APIClient, version: Version) -> None:
    answer = api.get(by_id(derived(version), "?w=1280"))

    assert Image.open(io.BytesIO(answer.content)).size == (640, 360)


@pytest.mark.parametrize("query", ["", "?w=320"])
def test_a_signed_address_gets_the_thumbnail(
    anonymous: APIClient, version: Version, query: str
) -> None:
    address = signed(version) + query if query else signed(version, width_px=320)
    derived(version)

    assert anonymous.get(address)["Content-Type"] == "image/webp"


def test_the_address_of_a_thumbnail_does_not_get_the_file(
    anonymous: APIClient, version: Version
) -> None:
    answer = anonymous.get(signed(derived(version), width_px=160) + "?w=1280")

    assert Image.open(io.BytesIO(answer.content)).width == 160


def test_looking_at_a_thumbnail_makes_none(api: APIClient, version: Version) -> None:
    answers = [api.get(by_id(version, "?w=320")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[1].json()["code"] == "thumbnail_pending"
    assert int(answers[1]["Retry-After"]) >= 1
    assert not (storage.root() / storage.DERIVED).exists()


def test_what_no_thumbnail_can_be_made_of_has_none(api: APIClient, plans: list[Plan]) -> None:
    version = derived(factories.version(plans[0], content=b"no image"))

    answer = api.get(by_id(version, "?w=320"))

    assert (answer.status_code, answer.json()["code"]) == (404, "no_thumbnail")


@pytest.mark.parametrize("width", ["0", "1", "321", "x", "-320", "1e9"])
def test_thumbnails_of_any_width_are_not_made(api: APIClient, version: Version, width: str) -> None:
    answer = api.get(by_id(version, f"?w={width}"))

    assert answer.status_code == 400
    assert answer.json()["attr"] == "w"


@pytest.mark.parametrize("query", ["", "?w=320"])
def test_a_file_that_the_browser_has_is_304(api: APIClient, version: Version, query: str) -> None:
    tag = api.get(by_id(derived(version), query))["ETag"]

    answer = api.get(by_id(version, query), headers={"if-none-match": tag})

    assert answer.status_code == 304
    assert answer.content == b""


def test_a_reserved_version_is_not_found(api: APIClient, plans: list[Plan]) -> None:
    assert api.get(by_id(factories.reserved(plans[0]))).status_code == 404


@pytest.mark.parametrize("name", ["other.png", "..", "%2e%2e%2fmadsea.sqlite3"])
def test_a_file_has_one_name(api: APIClient, version: Version, name: str) -> None:
    assert api.get(f"/files/{version.pk}/{name}").status_code == 404


@pytest.mark.parametrize("query", ["", "?w=320"])
def test_a_file_that_is_gone_from_the_disk_is_not_found(
    api: APIClient, version: Version, projects_root: Path, query: str
) -> None:
    (projects_root / version.path).unlink()

    assert api.get(by_id(derived(version), query)).status_code == 404


def test_a_row_never_leads_out_of_the_projects_root(api: APIClient, version: Version) -> None:
    Version.objects.update(path=f"../../../../../etc/{version}")

    answer = api.get(by_id(version))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage")


@pytest.mark.parametrize("version_id", ["0", "99999", "9" * 30])
def test_an_unknown_id_is_not_found(api: APIClient, version_id: str) -> None:
    assert api.get(f"/files/{version_id}/x.png").status_code == 404


def test_transparency_survives_in_a_thumbnail(plans: list[Plan]) -> None:
    held = io.BytesIO()
    Image.new("RGBA", (400, 200), (0, 0, 0, 0)).save(held, "PNG")
    version = derived(factories.version(plans[0], content=held.getvalue()))

    small = thumbnails.thumbnail(version, 160)

    with Image.open(io.BytesIO(small)) as opened:
        assert (opened.mode, opened.size) == ("RGBA", (160, 80))


def test_a_link_in_place_of_a_published_file_serves_nothing(
    api: APIClient, version: Version, projects_root: Path
) -> None:
    (projects_root / version.path).unlink()
    (projects_root / version.path).symlink_to("/etc/passwd")

    answer = api.get(by_id(version))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "file_missing")


def test_a_link_in_place_of_a_published_file_has_no_thumbnail(
    api: APIClient, version: Version, projects_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "private.png").write_bytes(factories.png())
    (projects_root / version.path).unlink()
    (projects_root / version.path).symlink_to(tmp_path / "private.png")

    assert api.get(by_id(derived(version), "?w=160")).status_code == 404
