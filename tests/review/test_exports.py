"""What leaves the light table: a zip of pictures, and a contact sheet."""

import hashlib
import logging
from typing import Any

import pypdfium2
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from generation import storage
from generation.models import Episode, Plan, Version
from generation.services import derived_making
from review.api.exports import SheetAnswer
from review.selectors.light_table import TableQuery
from review.services import contact_sheets, exports, stored_zip
from tests import factories
from tests.factories import png
from tests.review.deciding import approve, concepts, retake
from tests.review.taken_away import body, text_of, unpacked

pytestmark = pytest.mark.django_db
ZIP, SHEET = "/api/exports/pictures.zip", "/api/exports/contact_sheet.pdf"


@pytest.fixture
def episode(plans: list[Plan]) -> Episode:
    return plans[0].sequence.episode


def small_pictures() -> None:
    maker = derived_making.Maker()
    while maker.make_pending():
        """More is to be made."""


# The zip -----------------------------------------------------------------------------------------


def test_the_zip_holds_what_the_filter_shows_and_its_hashes(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    first, second = (concepts(plan, 1)[0] for plan in plans[:2])
    approve(first)

    answer = api.get(ZIP, {"episode_id": episode.pk, "show": "approved"})
    content = body(answer)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert int(answer["Content-Length"]) == len(content)
    assert answer["Content-Disposition"] == 'attachment; filename="E202_approved.zip"'
    found = unpacked(content)
    assert set(found) == {"SHA256SUMS", str(first)}
    sha256 = hashlib.sha256(found[str(first)]).hexdigest()
    assert found["SHA256SUMS"].decode() == f"{sha256}  {first}\n"
    assert str(second) not in found


def test_of_an_import_the_cleaned_copy_is_taken_away(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    factories.version(plans[0], origin=Version.Origin.IMPORT, content=png() + b"behind it")

    answer = api.get(ZIP, {"episode_id": episode.pk})
    content = body(answer)

    [picture] = [held for name, held in unpacked(content).items() if name.endswith(".png")]
    assert b"behind it" not in picture
    assert int(answer["Content-Length"]) == len(content)


def test_a_file_that_has_gone_is_told_in_words_beside_the_others(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    kept, gone, linked = (factories.version(plan) for plan in plans)
    storage.absolute(gone.path).unlink()
    storage.absolute(linked.path).unlink()
    storage.absolute(linked.path).symlink_to(storage.absolute(kept.path))

    answer = api.get(ZIP, {"episode_id": episode.pk})
    found = unpacked(body(answer))

    assert answer["Madsea-Missing"] == "2"
    assert set(found) == {"_MISSING.txt", "SHA256SUMS", str(kept)}
    told = found["_MISSING.txt"].decode()
    assert str(gone) in told
    assert "a link, which is not followed" in told


def test_where_every_file_has_gone_the_answer_says_so(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    version = factories.version(plans[0])
    storage.absolute(version.path).unlink()

    answer = api.get(ZIP, {"episode_id": episode.pk})

    assert (answer.status_code, answer.json()["code"]) == (404, "no_pictures")
    assert str(version) in answer.json()["detail"]


def test_a_file_that_goes_while_it_is_sent_ends_the_answer_too_short(
    api: APIClient, plans: list[Plan], episode: Episode, caplog: pytest.LogCaptureFixture
) -> None:
    for plan in plans:
        last = factories.version(plan)
    answer = api.get(ZIP, {"episode_id": episode.pk})
    storage.absolute(last.path).unlink()

    with caplog.at_level(logging.WARNING), pytest.raises(storage.FileGone):
        body(answer)

    assert "E202.zip was not sent whole" in caplog.text


def test_a_zip_has_its_bounds_and_names_them(
    api: APIClient, plans: list[Plan], episode: Episode, settings: Any
) -> None:
    settings.MADSEA_ZIP_MAX_FILES = 2
    for plan in plans:
        factories.version(plan)

    many = api.get(ZIP, {"episode_id": episode.pk})
    settings.MADSEA_ZIP_MAX_FILES = 3
    Version.objects.update(n_bytes=6 * 2**30)
    large = api.get(ZIP, {"episode_id": episode.pk})

    assert (many.status_code, many.json()["code"]) == (400, "too_many_pictures")
    assert "2 (MADSEA_ZIP_MAX_FILES)" in many.json()["detail"]
    assert (large.status_code, large.json()["code"]) == (400, "too_large")
    assert "16 GiB (MADSEA_ZIP_MAX_GIB)" in large.json()["detail"]


def test_lengths_are_known_beyond_four_gigabytes_and_many_entries() -> None:
    def entry(n_bytes: int, name: str = "a") -> stored_zip.ZipEntry:
        def zeros() -> Any:
            yield from [b"\0" * n_bytes]

        return stored_zip.ZipEntry(name, n_bytes, factories.NOW, zeros)

    many = [entry(1, f"{n}") for n in range(70_000)]
    content = b"".join(stored_zip.pieces(many))

    assert stored_zip.length(many) == len(content)
    assert len(unpacked(content)) == 70_000
    # The field of zip64 before the bytes, the wider sizes behind them, and the field in the list.
    wide, narrow = (stored_zip.length([entry(n_bytes)]) for n_bytes in (2**32, 2**32 - 2))
    assert wide - narrow - 2 == 20 + 8 + 20


def test_the_zip_is_asked_for_in_few_queries(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    for plan in plans:
        factories.version(plan)

    with CaptureQueriesContext(connection) as queries:
        api.get(ZIP, {"episode_id": episode.pk})

    assert len(queries) <= 9


@pytest.mark.parametrize("address", [ZIP, SHEET, "/api/exports/decisions.csv", "/api/summary"])
def test_whoever_is_not_signed_in_gets_nothing(anonymous: APIClient, address: str) -> None:
    assert anonymous.get(address, {"episode_id": 1}).status_code == 401


@pytest.mark.parametrize(
    ("asked", "attr"),
    [
        ({}, "episode_id"),
        ({"episode_id": "x"}, "episode_id"),
        ({"show": "everything"}, "show"),
        ({"sequence": "SQ0010"}, "sequence"),
        ({"sequence_id": "SQ9999"}, "sequence_id"),
    ],
)
def test_what_cannot_be_asked_for_is_named(
    api: APIClient, episode: Episode, asked: dict[str, str], attr: str
) -> None:
    wanted = asked if attr == "episode_id" else {"episode_id": episode.pk, **asked}

    answer = api.get(ZIP, wanted)

    assert answer.status_code in {400, 404}
    assert answer.json()["attr"] == attr


# Contact sheets ----------------------------------------------------------------------------------


def test_a_contact_sheet_has_plan_version_state_and_comment(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    Plan.objects.filter(pk=plans[0].pk).update(label="1A")
    first, second = (concepts(plan, 1)[0] for plan in plans[:2])
    approve(first)
    retake(second, "Plus d’ombre sur l’œuvre, à côté de la forêt")
    small_pictures()

    answer = api.get(SHEET, {"episode_id": episode.pk}, HTTP_ACCEPT_LANGUAGE="fr")
    content = body(answer)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    [page] = text_of(content)
    assert "SQ0010-0010 · 1A" in page
    assert page.count("v0001") == 2
    assert "validé" in page
    assert "Plus d’ombre sur l’œuvre, à côté de la forêt" in page.replace("\r\n", " ")
    assert "page 1 sur 1" in page
    assert len(list(pypdfium2.PdfDocument(content)[0].get_objects(filter=[3]))) == 2


def test_pictures_stand_in_a_contact_sheet_as_they_are_and_each_once(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    """Written as letters, or decoded once more, they take longer than a proxy waits."""
    for plan, colour in zip(plans, ("red", "red", "blue"), strict=True):
        factories.version(plan, content=png(color=colour))
    small_pictures()

    content = body(api.get(SHEET, {"episode_id": episode.pk, "per_page": "6"}))

    n_jpegs, n_letters = content.count(b"/DCTDecode"), content.count(b"ASCII85")
    assert (n_jpegs, n_letters) == (2, 0)
    assert len(list(pypdfium2.PdfDocument(content)[0].get_objects(filter=[3]))) == 3


def test_a_contact_sheet_goes_on_over_pages(
    api: APIClient, plans: list[Plan], episode: Episode
) -> None:
    factories.plans({"SQ0020": [f"{n:04d}" for n in range(10, 60, 10)]})

    six = body(api.get(SHEET, {"episode_id": episode.pk, "per_page": "6"}))
    twenty = body(api.get(SHEET, {"episode_id": episode.pk, "per_page": "20"}))

    assert [len(text_of(each)) for each in (six, twenty)] == [2, 1]
    assert "SQ0020-0050" in text_of(six)[1]


def test_a_contact_sheet_has_six_or_twenty_to_a_page(api: APIClient, episode: Episode) -> None:
    answer = api.get(SHEET, {"episode_id": episode.pk, "per_page": "7"})

    assert (answer.status_code, answer.json()["attr"]) == (400, "per_page")


def test_a_contact_sheet_has_its_bound(
    api: APIClient, plans: list[Plan], episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_sheets, "CELLS_MAX", {6: 2, 20: 3})

    answers = [api.get(SHEET, {"episode_id": episode.pk, "per_page": n}) for n in (6, 20)]

    assert [each.status_code for each in answers] == [400, 200]
    assert answers[0].json()["code"] == "too_many_plans"


def test_a_child_that_ends_is_told_before_the_first_byte(
    episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web process has the answer prepared, and sends what came of it."""
    wanted = contact_sheets.job(exports.select(episode, TableQuery(None)), 20)
    monkeypatch.setattr(contact_sheets, "MODULE", "review.no_such_module")
    answer = SheetAnswer(wanted)

    async_to_sync(answer.prepare)()

    assert (answer.status_code, answer["Content-Type"]) == (503, "application/json")
    assert b"not_drawn" in body(answer)
