"""What guests see and do by a link, and all that they cannot reach."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from generation.models import Plan, Version
from generation.services import derived_making, login_throttle
from generation.states import ReviewState
from review.models import Review, ReviewLink
from review.services import links
from review.services.links import MadeLink, NewLink
from review.states import Decision, Door
from tests import factories
from tests.review.deciding import approve, concepts, decide, state
from tests.review.taken_away import body, unpacked

pytestmark = pytest.mark.django_db
WRONG = "A" * 43


@pytest.fixture
def version(plans: list[Plan]) -> Version:
    """A picture of the first plan, to review."""
    factories.version(plans[0], task="extracted-raw")
    return concepts(plans[0], 1)[0]


@pytest.fixture
def outside(plans: list[Plan], version: Version) -> Version:
    """A picture of another plan, which no link shows."""
    return concepts(plans[1], 1)[0]


@pytest.fixture
def browser() -> Client:
    """The guest's, which checks forms as a real one is checked."""
    return Client(enforce_csrf_checks=True)


def link_to(version: Version, **asked: Any) -> MadeLink:
    episode_id = version.plan.sequence.episode_id
    return links.create(NewLink(episode_id, version_ids=[version.pk], **asked), by=None)


def pages(made: MadeLink) -> str:
    return f"/r/{made.link.pk}/"


def token_of_form(browser: Client, made: MadeLink) -> str:
    page = browser.get(pages(made)).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page
    return found[1]


def send(browser: Client, made: MadeLink, what: str, **form: Any) -> Any:
    token = token_of_form(browser, made)
    return browser.post(f"{pages(made)}{what}", {**form, "csrfmiddlewaretoken": token})


def come_in(browser: Client, made: MadeLink, name: str = "Anouk") -> None:
    browser.get(f"/r/{made.token}")
    send(browser, made, "name", name=name)


def judge(browser: Client, made: MadeLink, version: Version, decision: str, **form: Any) -> Any:
    form = {"seen": "to_review", "comment": ""} | form
    return send(browser, made, "judge", version=version.pk, decision=decision, **form)


def small_pictures() -> None:
    maker = derived_making.Maker()
    while maker.make_pending():
        """More is to be made."""


# Coming in ----------------------------------------------------------------------------------------


def test_the_token_leaves_the_address_at_once(browser: Client, version: Version) -> None:
    made = link_to(version)

    answer = browser.get(f"/r/{made.token}")

    cookie = answer.cookies["madsea_guest"]
    assert (answer.status_code, answer["Location"]) == (302, pages(made))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", pages(made))
    assert made.token not in cookie.value
    assert list(answer.cookies) == ["madsea_guest"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]


def test_coming_in_decides_nothing(browser: Client, version: Version) -> None:
    made = link_to(version, may_decide=True)

    browser.get(f"/r/{made.token}")
    browser.get(pages(made))

    assert (Review.objects.count(), state(version)) == (0, ReviewState.TO_REVIEW)


def test_unknown_expired_and_revoked_links_show_one_page(browser: Client, version: Version) -> None:
    expired, revoked = link_to(version), link_to(version)
    ReviewLink.objects.filter(pk=expired.link.pk).update(expires_at=timezone.now())
    links.revoke(revoked.link.pk, by=None)

    answers = [browser.get(f"/r/{token}") for token in (WRONG, expired.token, revoked.token)]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.content for answer in answers}) == 1
    assert b"This link leads nowhere" in answers[0].content
    assert [list(answer.cookies) for answer in answers] == [[]] * 3


def test_guessing_tokens_is_slowed_by_address(version: Version) -> None:
    made = link_to(version)
    guesser, other = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")

    answers = [guesser.get(f"/r/{WRONG}") for _ in range(login_throttle.N_FREE + 1)]

    assert [answer.status_code for answer in answers] == [404] * login_throttle.N_FREE + [429]
    assert int(answers[-1]["Retry-After"]) >= 1
    assert other.get(f"/r/{made.token}").status_code == 302


def test_a_name_is_asked_once(browser: Client, version: Version) -> None:
    made = link_to(version)
    browser.get(f"/r/{made.token}")
    asked = browser.get(pages(made)).content.decode()
    send(browser, made, "name", name="  Anouk   B. ")
    browser.get(f"/r/{made.token}")

    page = browser.get(pages(made)).content.decode()

    assert 'name="name"' in asked
    assert "/pictures/" not in asked
    assert "Anouk B." in page
    assert ReviewLink.objects.get().guests == ["Anouk B."]
    assert ReviewLink.objects.get().last_used_at is not None


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b"])
def test_what_is_no_name_is_asked_again(browser: Client, version: Version, name: str) -> None:
    made = link_to(version)
    browser.get(f"/r/{made.token}")

    assert send(browser, made, "name", name=name).status_code == 400
    assert ReviewLink.objects.get().guests == []


