"""A draft is corrected and confirmed: over the API, as a supervisor's frontend does it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from generation import storage
from generation.models import Plan, Style, Version
from generation.services import roles, tree_audit
from storyboards.models import StoryboardImport
from storyboards.selectors import drafts
from storyboards.services import confirmation, transitions
from tests import factories
from tests.storyboards.boards import LABO, PLACE, board, read

pytestmark = pytest.mark.django_db
URL = "/api/storyboards"


def three() -> StoryboardImport:
    return read([board(1), board(2, action=LABO, doubts=["fields_unsure"]), board(3, action=LABO)])


def give(api: APIClient, content: bytes = b"%PDF-1.4", **change: Any) -> Any:
    body = PLACE | {"file": factories.sent(content, "E202.pdf")} | change
    return api.post(URL, body, format="multipart")


def whole(api: APIClient, of: StoryboardImport) -> Any:
    return api.get(f"{URL}/{of.public_id}").json()


def patch(api: APIClient, of: StoryboardImport, *boards: dict[str, Any], **more: Any) -> Any:
    body = {"boards": list(boards)} | more
    return api.patch(f"{URL}/{of.public_id}/boards", body, format="json")


def confirm(api: APIClient, of: StoryboardImport, **body: Any) -> Any:
    return api.post(f"{URL}/{of.public_id}/confirm", body, format="json")


def test_each_scene_is_proposed_as_a_sequence_of_its_own() -> None:
    draft = read([board(1), board(2), board(3, label="1A", begins_scene=True), board(4)])

    assert [each.sequence_code for each in draft.boards.all()] == [
        "SQ0010",
        "SQ0010",
        "SQ0020",
        "SQ0020",
    ]


# Given ------------------------------------------------------------------------------------------


def test_a_file_is_taken_at_once_and_read_afterwards(api: APIClient) -> None:
    answer = give(api)

    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["state"], told["progress"]) == ("reading", 0)
    assert answer["Location"].endswith(f"{URL}/{told['id']}")
    assert api.get(f"{URL}/{told['id']}").json()["boards"] == []


def test_the_same_file_sent_again_is_the_same_storyboard(api: APIClient) -> None:
    assert give(api).json()["id"] == give(api).json()["id"]
    assert len(list((storage.root() / ".storyboards").iterdir())) == 1


def test_every_name_that_is_wrong_is_named(api: APIClient) -> None:
    answer = give(api, season="2", episode="E2", project_id="")

    assert answer.status_code == 400
    assert {each["attr"] for each in answer.json()["errors"]} == {
        "project_id",
        "season",
        "episode",
    }


def test_an_episode_of_another_season_is_refused(api: APIClient) -> None:
    error = give(api, episode="E302").json()

    assert (error["attr"], error["code"]) == ("episode", "episode_not_in_season")


def test_an_empty_file_is_refused_and_nothing_of_it_is_kept(api: APIClient) -> None:
    answer = give(api, b"")

    assert (answer.status_code, answer.json()["attr"]) == (400, "file")
    assert StoryboardImport.objects.count() == 0
    assert list((storage.root() / ".storyboards").iterdir()) == []


def test_storyboards_are_listed_by_episode_and_state(api: APIClient) -> None:
    three()

    found = api.get(URL, {"episode": "E202", "state": "draft"}).json()

    assert [each["state"] for each in found["results"]] == ["draft"]
    assert api.get(URL, {"episode": "E203"}).json()["count"] == 0


@pytest.mark.parametrize(
    ("role", "statuses"), [(roles.ARTIST, [403, 403, 403]), (roles.SUPERVISOR, [202, 200, 204])]
)
def test_who_may_send_in_correct_and_delete_is_asked_of_their_role(
    api: APIClient, artist: User, settings: Any, role: str, statuses: list[int]
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    artist.groups.set(Group.objects.filter(name=role))
    draft = three()

    answers = [
        give(api),
        patch(api, draft, {"position": 1, "notes": "darker"}),
        api.delete(f"{URL}/{draft.public_id}"),
    ]

    assert [answer.status_code for answer in answers] == statuses
    assert StoryboardImport.objects.count() == 1


def test_nobody_who_is_not_signed_in_gets_anything(anonymous: APIClient) -> None:
    assert anonymous.get(URL).status_code == 401
    assert give(anonymous).status_code == 401


def test_an_unknown_storyboard_is_said_to_be_so(api: APIClient) -> None:
    answer = api.get(f"{URL}/nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_storyboard")


# Looked at --------------------------------------------------------------------------------------


def test_a_draft_tells_its_boards_and_what_is_proposed(api: APIClient) -> None:
    told = whole(api, three())

    assert told["state"] == "draft"
    first, second, _ = told["boards"]
    assert (first["sequence_id"], first["plan"], first["style"]) == (
        "SQ0010",
        "0010",
        "ombres_chinoises",
    )
    assert (second["sequence_id"], second["plan"], second["style"]) == ("SQ0020", "0010", "labo")
    detail = "Which text is dialogue and which is action is not sure."
    assert second["doubts"] == [{"code": "fields_unsure", "detail": detail, "data": {}}]
    assert told["counts"]["added"] == 3
    assert told["counts"]["doubtful"] == 1


def test_a_picture_is_served_by_its_signed_address_to_anybody(
    api: APIClient, anonymous: APIClient
) -> None:
    [first, *_] = whole(api, three())["boards"]

    picture = anonymous.get(first["picture"]["url"])

    assert picture.status_code == 200
    assert picture["Content-Type"] == "image/jpeg"
    assert len(picture.content) > 100


def test_a_picture_s_address_that_was_not_made_here_leads_nowhere(anonymous: APIClient) -> None:
    assert anonymous.get("/api/storyboard_pictures/abc.def").status_code == 404


def test_a_picture_has_a_small_one(api: APIClient, anonymous: APIClient) -> None:
    [first, *_] = whole(api, three())["boards"]

    assert anonymous.get(first["picture"]["thumbnail_url"])["Content-Type"] == "image/webp"


# Corrected --------------------------------------------------------------------------------------


def test_boards_are_corrected_many_at_once(api: APIClient) -> None:
    draft = three()

    told = patch(
        api,
        draft,
        {"position": 1, "plan": "0050", "style": "labo"},
        {"position": 3, "selected": False},
    ).json()

    first, _, third = told["boards"]
    assert (first["plan"], first["style"], first["checked"]) == ("0050", "labo", True)
    assert third["selected"] is False
    assert third["change"] == "left_out"


def test_what_cannot_be_typed_is_refused_with_its_place(api: APIClient) -> None:
    answer = patch(api, three(), {"position": 1, "plan": "5"}, {"position": 2, "style": "manga"})

    assert answer.status_code == 400
    assert "boards.0.plan" in {each["attr"] for each in answer.json()["errors"]}


def test_an_unknown_style_is_refused_with_those_that_there_are(api: APIClient) -> None:
    error = patch(api, three(), {"position": 2, "style": "manga"}).json()

    assert (error["attr"], error["code"]) == ("boards.0.style", "unknown_style")
    assert "labo" in error["detail"]


def test_a_board_that_is_not_there_is_refused(api: APIClient) -> None:
    error = patch(api, three(), {"position": 4, "plan": "0010"}).json()

    assert error["attr"] == "boards.0.position"
    assert "1 to 3" in error["detail"]


def test_a_sequence_can_begin_at_a_board_and_cease_to(api: APIClient) -> None:
    draft = read([board(1), board(2), board(3), board(4, action=LABO)])

    begun = patch(api, draft, {"position": 2, "begins_sequence": True}).json()
    places = [f"{each['sequence_id']}-{each['plan']}" for each in begun["boards"]]
    again = patch(api, draft, {"position": 2, "begins_sequence": False}).json()

    assert places == ["SQ0010-0010", "SQ0015-0010", "SQ0015-0020", "SQ0020-0010"]
    assert [f"{each['sequence_id']}-{each['plan']}" for each in again["boards"]] == [
        "SQ0010-0010",
        "SQ0010-0020",
        "SQ0010-0030",
        "SQ0020-0010",
    ]


def test_a_blank_board_that_is_wanted_gets_a_number(api: APIClient) -> None:
    draft = read([board(1), board(2, is_blank=True, action="", dialogue=""), board(3)])

    told = patch(api, draft, {"position": 2, "selected": True}).json()

    assert told["boards"][1]["plan"] == "0015"
    assert told["problems"] == []


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(api: APIClient) -> None:
    draft = three()
    patch(api, draft, {"position": 1, "checked": True})

    answer = patch(api, draft, {"position": 1, "plan": "0050"}, revision=draft.revision)

    assert (answer.status_code, answer.json()["code"]) == (409, "storyboard_changed")
    assert whole(api, draft)["boards"][0]["plan"] == "0010"


# Confirmed --------------------------------------------------------------------------------------


def test_confirming_makes_plans_panels_and_texts(api: APIClient) -> None:
    draft = three()

    told = confirm(api, draft).json()

    assert told["state"] == "confirmed", told
    assert told["made"] == {"plans": 3, "new": 3, "changed": 3, "panels": 3, "omitted": 0}
    assert (told["confirmed_by"], told["problems"]) == ("artist", [])
    plan = Plan.objects.get(sequence__code="SQ0020", code="0010")
    assert (plan.label, plan.position, plan.style) == ("2A", 2, Style.objects.get(code="labo"))
    assert plan.action == LABO
    panel = Version.objects.panels().get(plan=plan)
    assert panel.sha256 == draft.boards.get(position=2).picture_sha256
    assert panel.path.endswith("E202_SQ0020-0010_extracted-raw_v0001.jpg")


def test_confirming_again_changes_nothing_and_gets_the_same_answer(api: APIClient) -> None:
    draft = three()

    first, second = confirm(api, draft).json(), confirm(api, draft).json()

    def without_addresses(told: Any) -> Any:
        return {key: value for key, value in told.items() if key != "boards"}

    assert without_addresses(first) == without_addresses(second)
    assert Version.objects.count() == 3


def test_a_confirmation_that_was_cut_off_is_finished_by_the_next(api: APIClient) -> None:
    draft = three()
    token = transitions.claim_draft(draft)
    assert token is not None
    # Killed after its plans were made, before it could say so.
    confirmation.make(drafts.draft(draft), None)
    StoryboardImport.objects.update(lease_until=factories.NOW)

    told = confirm(api, draft).json()

    assert told["state"] == "confirmed"
    assert told["made"]["panels"] == 0
    assert Version.objects.count() == 3


def test_two_boards_of_one_plan_keep_a_draft_from_being_confirmed(api: APIClient) -> None:
    draft = three()
    patch(api, draft, {"position": 3, "plan": "0010"})

    answer = confirm(api, draft)

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == ("boards.3.plan", "duplicate_plan")
    assert Plan.objects.count() == 0


def test_a_draft_that_is_being_confirmed_is_not_changed(api: APIClient) -> None:
    draft = three()
    transitions.claim_draft(draft)

    answer = patch(api, draft, {"position": 1, "plan": "0050"})

    assert (answer.status_code, answer.json()["code"]) == (409, "storyboard_being_confirmed")


def test_what_is_confirmed_is_neither_changed_nor_deleted(api: APIClient) -> None:
    draft = three()
    confirm(api, draft)

    assert patch(api, draft, {"position": 1, "plan": "0050"}).status_code == 409
    deleted = api.delete(f"{URL}/{draft.public_id}")
    assert (deleted.status_code, deleted.json()["code"]) == (409, "storyboard_confirmed")


def test_a_draft_that_was_changed_since_it_was_seen_is_not_confirmed(api: APIClient) -> None:
    draft = three()
    patch(api, draft, {"position": 1, "checked": True})

    assert confirm(api, draft, revision=draft.revision).json()["code"] == "storyboard_changed"
    assert confirm(api, draft, revision=draft.revision + 1).json()["state"] == "confirmed"


def test_a_deleted_draft_leaves_no_file(api: APIClient) -> None:
    draft = three()

    assert api.delete(f"{URL}/{draft.public_id}").status_code == 204

    assert StoryboardImport.objects.count() == 0
    assert list((storage.root() / ".storyboards").iterdir()) == []


def test_the_files_of_drafts_are_known_to_the_audit(api: APIClient) -> None:
    confirm(api, three())

    assert tree_audit.audit_tree(storage.root()).findings == []
