"""What apps above the engine add: to a plan's page, the sidebar, the API, the tick, publishing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from generation.admin import navigation, plans
from generation.admin.detail_pages import Page
from generation.api import route_builders
from generation.extension_points import Registry, version_published
from generation.models import Plan, Version
from generation.services import outside_images, tick
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def added() -> Iterator[Callable[[Registry[Any], Any], None]]:
    """Adds something to a registry until the test has ended."""
    there: list[tuple[Registry[Any], Any]] = []

    def add(registry: Registry[Any], item: Any) -> None:
        there.append((registry, registry.add(item)))

    yield add
    for registry, item in there:
        registry.remove(item)


Added = Callable[[Registry[Any], Any], None]


def test_an_app_adds_to_a_plan_s_page(admin_client: Client, added: Added) -> None:
    plan = factories.plans()[0]

    def board(_request: HttpRequest, shown: Plan, page: Page) -> None:
        page.facts.append(("Board", f"1A of {shown.code}"))

    added(plans.PLAN_PAGE, board)

    page = admin_client.get(f"/admin/generation/plan/{plan.pk}/change/").content.decode()

    assert "1A of 0010" in page


def test_an_app_adds_a_group_to_the_sidebar(admin_client: Client, added: Added) -> None:
    added(navigation.GROUPS, ("Storyboards", (("Boards", "view_carousel", "generation.plan"),)))

    page = admin_client.get("/admin/").content.decode()

    assert page.index("Versions") < page.index("Storyboards") < page.index("Machines")


def test_a_group_shows_nobody_what_they_may_not_see(client: Client, added: Added) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    added(navigation.GROUPS, ("Storyboards", (("Boards", "view_carousel", "generation.plan"),)))

    page = client.get("/admin/").content.decode()

    assert "Boards" not in page


def test_an_app_adds_an_address_to_the_api(api: APIClient, added: Added) -> None:
    bare, with_slash = route_builders.both("boards", lambda _request: HttpResponse("1A"), "boards")
    added(route_builders.ROUTES, bare)
    added(route_builders.ROUTES, with_slash)

    assert api.get("/api/boards").content == b"1A"
    assert api.get("/api/boards/").content == b"1A"


def test_an_address_that_nobody_added_leads_nowhere(api: APIClient) -> None:
    assert api.get("/api/boards").status_code == 404


def test_an_app_adds_a_step_to_the_tick(added: Added) -> None:
    ticks: list[str] = []
    added(tick.STEPS, lambda: ticks.append("cut"))

    tick.tick()

    assert ticks == ["cut"]


def test_a_step_that_fails_keeps_no_other_from_its_turn(added: Added) -> None:
    ticks: list[str] = []
    added(tick.STEPS, lambda: 1 / 0)
    added(tick.STEPS, lambda: ticks.append("cut"))

    with pytest.raises(ExceptionGroup):
        tick.tick()

    assert ticks == ["cut"]


@pytest.fixture
def told() -> Iterator[list[Version]]:
    """The versions that a receiver has been told of."""
    versions: list[Version] = []

    def receive(version: Version, **_: Any) -> None:
        versions.append(version)

    version_published.connect(receive)
    yield versions
    version_published.disconnect(receive)


def test_an_app_is_told_once_of_each_version_that_is_published(told: list[Version]) -> None:
    plan = factories.plans()[0]

    version = outside_images.import_panel(plan, factories.png(), filename="panel.png", actor=None)

    assert told == [version]
    assert told[0].published_at is not None


def test_a_receiver_that_fails_keeps_nobody_from_publishing(told: list[Version]) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("It broke.")

    version_published.connect(fail)
    plan = factories.plans()[0]

    try:
        outside_images.import_panel(plan, factories.png(), filename="panel.png", actor=None)
    finally:
        version_published.disconnect(fail)

    assert Version.objects.published().count() == len(told) == 1


def test_nothing_is_added_twice() -> None:
    registry: Registry[str] = Registry()
    registry.add("board")

    with pytest.raises(ValueError, match="'board' is added twice"):
        registry.add("board")
