"""The supervisor's pages of storyboards, and of how a project's tell styles."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Project
from generation.services import demo_user
from storyboards.models import Convention
from storyboards.services import confirmation, transitions
from tests.storyboards.boards import LABO, STREET, board, read

pytestmark = pytest.mark.django_db
LIST = "/admin/storyboards/storyboardimport/"


@pytest.fixture
def page(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


def shown(page: Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_has_a_place_to_drop_a_storyboard(page: Client) -> None:
    read([board(1)], name="E202 2024-04-09.pdf")

    html = shown(page, LIST)

    assert 'data-api="/api/storyboards"' in html
    assert "E202 2024-04-09.pdf" in html


def test_a_draft_shows_its_boards_and_what_is_doubtful_first(page: Client) -> None:
    draft = read([board(1), board(2, doubts=["label_missing"], action=LABO)])

    html = shown(page, f"{LIST}{draft.public_id}/change/")

    assert html.index("No label stands beside the picture.") < html.index('id="board-1"')
    assert 'value="SQ0020"' in html
    assert "LABO MODERNE" in html
    assert 'data-revision="3"' in html


def test_what_keeps_a_draft_from_being_confirmed_is_said(page: Client) -> None:
    draft = read([board(1), board(2)])
    draft.boards.update(plan_code="0010")

    html = shown(page, f"{LIST}{draft.pk}/change/")

    assert "Board 2A has the plan SQ0010-0010, which board 1A has too." in html


def test_a_plan_that_has_no_board_any_more_is_named(page: Client) -> None:
    confirmation.confirm(read([board(1), board(2)]), actor=None)

    html = shown(page, f"{LIST}{read([board(1)]).public_id}/change/")

    assert "2A · SQ0010-0020" in html


def test_a_confirmed_storyboard_leads_to_its_plans_and_to_generate(page: Client) -> None:
    draft = confirmation.confirm(read([board(1), board(2)]), actor=None)

    html = shown(page, f"{LIST}{draft.public_id}/change/")

    assert "/admin/generation/plan/generate/?episodes=" in html
    assert "/admin/generation/plan/?project=madsea-2025-ep202&amp;episode=E202" in html
    assert "data-confirm" not in html


def test_a_storyboard_that_cannot_be_read_says_why(page: Client) -> None:
    draft = read([board(1)])
    type(draft).objects.update(
        state="reading",
        lease_token=None,  # as before it was read
    )
    draft.refresh_from_db()
    transitions.fail(draft, {"code": "encrypted", "detail": "It has a password.", "data": {}})

    html = shown(page, f"{LIST}{draft.public_id}/change/")

    assert "It has a password." in html


def test_who_may_not_see_storyboards_does_not(client: Client) -> None:
    draft = read([board(1)])
    client.force_login(User.objects.create_user("clerk", is_staff=True))

    assert client.get(f"{LIST}{draft.public_id}/change/").status_code == 403


def test_a_text_that_is_a_script_is_text(page: Client) -> None:
    draft = read([board(1, action="<script>alert(1)</script>")])

    assert "<script>alert(1)" not in shown(page, f"{LIST}{draft.public_id}/change/")


# Conventions ------------------------------------------------------------------------------------


def convention(page: Client, **change: str) -> str:
    fields = {
        "project": str(Project.objects.get_or_create(code="madsea-2025-ep202")[0].pk),
        "style_words": '{"RUE": "labo", "EXT": "labo"}',
        "default_style": "ombres_chinoises",
        "sequences_by": "style",
    }
    answer = page.post("/admin/storyboards/convention/add/", fields | change)
    return answer.content.decode()


def test_a_project_has_words_of_its_own(page: Client) -> None:
    convention(page)

    draft = read([board(1, action=STREET), board(2, action=LABO)])

    assert [each.style_code for each in draft.boards.all()] == ["labo", "ombres_chinoises"]


def test_a_project_s_sequences_begin_with_its_shots(page: Client) -> None:
    convention(page, sequences_by="shot")

    draft = read([board(1, label="1A"), board(2, label="1B"), board(3, label="2A")])

    assert [each.sequence_code for each in draft.boards.all()] == ["SQ0010", "SQ0010", "SQ0020"]


def test_a_word_for_a_style_that_there_is_not_is_refused(page: Client) -> None:
    html = convention(page, style_words='{"LABO": "manga"}')

    assert "There is no style" in html
    assert Convention.objects.count() == 0


def test_the_demo_user_sees_storyboards(client: Client) -> None:
    demo_user.ensure()
    client.force_login(User.objects.get(username=demo_user.DEMO_NAME))

    assert 'id="storyboard-give"' in shown(client, LIST)