def test_a_password_comes_before_everything(browser: Client, version: Version) -> None:
    made = link_to(version, password="open sesame")
    browser.get(f"/r/{made.token}")

    page = browser.get(pages(made)).content.decode()
    before = browser.get(f"{pages(made)}pictures/{version.pk}/640")
    wrong = send(browser, made, "password", password="open barley")
    named = send(browser, made, "name", name="Anouk")
    right = send(browser, made, "password", password="open sesame")

    assert 'name="password"' in page
    assert (before.status_code, wrong.status_code, named.status_code) == (404, 400, 404)
    assert right.status_code == 302
    assert 'name="name"' in browser.get(pages(made)).content.decode()


def test_guessing_a_password_is_slowed(browser: Client, version: Version) -> None:
    made = link_to(version, password="open sesame")
    browser.get(f"/r/{made.token}")

    answers = [
        send(browser, made, "password", password="open barley")
        for _ in range(login_throttle.N_FREE + 1)
    ]

    assert [answer.status_code for answer in answers] == [400] * login_throttle.N_FREE + [429]


# Seeing -------------------------------------------------------------------------------------------


def test_a_guest_sees_picture_board_action_and_dialogue(browser: Client, version: Version) -> None:
    Plan.objects.filter(pk=version.plan_id).update(dialogue="At last <3", action="She waits.")
    made = link_to(version)
    come_in(browser, made)
    small_pictures()

    page = browser.get(pages(made)).content.decode()
    addresses = re.findall(r'src="(/r/[^"]+)"', page)
    pictures = [browser.get(address) for address in addresses]

    assert "At last &lt;3" in page
    assert "She waits." in page
    assert [(each.status_code, each["Content-Type"]) for each in pictures] == [
        (200, "image/webp")
    ] * 2
    assert [each["Cache-Control"] for each in pictures] == ["private, max-age=300, immutable"] * 2
    assert "/files/" not in page


def test_what_the_studio_says_among_itself_stays_there(browser: Client, version: Version) -> None:
    made = link_to(version)
    come_in(browser, made)
    decide(version, Decision.COMMENT, "He will hate this one.")
    judge(browser, made, version, "comment", comment="Lovely sea.")

    page = browser.get(pages(made)).content.decode()

    assert "hate" not in page
    assert "Lovely sea." in page


def test_pictures_end_with_the_link(browser: Client, version: Version) -> None:
    made = link_to(version, may_download=True)
    come_in(browser, made)
    small_pictures()
    addresses = [
        pages(made),
        f"{pages(made)}pictures/{version.pk}/1280",
        f"{pages(made)}files/{version.pk}/{version}",
    ]
    before = [browser.get(address).status_code for address in addresses]

    links.revoke(made.link.pk, by=None)

    assert before == [200] * 3
    assert [browser.get(address).status_code for address in addresses] == [404] * 3


def test_a_file_is_taken_away_only_where_the_link_allows_it(
    browser: Client, version: Version
) -> None:
    closed, opened = link_to(version), link_to(version, may_download=True)
    come_in(browser, closed)
    come_in(browser, opened)

    refused = browser.get(f"{pages(closed)}files/{version.pk}/{version}")
    taken = browser.get(f"{pages(opened)}files/{version.pk}/{version}")

    assert refused.status_code == 404
    assert taken.content == factories.png()
    assert taken["Content-Disposition"] == f'attachment; filename="{version}"'


def test_all_is_taken_away_as_one_zip_only_where_the_link_allows_it(
    browser: Client, version: Version, outside: Version
) -> None:
    closed, opened = link_to(version), link_to(version, may_download=True)
    come_in(browser, closed)
    come_in(browser, opened)

    refused = browser.get(f"{pages(closed)}pictures.zip")
    taken = browser.get(f"{pages(opened)}pictures.zip")
    found = unpacked(body(taken))
    links.revoke(opened.link.pk, by=None)

    assert refused.status_code == 404
    assert "pictures.zip" not in browser.get(pages(closed)).content.decode()
    assert set(found) == {"SHA256SUMS", str(version)}
    assert found[str(version)] == factories.png()
    assert taken["Content-Disposition"] == 'attachment; filename="E202.zip"'
    assert browser.get(f"{pages(opened)}pictures.zip").status_code == 404


