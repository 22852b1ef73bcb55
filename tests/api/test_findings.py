"""What the checks find in pictures, as clients read it and ask for it."""

import pytest
from PIL import Image
from rest_framework.test import APIClient

from generation.models import Plan, Version
from generation.services import derived_making
from tests import factories
from tests import pictures as made

pytestmark = pytest.mark.django_db


@pytest.fixture
def black(plans: list[Plan]) -> Version:
    """A black picture among good ones, all of them measured."""
    for plan, colour in zip(plans[1:], ("red", "teal"), strict=True):
        image = Image.new("RGB", (640, 360), colour)
        image.paste("white", (0, 0, 200, 200) if colour == "red" else (300, 100, 640, 360))
        factories.version(plan, content=made.encoded(image, "PNG"))
    version = factories.version(plans[0], content=made.plain(size=(640, 360)))
    derived_making.Maker().make_pending()
    return version


def test_a_version_tells_what_was_found_in_it(api: APIClient, black: Version) -> None:
    found = api.get(f"/api/versions/{black.pk}").json()["findings"]

    assert found[0] == {
        "check": "black",
        "value": 0.0,
        "bound": 0.03,
        "detail": "It is black: nothing in it is brighter.",
        "like": None,
    }
    assert [each["check"] for each in found] == ["black", "one_colour"]


def test_it_is_told_in_the_language_of_who_asks(api: APIClient, black: Version) -> None:
    found = api.get(f"/api/versions/{black.pk}", headers={"Accept-Language": "fr"}).json()

    assert found["findings"][0]["detail"].startswith("Elle est noire")


def test_what_is_not_measured_yet_has_no_findings_and_what_is_right_an_empty_list(
    api: APIClient, plans: list[Plan], black: Version
) -> None:
    factories.version(plans[0])

    told = [row["findings"] for row in api.get("/api/versions").json()["results"]]

    assert [found if found is None else len(found) for found in told] == [None, 2, 0, 0]


@pytest.mark.parametrize(("asked", "n"), [("black", 1), ("any", 1), ("white", 0)])
def test_versions_are_listed_by_what_was_found(
    api: APIClient, black: Version, asked: str, n: int
) -> None:
    rows = api.get("/api/versions", {"finding": asked}).json()["results"]

    assert [row["id"] for row in rows] == [black.pk] * n


def test_a_check_that_there_is_not_is_refused(api: APIClient, black: Version) -> None:
    response = api.get("/api/versions", {"finding": "blue"})

    assert response.status_code == 400
    assert "composition" in response.json()["errors"][0]["detail"]


def test_findings_decide_nothing(black: Version) -> None:
    black.refresh_from_db()

    assert (black.review_state, black.state) == ("to_review", "published")


def test_a_list_takes_as_many_queries_however_many_are_measured(
    api: APIClient, plans: list[Plan], black: Version, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        rows = api.get("/api/versions").json()["results"]

    assert len(rows) == 3
