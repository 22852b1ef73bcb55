"""Since yesterday evening: what was made, failed and decided, what waits, and the mail of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from generation.models import Batch, Plan, PlanRun, Server
from generation.states import RunState, ServerHealth
from review.selectors import summary
from review.services.decisions import Reviewer
from review.states import Decision
from tests import factories
from tests.review.deciding import approve, concepts, decide, retake

pytestmark = pytest.mark.django_db
PAGE, API = "/admin/review/review/summary/", "/api/summary"
GUEST = Reviewer(guest="Anouk", link="1")


@pytest.fixture
def night(supervisor: User, batch: Batch) -> list[Plan]:
    """What a night has brought: a picture, two plans that failed alike, a server that is down."""
    now = timezone.now()
    Batch.objects.update(requested_by=supervisor)
    first, *failed = PlanRun.objects.order_by("position")
    old = factories.version(first.plan, published_at=now - timedelta(days=9))
    picture = factories.version(first.plan, run=first, published_at=now)
    retake(picture, "Less light", by=Reviewer(supervisor))
    decide(old, Decision.ADVISE_APPROVE, by=GUEST)
    PlanRun.objects.filter(pk__in=[run.pk for run in failed]).update(
        state=RunState.ERROR,
        finished_at=now,
        error_code="node_error",
        error_message="KSampler: out of luck",
        error_remedy="Ask the technical director.",
    )
    Server.objects.create(
        name="gpu-1",
        url="http://10.0.0.9:8188",
        health=ServerHealth.DOWN,
        health_detail="Nothing listens.",
        down_since=now,
    )
    return [run.plan for run in (first, *failed)]


def test_it_tells_what_a_night_has_brought(night: list[Plan]) -> None:
    told = summary.summary(summary.default_since())

    place = {"project_id": "madsea-2025-ep202", "episode": "E202"}
    assert told["made"] == [{**place, "by": "supervisor", "n_plans": 1, "n_pictures": 1}]
    assert told["failed"] == [
        {
            "code": "node_error",
            "n_plans": 2,
            "message": "KSampler: out of luck",
            "remedy": "Ask the technical director.",
            "plans": ["E202_SQ0010-0030", "E202_SQ0010-0020"],
        }
    ]
    assert told["decided"] == [
        {"by": "supervisor", "is_guest": False, "decision": "retake", "n": 1},
        {"by": "Anouk", "is_guest": True, "decision": "advise_approve", "n": 1},
    ]
    assert [each["comment"] for each in told["retakes"]] == ["Less light"]
    assert [(each["server"], each["kind"]) for each in told["servers"]] == [("gpu-1", "down")]
    assert told["waiting"]["retakes"] == [{**place, "n_plans": 1}]
    assert told["waiting"]["to_review"] == [{**place, "n_plans": 1}]


def test_it_takes_as_many_queries_for_much_as_for_little(night: list[Plan]) -> None:
    since = summary.default_since()
    with CaptureQueriesContext(connection) as few:
        summary.summary(since)
    for plan in factories.plans({f"SQ{n:04d}": ["0010", "0020"] for n in range(20, 90, 10)}):
        retake(concepts(plan, 2)[0], "Again")

    with CaptureQueriesContext(connection) as many:
        summary.summary(since)

    assert (len(few), len(many)) == (11, 11)


def test_a_retake_that_was_taken_back_is_no_retake(supervisor: User, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    by = Reviewer(supervisor)
    retake(version, "Oh", by=by)
    decide(version, Decision.UNDO, by=by)

    assert summary.summary(summary.default_since())["retakes"] == []


# The API -----------------------------------------------------------------------------------------


def test_the_api_tells_it_since_a_moment(api: APIClient, plans: list[Plan]) -> None:
    factories.version(plans[0], published_at=datetime(2025, 1, 31, 12, tzinfo=UTC))
    factories.version(plans[1], published_at=datetime(2025, 1, 31, 18, tzinfo=UTC))

    late = api.get(API, {"since": "2025-01-31T17:00:00+00:00"}).json()
    day = api.get(API, {"since": "2025-01-31"}).json()
    blank = api.get(f"{API}?since=2025-01-31T19:00:00+02:00").json()

    assert [each["made"][0]["n_pictures"] for each in (late, day, blank)] == [1, 2, 1]
    assert late["since"] == "2025-01-31T17:00:00+00:00"


def test_by_default_it_begins_yesterday_at_six_in_the_studio_s_time(
    api: APIClient, settings: Any
) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    timezone.activate("Pacific/Auckland")

    since = timezone.localtime(datetime.fromisoformat(api.get(API).json()["since"]))

    timezone.deactivate()
    yesterday = timezone.localdate(timezone=since.tzinfo) - timedelta(days=1)
    assert (since.hour, since.minute) == (18, 0)
    assert yesterday - since.date() in {timedelta(0), timedelta(days=1)}


@pytest.mark.parametrize(
    ("query", "attr"),
    [("since=soon", "since"), ("since=2025-13-40", "since"), ("sinc=2025-01-01", "sinc")],
)
def test_what_is_no_moment_is_refused(api: APIClient, query: str, attr: str) -> None:
    answer = api.get(f"{API}?{query}")

    assert (answer.status_code, answer.json()["attr"]) == (400, attr)


# The page ----------------------------------------------------------------------------------------


def test_the_page_tells_it_in_french(night: list[Plan], supervisor: User) -> None:
    browser = Client(headers={"accept-language": "fr"})
    browser.force_login(supervisor)

    page = browser.get(PAGE).content.decode()

    assert "Depuis hier soir" in page
    assert "KSampler: out of luck" in page
    assert "Less light" in page
    assert "Anouk" in page
    assert "gpu-1" in page


def test_the_page_is_for_whoever_may_look_at_decisions(artist: User, supervisor: User) -> None:
    User.objects.filter(pk=artist.pk).update(is_staff=True)
    browsers = {user: Client() for user in (artist, supervisor)}
    for user, browser in browsers.items():
        browser.force_login(User.objects.get(pk=user.pk))

    assert [each.get(PAGE).status_code for each in browsers.values()] == [403, 200]


# The mail ----------------------------------------------------------------------------------------


def test_the_mail_tells_it_as_text_and_as_html(
    night: list[Plan], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LANGUAGE_CODE, settings.MADSEA_URL = "fr", "https://madsea.studio"

    call_command("send_summary", "--to", "td@studio.fr", "prod@studio.fr")

    [sent] = mail.outbox
    page = sent.alternatives[0][0]  # type: ignore[attr-defined]
    assert sent.to == ["td@studio.fr", "prod@studio.fr"]
    assert sent.subject == "Madsea\N{NO-BREAK SPACE}: images 1, échecs 2, à valider 1"
    assert "Less light" in sent.body
    assert "https://madsea.studio/review/madsea-2025-ep202/E202/?show=to_review" in sent.body
    assert "KSampler: out of luck" in page
    assert "Envoyé à 2 destinataires." in capsys.readouterr().out


def test_nothing_is_sent_when_nothing_has_happened(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("send_summary", "--to", "td@studio.fr")
    nothing = len(mail.outbox)
    call_command("send_summary", "--to", "td@studio.fr", "--even-if-nothing")

    assert (nothing, len(mail.outbox)) == (0, 1)
    assert "Nothing has happened" in capsys.readouterr().out


def test_a_dry_run_prints_the_mail(night: list[Plan], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("send_summary", "--dry-run")

    assert mail.outbox == []
    assert "Less light" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("to", "words"), [([], "MADSEA_SUMMARY_TO"), (["nobody"], "'nobody' is no mail address")]
)
def test_who_gets_it_has_to_be_said(night: list[Plan], to: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("send_summary", *(["--to", *to] if to else []))


def test_without_a_mail_server_the_command_says_so(night: list[Plan], settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    with pytest.raises(CommandError, match="EMAIL_HOST is not set"):
        call_command("send_summary", "--to", "td@studio.fr")


def test_what_waits_alone_is_no_news(plans: list[Plan]) -> None:
    factories.version(plans[0], published_at=timezone.now() - timedelta(days=9))
    approve(concepts(plans[1], 1)[0])
    told = summary.summary(timezone.now() + timedelta(hours=1))

    assert not summary.has_news(told)
    assert told["waiting"]["to_review"] != []