# Judging ------------------------------------------------------------------------------------------


def test_what_a_guest_says_is_advice(browser: Client, version: Version) -> None:
    made = link_to(version)
    come_in(browser, made)

    answer = judge(browser, made, version, "retake", comment="Less light on the sea.")

    review = Review.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{pages(made)}#v{version.pk}")
    assert (review.decision, review.comment) == ("advise_retake", "Less light on the sea.")
    assert (review.guest, review.link, review.door) == ("Anouk", made.link.key, Door.LINK)
    assert state(version) == ReviewState.TO_REVIEW
    assert "You would have it made again." in browser.get(pages(made)).content.decode()


def test_by_a_link_that_may_it_decides(browser: Client, version: Version) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)

    judge(browser, made, version, "approve")

    assert state(version) == ReviewState.APPROVED


def test_a_guest_takes_back_what_is_their_own(browser: Client, version: Version) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    judge(browser, made, version, "approve")

    judge(browser, made, version, "undo", seen="approved")

    assert state(version) == ReviewState.TO_REVIEW


def test_a_guest_takes_back_nothing_of_the_studio_s(browser: Client, version: Version) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    approve(version)

    answer = judge(browser, made, version, "undo", seen="approved", comment="I do not like it.")

    assert answer.status_code == 409
    assert state(version) == ReviewState.APPROVED


def test_a_guest_does_not_approve_over_what_the_studio_has_approved(
    browser: Client, version: Version, plans: list[Plan]
) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    approve(version)
    newer = concepts(plans[0], 1)[0]
    other = link_to(newer, may_decide=True)
    come_in(browser, other)

    answer = judge(browser, other, newer, "approve")

    assert answer.status_code == 409
    assert (state(version), state(newer)) == (ReviewState.APPROVED, ReviewState.TO_REVIEW)


def test_what_changed_meanwhile_is_told_and_nothing_is_done(
    browser: Client, version: Version
) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    approve(version)

    answer = judge(browser, made, version, "retake", comment="Darker.")

    assert answer.status_code == 409
    assert "approved now" in answer.content.decode()


def test_a_script_gets_the_card_alone(browser: Client, version: Version) -> None:
    made = link_to(version)
    come_in(browser, made)
    token = token_of_form(browser, made)
    form = {"version": version.pk, "seen": "to_review", "decision": "approve", "comment": ""}

    answer = browser.post(
        f"{pages(made)}judge", form, headers={"x-csrftoken": token, "x-card": "1"}
    )

    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith("<article")
    assert "You would approve it." in answer.content.decode()


# What cannot be reached ---------------------------------------------------------------------------


@pytest.mark.parametrize("decision", ["reopen", "advise_approve", "undo"])
def test_what_guests_do_not_do_is_refused(browser: Client, version: Version, decision: str) -> None:
    made = link_to(version)
    come_in(browser, made)

    answer = judge(browser, made, version, decision, comment="Please.")

    assert answer.status_code == 403
    assert Review.objects.count() == 0


@pytest.mark.parametrize(
    "form",
    [{"version": "x"}, {"version": "9" * 30}, {"seen": "lost"}, {"decision": ""}, {"version": "²"}],
)
def test_a_form_of_another_make_is_refused(browser: Client, version: Version, form: Any) -> None:
    made = link_to(version)
    come_in(browser, made)
    whole = {"version": version.pk, "seen": "to_review", "decision": "approve"} | form

    assert send(browser, made, "judge", **whole).status_code == 400


def test_nothing_outside_of_the_scope_is_shown_or_judged(
    browser: Client, version: Version, outside: Version
) -> None:
    made = link_to(version, may_decide=True, may_download=True)
    come_in(browser, made)
    small_pictures()
    shown = [
        browser.get(f"{pages(made)}pictures/{outside.pk}/640"),
        browser.get(f"{pages(made)}files/{outside.pk}/{outside}"),
        browser.get(f"{pages(made)}pictures/{version.pk}/320"),
        judge(browser, made, outside, "approve"),
    ]

    assert [answer.status_code for answer in shown] == [404] * 4
    assert str(outside.plan.code) not in browser.get(pages(made)).content.decode()
    assert state(outside) == ReviewState.TO_REVIEW


