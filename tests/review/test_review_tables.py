"""Decisions as a table: written, filled in by a spreadsheet, and read back in."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from generation.errors import Conflicts, InvalidRequest, Refusal
from generation.models import Act, Episode, Plan, Version
from generation.states import ReviewState
from review.models import Review
from review.selectors.light_table import TableQuery
from review.services import exports, review_tables, table_columns
from review.services.decisions import Reviewer
from review.services.review_tables import TableReading
from review.states import Decision, Door
from tests.conftest import client_of
from tests.review.deciding import NOBODY, approve, concepts, decide, retake, state

pytestmark = pytest.mark.django_db
ADDRESS = "/api/reviews/table"
Fill = Callable[..., bytes]


@pytest.fixture
def episode(plans: list[Plan]) -> Episode:
    return plans[0].sequence.episode


@pytest.fixture
def versions(plans: list[Plan]) -> list[Version]:
    """A picture of each plan, to review."""
    return [concepts(plan, 1)[0] for plan in plans]


def written(of: Episode, separator: str = ";") -> bytes:
    return review_tables.as_csv(exports.select(of, TableQuery(None)), separator)


def filled(content: bytes, line: int, separator: str = ";", **cells: str) -> bytes:
    """Return a table with other cells in a row: the first below the head is line 2."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))
    for name, value in cells.items():
        rows[line - 1][rows[0].index(name)] = value
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def read(content: bytes, by: Reviewer = NOBODY) -> TableReading:
    return review_tables.read(content, by=by)


def take(content: bytes, by: Reviewer = NOBODY) -> TableReading:
    return review_tables.take(content, by=by)


# Written and read back --------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_was_written_is_read_back_and_decides_nothing(
    episode: Episode, versions: list[Version], separator: str, language: str
) -> None:
    approve(versions[0])
    retake(versions[1], "=1+1; plus « sombre »,\nà gauche")
    decide(versions[2], Decision.COMMENT, "'-@ a\tb")
    with translation.override(language):
        content = written(episode, separator)

    found = take(content)

    assert (found.n_rows, found.rows, found.problems, found.ignored) == (3, [], [], [])
    assert Review.objects.count() == 3
    assert content.startswith(b"\xef\xbb\xbf")


def test_what_is_filled_in_is_decided(
    episode: Episode, versions: list[Version], supervisor: User
) -> None:
    content = filled(written(episode), 2, decision="Validé")
    content = filled(content, 3, decision=" RETAKE ", comment="Less light, s’il vous plaît")
    content = filled(content, 4, comment="I like the sea")

    found = take(content, Reviewer(supervisor))

    assert len(found.to_take) == 3
    assert [state(each) for each in versions] == [
        ReviewState.APPROVED,
        ReviewState.RETAKE,
        ReviewState.TO_REVIEW,
    ]
    told = list(Review.objects.order_by("pk").values_list("decision", "comment", "door", "by"))
    assert told == [
        ("approve", "", Door.FILE, supervisor.pk),
        ("retake", "Less light, s’il vous plaît", Door.FILE, supervisor.pk),
        ("comment", "I like the sea", Door.FILE, supervisor.pk),
    ]
    assert Act.objects.filter(verb__in=["approve", "retake"]).count() == 2


def test_the_same_table_given_twice_decides_once(episode: Episode, versions: list[Version]) -> None:
    content = filled(written(episode), 2, decision="ok")
    content = filled(content, 3, decision="retake", comment="Darker")
    take(content)

    again = take(content)

    assert (len(again.to_take), again.n_done) == (0, 2)
    assert Review.objects.count() == 2


def test_reopening_in_a_table_needs_its_reason(episode: Episode, versions: list[Version]) -> None:
    approve(versions[0])
    content = filled(written(episode), 2, decision="rouvrir")

    lacking = read(content)
    done = take(filled(content, 2, comment="The client has changed its mind"))

    assert [(each.attr, each.code) for each in lacking.problems] == [
        ("lines.2.comment", "no_words")
    ]
    assert len(done.to_take) == 1
    assert state(versions[0]) == ReviewState.TO_REVIEW


# Harmless ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comment", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''@x", "＝1", "'plain"]
)
def test_no_cell_is_computed_by_a_spreadsheet_and_each_is_read_back_as_it_was(
    comment: str,
) -> None:
    cell = table_columns.harmless(comment)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert table_columns.plain(cell) == comment


@given(st.text(alphabet="'=+-@\t\r\n＝ax", max_size=8))
def test_making_harmless_loses_nothing(text: str) -> None:
    assert table_columns.plain(table_columns.harmless(text)) == text


def test_a_formula_of_a_guest_stands_harmless_in_the_table(
    episode: Episode, versions: list[Version]
) -> None:
    retake(versions[0], '=HYPERLINK("http://evil";"x")')

    rows = list(csv.DictReader(io.StringIO(written(episode).decode("utf-8-sig")), delimiter=";"))

    assert rows[0]["comment"] == '\'=HYPERLINK("http://evil";"x")'


