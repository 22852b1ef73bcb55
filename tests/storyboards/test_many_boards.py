"""A storyboard of many boards: a page and an answer hold some of them, and cost what some cost."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from generation import storage
from generation.errors import Conflict
from generation.models import Plan
from generation.services import bulk_panel_import
from storyboards.models import StoryboardImport
from storyboards.services import confirmation, transitions
from tests.storyboards.boards import LABO, STREET, board, read

pytestmark = pytest.mark.django_db
N_BOARDS = 401
SHOWN = 'class="storyboard-board'


def many(n_boards: int = N_BOARDS) -> StoryboardImport:
    """Return a draft whose style changes every ten boards; nothing is drawn on any."""
    return read(
        [
            board(n, drawing=None, action=LABO if n // 10 % 2 else STREET)
            for n in range(1, n_boards + 1)
        ]
    )


def page_of(supervisor: User, of: StoryboardImport, query: str = "") -> str:
    client = Client()
    client.force_login(supervisor)
    answer = client.get(f"/admin/storyboards/storyboardimport/{of.public_id}/change/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def queries(act: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        act()
    return len(seen)


def patch(api: APIClient, of: StoryboardImport, boards: list[Any], query: str = "") -> Any:
    body = {"boards": boards}
    return api.patch(f"/api/storyboards/{of.public_id}/boards{query}", body, format="json")


def positions(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [each["position"] for each in answer.json()["boards"]]


def test_a_page_shows_two_hundred_boards_and_leads_to_the_others(supervisor: User) -> None:
    of = many()

    first, last = page_of(supervisor, of), page_of(supervisor, of, "?page=3")

    assert (first.count(SHOWN), last.count(SHOWN)) == (200, 1)
    assert 'id="board-401"' in last
    assert 'href="?show=all&amp;page=3"' in first
    assert ">201–400</a>" in first


def test_only_boards_of_a_kind_are_shown(supervisor: User) -> None:
    of = many()
    of.boards.filter(position__in=[5, 333]).update(doubts=[{"code": "label_missing", "data": {}}])
    of.boards.filter(position=5).update(is_checked=True)

    html = page_of(supervisor, of, "?show=doubtful")

    assert html.count(SHOWN) == 1
    assert 'id="board-333"' in html
    assert 'href="?page=1#board-5"' in html


def test_what_many_boards_are_doubted_for_is_told_of_some(supervisor: User) -> None:
    of = many()
    of.boards.update(doubts=[{"code": "label_missing", "data": {}}])

    html = page_of(supervisor, of)

    assert html.count("<li data-doubtful=") == 50
    assert "… + 351" in html


def test_a_page_of_many_boards_asks_the_database_as_often_as_one_of_few(supervisor: User) -> None:
    few, of = many(3), many()

    assert queries(lambda: page_of(supervisor, few)) == queries(lambda: page_of(supervisor, of))


def test_an_answer_tells_the_boards_that_are_asked_for(api: APIClient) -> None:
    of = many(8)
    address = f"/api/storyboards/{of.public_id}"

    assert positions(api.get(address)) == list(range(1, 9))
    assert positions(api.get(address, {"boards": "2-3,7,90"})) == [2, 3, 7]
    answer = patch(api, of, [{"position": 1, "notes": "plus sombre"}], "?boards=8")
    assert positions(answer) == [8]
    assert answer.json()["counts"]["boards"] == 8
    assert of.boards.get(position=1).notes == "plus sombre"


@pytest.mark.parametrize("value", ["", "0x1", "1-", "12345", "1,,2", "³"])
def test_what_is_no_list_of_positions_is_refused_and_nothing_written(
    api: APIClient, value: str
) -> None:
    of = many(2)

    answer = patch(api, of, [{"position": 1, "notes": "x"}], f"?boards={value}")

    assert (answer.status_code, answer.json()["attr"]) == (400, "boards")
    assert of.boards.get(position=1).notes == ""


def test_a_board_tells_whether_its_sequence_begins_there(api: APIClient) -> None:
    of = many(11)

    boards = api.get(f"/api/storyboards/{of.public_id}").json()["boards"]

    assert [each["position"] for each in boards if each["begins_sequence"]] == [1, 10]


def test_all_boards_are_corrected_many_in_a_query(api: APIClient) -> None:
    of = many()
    one = [{"position": 1, "notes": "x"}]
    every = [{"position": n, "notes": "y"} for n in range(1, N_BOARDS + 1)]

    few = queries(lambda: patch(api, of, one, "?boards=1"))

    # SQLite takes so many values in one.
    assert queries(lambda: patch(api, of, every, "?boards=1")) <= few + N_BOARDS // 40
    assert set(of.boards.values_list("notes", flat=True)) == {"y"}


def test_correcting_one_board_writes_that_board(api: APIClient) -> None:
    of = many(20)

    with CaptureQueriesContext(connection) as seen:
        patch(api, of, [{"position": 7, "notes": "x"}], "?boards=7")

    [written] = [
        each["sql"] for each in seen if 'INSERT INTO "storyboards_draftboard"' in each["sql"]
    ]
    assert (written.count("7A"), written.count("8A")) == (1, 0)


# The lease of a confirmation --------------------------------------------------------------------


def test_a_lease_is_kept_with_each_picture_that_is_staged_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[StoryboardImport] = []
    keep = transitions.beat_draft
    monkeypatch.setattr(confirmation, "BEAT_S", 0)
    monkeypatch.setattr(
        transitions, "beat_draft", lambda of, token: (kept.append(of), keep(of, token))
    )

    confirmation.confirm(read([board(1), board(2), board(3)]), actor=None)

    assert len(kept) == 6


def test_who_has_lost_its_lease_makes_no_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    of = read([board(1), board(2)])
    stage = bulk_panel_import.stage

    def stage_while_another_takes_over(*given: Any) -> Any:
        StoryboardImport.objects.update(lease_token="0" * 32)
        return stage(*given)

    monkeypatch.setattr(confirmation, "BEAT_S", 0)
    monkeypatch.setattr(confirmation, "PATIENCE_S", 0)
    monkeypatch.setattr(bulk_panel_import, "stage", stage_while_another_takes_over)

    with pytest.raises(Conflict) as refused:
        confirmation.confirm(of, actor=None)

    assert refused.value.code == "storyboard_being_confirmed"
    assert Plan.objects.count() == 0
    assert [file for file in storage.root().rglob(".staging/*") if file.is_file()] == []