def test_a_cookie_opens_no_other_link(browser: Client, version: Version, outside: Version) -> None:
    mine, other = link_to(version), link_to(outside)
    come_in(browser, mine)
    stolen = browser.cookies["madsea_guest"].value
    thief = Client()
    thief.cookies["madsea_guest"] = stolen

    assert thief.get(pages(mine)).status_code == 200
    assert thief.get(pages(other)).status_code == 404


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "e30:1x:y", "é"])
def test_a_forged_cookie_opens_nothing(version: Version, cookie: str) -> None:
    made = link_to(version)
    forger = Client()
    forger.cookies["madsea_guest"] = cookie

    assert forger.get(pages(made)).status_code == 404


def test_forms_without_their_token_are_refused(browser: Client, version: Version) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    form = {"version": version.pk, "seen": "to_review", "decision": "approve", "comment": ""}

    answers = [browser.post(f"{pages(made)}{what}", form) for what in ("judge", "name", "password")]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert state(version) == ReviewState.TO_REVIEW


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = f"{before}{each.pattern}"
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from _patterns(each, route)


#: Open to everybody, guest or not: what is read before one is known, and what needs a signature.
OPEN = re.compile(
    r"/r/|/admin/(login|logout|jsi18n|unfold)|/api/(docs|redoc|guide|schema|token)|/health"
)


def _addresses(made: MadeLink, outside: Version) -> list[str]:
    """Every address of the site, filled with what there is."""
    filled = []
    for route in _patterns(get_resolver()):
        if "^" in route or "(?P" in route:
            continue
        plain = re.sub(r"<(?:\w+:)?project_id>", "madsea-2025-ep202", route)
        plain = re.sub(r"<(?:\w+:)?episode>", "E202", plain)
        plain = re.sub(r"<(?:str:|slug:)?(?:filename)>", str(outside), plain)
        filled.append("/" + re.sub(r"<[^>]+>", str(outside.pk), plain))
    return sorted(set(filled))


def test_a_guest_s_cookie_opens_no_other_address_by_any_verb(
    browser: Client, version: Version, outside: Version
) -> None:
    made = link_to(version, may_decide=True, may_download=True)
    come_in(browser, made)
    # Even if a browser sent it where its path does not lead.
    guest = Client()
    guest.cookies["madsea_guest"] = browser.cookies["madsea_guest"].value
    closed = [each for each in _addresses(made, outside) if not OPEN.match(each)]

    answers = {
        (verb, address): getattr(guest, verb)(address).status_code
        for address in closed
        for verb in ("get", "post", "put", "patch", "delete")
    }

    assert len(closed) > 60
    assert {
        key: code for key, code in answers.items() if code not in {301, 302, 401, 403, 404, 405}
    } == {}
    assert Review.objects.count() == 0


def test_a_guest_reaches_no_foreign_picture_by_any_address_below_the_link(
    browser: Client, version: Version, outside: Version
) -> None:
    made = link_to(version, may_download=True)
    come_in(browser, made)
    small_pictures()
    own = [each for each in _addresses(made, outside) if each.startswith("/r/")]
    below = [re.sub(r"^/r/\d+/", pages(made), each) for each in own]

    answers = {
        (verb, address): getattr(browser, verb)(address).status_code
        for address in below
        # The page, and the zip of what it shows.
        if address not in {pages(made), f"{pages(made)}pictures.zip"}
        for verb in ("get", "post", "put", "patch", "delete")
    }

    assert len(below) >= 6
    assert {key: code for key, code in answers.items() if code not in {403, 404, 405}} == {}


def test_a_session_is_neither_read_nor_changed(version: Version, supervisor: User) -> None:
    made = link_to(version)
    browser = Client()
    browser.force_login(supervisor)
    session = browser.cookies["sessionid"].value

    entered = browser.get(f"/r/{made.token}")
    page = browser.get(pages(made))

    assert "sessionid" not in entered.cookies
    assert "sessionid" not in page.cookies
    assert browser.cookies["sessionid"].value == session
    assert "supervisor" not in page.content.decode()
    assert browser.get("/admin/").status_code == 200


def test_a_link_that_ends_while_its_page_is_open_takes_nothing_more(
    browser: Client, version: Version
) -> None:
    made = link_to(version, may_decide=True)
    come_in(browser, made)
    token = token_of_form(browser, made)
    ReviewLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    form = {"version": version.pk, "seen": "to_review", "decision": "approve", "comment": ""}

    answer = browser.post(f"{pages(made)}judge", form | {"csrfmiddlewaretoken": token})

    assert answer.status_code == 404
    assert state(version) == ReviewState.TO_REVIEW
