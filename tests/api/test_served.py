"""What is served of a file: only what a picture needs; the master keeps its bytes."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from generation import storage
from generation.models import Plan, Version
from generation.models.version import NOT_SHOWABLE
from generation.services import derived_making, web_copy_backfill
from generation.states import Mode, RunState
from tests import factories
from tests import pictures as made
from tests.api.calls import panel, status, upload

pytestmark = pytest.mark.django_db


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sent(api: APIClient, content: bytes, ending: str = "png") -> dict[str, Any]:
    """What the API says of a panel that was sent."""
    answer = panel(api, content, file=factories.sent(content, f"panel.{ending}"))
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def thumbnail(api: APIClient, said: dict[str, Any]) -> bytes:
    """The small picture of what was sent, once it is made."""
    derived_making.Maker().make_pending()
    answer = api.get(said["thumbnail_url"])
    assert answer.status_code == 200, answer.json()
    return bytes(answer.content)


def found_on_disk(plans: list[Plan], content: bytes, **fields: Any) -> Version:
    """A version that nobody has looked at yet."""
    unknown = {"origin": Version.Origin.FOUND, "width_px": 0, "height_px": 0}
    return factories.version(plans[0], content=content, **unknown | fields)


def by_id(version: Version, query: str = "") -> str:
    return f"/files/{version.pk}/{version}{query}"


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (made.DIRTY["a PNG with a place in its EXIF"], "png"),
        (made.DIRTY["a JPEG with a place in its EXIF"], "jpg"),
        (made.DIRTY["a WebP with a place in its EXIF"], "webp"),
    ],
    ids=["PNG", "JPEG", "WebP"],
)
def test_a_panel_is_served_without_its_place_and_the_page_behind_it(
    api: APIClient, projects_root: Path, content: Callable[[], bytes], ending: str
) -> None:
    master = content()
    said = sent(api, master, ending)

    served = api.get(said["url"]).content

    assert (made.GPS in served, made.HTML in served) == (False, False)
    assert (projects_root / said["path"]).read_bytes() == master
    assert (said["sha256"], said["served_sha256"]) == (sha256(master), sha256(served))


def test_an_upload_is_served_without_its_place_and_the_page_behind_it(api: APIClient) -> None:
    batch = factories.batch([RunState.WAITING], mode=Mode.MANUEL)
    master = made.turned("PNG", 1) + made.HTML

    upload(api, batch, master)
    said = status(api, batch).json()["results"][0]
    served = api.get(said["url"]).content

    assert (made.GPS in served, made.HTML in served) == (False, False)
    assert (said["sha256"], said["served_sha256"]) == (sha256(master), sha256(served))


def test_a_file_that_is_nothing_but_a_picture_is_served_as_it_is(api: APIClient) -> None:
    said = sent(api, made.plain())

    assert api.get(said["url"]).content == made.plain()
    assert said["served_sha256"] == said["sha256"]


def test_a_render_is_served_as_it_is(api: APIClient, plans: list[Plan]) -> None:
    master = made.with_chunks(made.chunk(b"tEXt", b"prompt\0{}"))
    version = factories.version(plans[0], content=master)

    assert api.get(by_id(version)).content == master


def test_a_picture_on_its_side_is_upright_everywhere(api: APIClient) -> None:
    said = sent(api, made.turned("JPEG", 6), "jpg")

    assert (said["width"], said["height"]) == (36, 64)
    assert made.opened(api.get(said["url"]).content).size == (36, 64)
    assert made.opened(thumbnail(api, said)).size == (36, 64)


def test_grey_of_16_bits_is_grey_in_its_thumbnail(api: APIClient) -> None:
    said = sent(api, made.grey_of_16_bits(0x4040))

    pixel: Any = made.opened(thumbnail(api, said)).getpixel((9, 9))
    assert pixel[0] == pytest.approx(0x40, abs=2)


@pytest.mark.parametrize(
    "content",
    [
        lambda: made.plain("PNG", (1, 20_000), "L"),
        lambda: made.with_chunks(made.chunk(b"eXIf", b"broken")),
        lambda: made.with_chunks(made.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\nzz")),
        lambda: made.with_profile(2 * 2**20),
        made.apng_of_one,
    ],
    ids=["1 x 20000", "eXIf", "Raw profile", "profile of 2 MiB", "APNG of one"],
)
def test_what_is_published_can_be_shown(api: APIClient, content: Callable[[], bytes]) -> None:
    said = sent(api, content())

    assert made.opened(thumbnail(api, said)).format == "WEBP"
    assert api.get(said["url"]).status_code == 200


def test_a_copy_that_was_removed_is_made_again(api: APIClient, home: Path) -> None:
    said = sent(api, made.turned("JPEG", 6), "jpg")
    [copy] = [each for each in (home / "served").rglob("*") if each.is_file()]
    copy.unlink()

    assert sha256(api.get(said["url"]).content) == said["served_sha256"]


def test_where_no_copy_can_be_kept_it_is_served_all_the_same(api: APIClient, home: Path) -> None:
    (home / "served").touch()

    said = sent(api, made.turned("JPEG", 6), "jpg")

    assert sha256(api.get(said["url"]).content) == said["served_sha256"]


def test_a_page_that_was_found_under_a_name_is_not_served(
    api: APIClient, plans: list[Plan]
) -> None:
    version = found_on_disk(plans, made.HTML)

    answer = api.get(by_id(version))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_showable")
    assert "not an image" in answer.json()["detail"]


def test_a_jpeg_that_was_found_under_the_name_of_a_png_is_not_served(
    api: APIClient, plans: list[Plan]
) -> None:
    version = found_on_disk(plans, made.plain("JPEG"))

    assert "it is a JPG image" in api.get(by_id(version)).json()["detail"]


def test_a_file_that_another_has_replaced_is_not_served_in_its_place(
    api: APIClient, plans: list[Plan], projects_root: Path
) -> None:
    version = found_on_disk(plans, made.plain())
    (projects_root / version.path).write_bytes(made.plain("PNG", (9, 9)))

    assert api.get(by_id(version)).json()["code"] == "file_missing"


def test_a_file_is_served_as_nothing_but_a_picture(api: APIClient, plans: list[Plan]) -> None:
    answer = api.get(by_id(factories.version(plans[0])))

    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "image/png"


def test_the_tick_finds_out_what_is_served_of_what_was_found(plans: list[Plan]) -> None:
    version = found_on_disk(plans, made.turned("PNG", 6) + made.HTML)

    assert web_copy_backfill.fill() == 1

    version.refresh_from_db()
    assert (version.width_px, version.height_px) == (36, 64)
    assert version.is_showable
    assert web_copy_backfill.fill() == 0


def test_the_tick_looks_once_at_what_cannot_be_shown(plans: list[Plan]) -> None:
    version = found_on_disk(plans, made.HTML)

    assert (web_copy_backfill.fill(), web_copy_backfill.fill()) == (1, 0)

    version.refresh_from_db()
    assert version.served_sha256 == NOT_SHOWABLE


def test_the_tick_looks_again_at_what_was_not_there(plans: list[Plan]) -> None:
    version = found_on_disk(plans, made.plain())
    storage.absolute(version.path).rename(storage.root() / "away")
    first = web_copy_backfill.fill()
    (storage.root() / "away").rename(storage.absolute(version.path))

    assert (first, web_copy_backfill.fill()) == (0, 1)


def test_what_decoding_takes_too_much_of_is_refused_with_words(
    api: APIClient, settings: Any
) -> None:
    settings.MADSEA_DECODE_MEMORY_MIB = 256

    answer = panel(api, made.unfolding(), file=factories.sent(made.unfolding(), "panel.webp"))

    assert (answer.status_code, answer.json()["code"]) == (400, "too_costly")
    assert "256 MiB" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "code"), [("", "file_missing"), ("?w=160", "no_thumbnail")], ids=["file", "thumbnail"]
)
def test_a_file_that_has_grown_to_3_gb_is_not_read(
    api: APIClient, plans: list[Plan], query: str, code: str
) -> None:
    version = factories.version(plans[0])
    os.truncate(storage.absolute(version.path), 3 * 2**30)
    derived_making.Maker().make_pending()

    assert api.get(by_id(version, query)).json()["code"] == code