# What is not understood -------------------------------------------------------------------------


def test_what_is_not_understood_is_named_with_line_column_and_value_and_nothing_is_done(
    episode: Episode, versions: list[Version]
) -> None:
    content = filled(written(episode), 2, decision="approve")
    content = filled(content, 3, decision="vlidé", seen="vu")
    content = filled(content, 4, version="12x")

    found = read(content)
    with pytest.raises(InvalidRequest):
        take(content)

    assert [(each.attr, each.code) for each in found.problems] == [
        ("lines.3.seen", "unknown_state"),
        ("lines.4.version", "unknown_version"),
    ]
    assert found.problems[0].detail == "Line 3, column “seen”: “vu” is no state."
    assert Review.objects.count() == 0


def test_a_mistyped_decision_is_named(episode: Episode, versions: list[Version]) -> None:
    [problem] = read(filled(written(episode), 3, decision="vlidé")).problems

    assert (problem.attr, problem.code) == ("lines.3.decision", "unknown_decision")
    assert problem.detail.startswith("Line 3, column “decision”: “vlidé” is no decision:")


def test_rows_that_were_mixed_up_are_refused(episode: Episode, versions: list[Version]) -> None:
    content = filled(written(episode), 2, version=str(versions[1].pk), decision="ok")

    told = [(each.attr, each.code) for each in read(content).problems]

    assert told == [("lines.2.file", "other_picture"), ("lines.3.version", "duplicate_version")]


def test_one_version_in_two_rows_is_refused(episode: Episode, versions: list[Version]) -> None:
    content = written(episode)
    content += content.decode("utf-8-sig").splitlines(keepends=True)[1].encode()

    [problem] = read(content).problems

    assert (problem.attr, problem.code) == ("lines.5.version", "duplicate_version")


def test_what_has_changed_since_is_a_conflict_at_its_line(
    episode: Episode, versions: list[Version], supervisor: User
) -> None:
    content = filled(written(episode), 2, decision="approve")
    content = filled(content, 3, decision="approve")
    retake(versions[1], by=Reviewer(supervisor))

    found = read(content)
    with pytest.raises(Conflicts):
        take(content)

    [problem] = found.problems
    assert (problem.attr, problem.code) == ("lines.3.seen", "changed_meanwhile")
    assert "supervisor decided “retake”" in problem.detail
    assert [state(each) for each in versions[:2]] == [ReviewState.TO_REVIEW, ReviewState.RETAKE]


def test_a_line_is_counted_as_the_spreadsheet_counts_it(
    episode: Episode, versions: list[Version]
) -> None:
    content = filled(written(episode), 2, comment="two\nlines")

    [problem] = read(filled(content, 4, decision="?")).problems

    assert problem.attr == "lines.5.decision"


