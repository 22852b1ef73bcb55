"""The home page and what surrounds every page."""

import re

from django.test import Client

from generation.models import Style
from generation.states import RunState
from tests import factories
from tests.admin import pages

HOME = "/admin/"


def test_the_home_page_shows_what_runs_and_what_needs_attention(office: Client) -> None:
    factories.batch((RunState.RUNNING, RunState.DONE), public_id="going")
    factories.batch((RunState.ERROR,), of=factories.plans({"SQ0020": ["0010"]}), public_id="bad")

    shown = pages.text(office, HOME)

    assert "going</a>" in shown
    assert "75 %" in shown
    assert "E202_SQ0020-0010" in shown
    assert "KSampler: out of memory." in shown
    assert "gpu-1" in shown


NOTHING_TO_DO = "Nothing to do: every plan that failed has been asked for again."


def test_a_failure_that_was_asked_for_again_needs_no_attention(office: Client) -> None:
    plan = factories.plans()[0]
    factories.batch((RunState.ERROR,), of=[plan])
    factories.batch((RunState.QUEUED,), of=[plan])

    assert NOTHING_TO_DO in pages.text(office, HOME)


def test_a_later_batch_in_another_style_hides_no_failure(office: Client) -> None:
    plan = factories.plans()[0]
    factories.batch((RunState.ERROR,), of=[plan])
    other = Style.objects.create(code="other", label="Other", workflow_name="Small.json")
    factories.batch((RunState.DONE,), of=[plan], style=other)

    shown = pages.text(office, HOME)

    assert NOTHING_TO_DO not in shown
    assert "KSampler: out of memory." in shown


def test_a_later_request_that_was_cancelled_hides_no_failure(office: Client) -> None:
    plan = factories.plans()[0]
    factories.batch((RunState.ERROR,), of=[plan])
    factories.batch((RunState.CANCELLED,), of=[plan])

    assert "KSampler: out of memory." in pages.text(office, HOME)


def test_the_sidebar_leads_only_where_one_may_go(desk: Client, office: Client) -> None:
    assert "/admin/auth/user/" in pages.text(office, HOME)
    assert "/admin/django_q/success/" in pages.text(office, HOME)
    shown = pages.text(desk, HOME)
    assert "/admin/generation/planrun/" in shown
    assert "/admin/auth/user/" not in shown
    assert "/admin/django_q/" not in shown


def test_staff_without_permissions_is_told_so(db: None, artist_on_staff: Client) -> None:
    assert "ask for a permission" in pages.text(artist_on_staff, HOME)


def test_the_sidebar_marks_where_one_is_once(office: Client) -> None:
    queue = pages.text(office, "/admin/generation/planrun/queue/")
    runs = pages.text(office, "/admin/generation/planrun/")

    assert _marked(queue) == ["/admin/generation/planrun/queue/"]
    assert _marked(runs) == ["/admin/generation/planrun/"]


def _marked(html: str) -> list[str]:
    links = re.findall(r'<a href="([^"]+)"[^>]*class="([^"]*)"[^>]*>', html)
    return [link for link, classes in links if " active" in f" {classes}"]


def test_more_than_the_home_page_shows_is_told_and_listed(office: Client) -> None:
    factories.batch([RunState.ERROR] * 11, of=factories.many_plans(11))

    shown = pages.text(office, HOME)
    listed = pages.text(office, "/admin/generation/planrun/?attention=yes")

    assert "Failed plans that need attention: the newest 10" in shown
    assert "/admin/generation/planrun/?attention=yes" in shown
    assert listed.count('class="data-row') == 11


def test_what_was_asked_for_again_is_not_among_what_needs_attention(office: Client) -> None:
    plan = factories.plans()[0]
    factories.batch((RunState.ERROR,), of=[plan])
    factories.batch((RunState.DONE,), of=[plan])

    listed = pages.text(office, "/admin/generation/planrun/?attention=yes")

    assert "No results found" in listed


def test_the_home_page_lists_and_servers_are_told_of_every_episode(office: Client) -> None:
    server = factories.server()
    lists = [pages.url(model) for model in ("batch", "planrun", "plan", "version", "server")]

    shown = [pages.text(office, at) for at in ["/admin/", *lists, pages.url("server", server.pk)]]

    assert all('data-events="/api/events?episode_id=all&amp;last_event_id=' in e for e in shown)