HEAD = "version;seen;decision"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("plan;décision\nà;é".encode("latin-1"), "not_utf8"),
        ("version;seen;decision".encode("utf-16"), "not_utf8"),
        (b"", "unknown_columns"),
        (b"a;b;c\n1;2;3", "unknown_columns"),
        (b"version;seen;decision;Version\n", "unknown_columns"),
        (f'{HEAD}\n1;"to review'.encode(), "not_csv"),
        (f'{HEAD}\n1;"a"b;x'.encode(), "not_csv"),
        (f"{HEAD}\n1;{'x' * 200_000};ok".encode(), "not_csv"),
        (f"{HEAD}\n1;\0;ok".encode(), "bad_text"),
        (b"x" * (review_tables.MAX_BYTES + 1), "too_large"),
        ((f"{HEAD}\n" + "1;;\n" * 20_001).encode(), "too_many_rows"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(content)

    assert (refused.value.code, refused.value.attr) == (code, "file")


def test_a_line_of_excel_s_own_and_other_columns_are_passed_over(
    versions: list[Version],
) -> None:
    content = f"sep=,\nVersion,Vu,Décision,My notes\n{versions[0].pk},à valider,validé,hello\n\n"

    found = read(content.encode())

    assert ([row.line for row in found.rows], found.ignored) == ([3], ["My notes"])


def test_cells_beyond_the_head_are_named(versions: list[Version]) -> None:
    content = f"{HEAD}\n{versions[0].pk};to review;ok;surplus"

    [problem] = read(content.encode()).problems

    assert (problem.attr, problem.code) == ("lines.2.", "too_many_cells")


@given(st.binary(max_size=200) | st.text(alphabet=f'{HEAD}\n";,"12', max_size=200).map(str.encode))
def test_whatever_is_given_is_read_or_refused(content: bytes) -> None:
    try:
        found = read(HEAD.encode() + b"\n" + content)
    except Refusal:
        return
    assert found.rows == []


# Doors ------------------------------------------------------------------------------------------


def send(api: APIClient, content: bytes, query: str = "") -> Any:
    file = SimpleUploadedFile("retours.csv", content, "text/csv")
    return api.post(f"{ADDRESS}{query}", {"file": file}, format="multipart")


def test_a_dry_run_over_http_tells_and_does_nothing(
    api: APIClient, episode: Episode, versions: list[Version]
) -> None:
    content = filled(written(episode), 2, decision="approve")

    told = send(api, content, "?dry_run=1").json()
    wrong = send(api, filled(content, 3, decision="?"), "?dry_run=1").json()

    assert (told["dry_run"], told["n_decided"], told["n_unchanged"]) == (True, 1, 2)
    assert told["rows"] == [
        {
            "line": 2,
            "version": versions[0].pk,
            "filename": str(versions[0]),
            "decision": "approve",
            "comment": "",
            "is_done": False,
        }
    ]
    assert [each["attr"] for each in wrong["problems"]] == ["lines.3.decision"]
    assert Review.objects.count() == 0


def test_a_table_over_http_is_taken_or_refused_whole(
    api: APIClient, episode: Episode, versions: list[Version]
) -> None:
    content = filled(written(episode), 2, decision="approve")

    wrong = send(api, filled(content, 3, decision="?"))
    taken = send(api, content)
    retake(versions[2])
    late = send(api, filled(content, 4, decision="approve"))

    assert (wrong.status_code, wrong.json()["attr"]) == (400, "lines.3.decision")
    assert (taken.status_code, taken.json()["n_decided"]) == (200, 1)
    assert (late.status_code, late.json()["attr"]) == (409, "lines.4.seen")


def test_whoever_may_not_decide_takes_no_table(
    settings: Any, artist: User, episode: Episode, versions: list[Version]
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    content = filled(written(episode), 2, decision="approve")

    answers = [send(client_of(artist), content, query) for query in ("", "?dry_run=1")]

    assert [each.status_code for each in answers] == [403, 403]
    assert Review.objects.count() == 0


def test_the_table_is_given_over_http(
    api: APIClient, episode: Episode, versions: list[Version]
) -> None:
    answer = api.get("/api/exports/decisions.csv", {"episode_id": episode.pk, "separator": ","})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="E202_decisions.csv"'
    assert answer.content == written(episode, ",")


def test_the_page_looks_first_and_takes_then(
    supervisor: User, episode: Episode, versions: list[Version]
) -> None:
    browser = Client()
    browser.force_login(supervisor)
    content = filled(written(episode), 2, decision="approve", comment="<b>yes</b>")
    page = "/admin/review/review/table/"

    looked = browser.post(page, {"file": SimpleUploadedFile("retours.csv", content)})
    nothing = Review.objects.count()
    sent = looked.context["content"]
    taken = browser.post(page, {"content": sent, "name": "retours.csv"}, follow=True)

    assert nothing == 0
    assert "Take 1 decision" in looked.content.decode()
    assert "<b>yes</b>" not in looked.content.decode()
    assert "1 decision taken." in taken.content.decode()
    assert (state(versions[0]), Review.objects.get().by) == (ReviewState.APPROVED, supervisor)


def test_the_page_names_what_is_wrong(
    supervisor: User, episode: Episode, versions: list[Version]
) -> None:
    browser = Client()
    browser.force_login(supervisor)
    page = "/admin/review/review/table/"
    wrong = SimpleUploadedFile("a.csv", filled(written(episode), 2, decision="vlidé"))

    told = browser.post(page, {"file": wrong}).content.decode()
    latin = SimpleUploadedFile("b.csv", "version;é".encode("latin-1"))
    refused = browser.post(page, {"file": latin}).content.decode()

    assert "Line 2, column “decision”: “vlidé” is no decision" in told
    assert "Take 1" not in told
    assert "save it as “CSV UTF-8”" in refused


def test_commands_write_and_read_back(
    tmp_path: Path, supervisor: User, versions: list[Version], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "E202.csv"
    place = {"project": "madsea-2025-ep202", "episode": "E202"}
    call_command("export_reviews", output=file, **place)
    file.write_bytes(filled(file.read_bytes(), 2, decision="ok"))

    call_command("import_reviews", str(file), "--dry-run")
    dry = (capsys.readouterr().out, Review.objects.count())
    call_command("import_reviews", str(file), "--as", "supervisor")

    assert f"line 2: approve {versions[0]}" in dry[0]
    assert "1 decision would be taken, 0 so already, 2 rows without a decision." in dry[0]
    assert dry[1] == 0
    assert Review.objects.get().by == supervisor


def test_the_command_names_what_is_wrong(tmp_path: Path, episode: Episode, versions: Any) -> None:
    file = tmp_path / "E202.csv"
    file.write_bytes(filled(written(episode), 2, decision="vlidé"))

    with pytest.raises(CommandError, match="Line 2, column “decision”"):
        call_command("import_reviews", str(file))
