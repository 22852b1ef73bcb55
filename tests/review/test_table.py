"""The light table: which plans it shows, in which order, each with which picture."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from generation.models import Batch, Episode, Measure, Plan, Version
from generation.services import derived_making
from generation.states import ReviewState, RunState
from review.selectors import light_table as tables
from review.selectors.light_table import Show, Table, TableQuery, Tile
from review.services.decisions import Reviewer
from tests import factories
from tests.api.calls import EXAMPLE, URL
from tests.review import deciding
from tests.review.deciding import concepts

pytestmark = pytest.mark.django_db
PAGE = "/review/madsea-2025-ep202/E202/"


@pytest.fixture
def episode(plans: list[Plan]) -> Episode:
    return plans[0].sequence.episode


def table(of: Episode, **asked: Any) -> Table:
    return tables.table(of, TableQuery(user_id=None, **asked))


def codes(of: Table) -> list[str]:
    return [tile.code for tile in of.tiles]


def tile_of(plan: Plan) -> Tile:
    [tile] = tables.tiles(Plan.objects.filter(pk=plan.pk))
    return tile


@pytest.fixture
def client(artist: User) -> Client:
    client = Client()
    client.force_login(artist)
    return client


# Order and scope ----------------------------------------------------------------------------------


def test_plans_stand_in_the_order_of_the_story(plans: list[Plan], episode: Episode) -> None:
    for plan, position in zip(plans, (30, 10, 20), strict=True):
        Plan.objects.filter(pk=plan.pk).update(position=position)

    assert codes(table(episode)) == [plans[1].code, plans[2].code, plans[0].code]


def test_a_sequence_stands_where_its_first_plan_does(episode: Episode) -> None:
    [late] = factories.plans({"SQ0005": ["0010"]})
    Plan.objects.filter(sequence__code="SQ0010").update(position=1)
    Plan.objects.filter(pk=late.pk).update(position=90)

    assert [code for code, _ in table(episode).groups] == ["SQ0010", "SQ0005"]


def test_plans_without_positions_stand_by_their_numbers(episode: Episode) -> None:
    assert codes(table(episode)) == ["0010", "0020", "0030"]


def test_an_episode_with_too_many_plans_begins_with_what_is_to_review(
    monkeypatch: pytest.MonkeyPatch, episode: Episode
) -> None:
    monkeypatch.setattr(tables, "TILES_MAX", 3)
    [other] = factories.plans({"SQ0020": ["0010"]})
    concepts(other, 1)

    found = table(episode)

    assert (found.sequence, codes(found)) == ("SQ0020", ["0010"])
    assert [(part.code, part.n_to_review) for part in found.parts] == [
        ("SQ0010", 0),
        ("SQ0020", 1),
    ]


def test_a_long_sequence_has_pages(monkeypatch: pytest.MonkeyPatch, episode: Episode) -> None:
    monkeypatch.setattr(tables, "TILES_MAX", 2)

    pages = [table(episode, sequence="SQ0010", page=page) for page in (1, 2, 99)]

    assert [codes(page) for page in pages] == [["0010", "0020"], ["0030"], ["0030"]]
    assert [page.n_pages for page in pages] == [2, 2, 2]


# The picture that stands for a plan ---------------------------------------------------------------


def test_the_approved_version_stands_for_its_plan(plans: list[Plan]) -> None:
    first, _ = concepts(plans[0], 2)
    deciding.approve(first)
    newer = factories.version(plans[0], origin=Version.Origin.IMPORT)

    tile = tile_of(plans[0])

    assert tile.picture is not None
    assert (tile.picture.id, tile.state) == (first.pk, ReviewState.APPROVED)
    assert (tile.n_versions, tile.n_open, tile.newest_id) == (3, 1, newer.pk)


def test_else_the_newest_that_nothing_supersedes(plans: list[Plan]) -> None:
    _, newest = concepts(plans[0], 2)

    tile = tile_of(plans[0])

    assert tile.picture is not None
    assert (tile.picture.id, tile.state) == (newest.pk, ReviewState.TO_REVIEW)


def test_panels_are_no_pictures_to_review(plans: list[Plan]) -> None:
    factories.version(plans[0], task="extracted-raw")

    assert (tile_of(plans[0]).picture, tile_of(plans[0]).state) == (None, "none")


def test_a_retake_tells_what_is_to_be_better(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    deciding.retake(version, "Less light on the sea.")

    assert tile_of(plans[0]).said == tables.CommentSummary(1, "Less light on the sea.")


# Filters ------------------------------------------------------------------------------------------


def test_each_filter_shows_what_it_says(
    plans: list[Plan], episode: Episode, supervisor: User
) -> None:
    approved, retake = (concepts(plan, 1)[0] for plan in plans[:2])
    deciding.approve(approved)
    deciding.retake(retake)
    Version.objects.filter(pk=retake.pk).update(created_by=supervisor, published_at=timezone.now())
    [failed, fresh] = factories.plans({"SQ0010": ["0040", "0050"]})
    factories.run(factories.batch([RunState.QUEUED]), failed, RunState.ERROR, position=9)
    concepts(fresh, 1)

    def shown(show: Show) -> list[str]:
        return codes(tables.table(episode, TableQuery(user_id=supervisor.pk, show=show)))

    assert shown(Show.APPROVED) == ["0010"]
    assert shown(Show.RETAKES) == ["0020"]
    assert shown(Show.FAILED) == ["0040"]
    assert shown(Show.NONE) == ["0030", "0040"]
    assert shown(Show.MINE) == ["0020"]
    assert shown(Show.RECENT) == ["0020"]
    assert "0050" in shown(Show.TO_REVIEW)
    assert "0010" not in shown(Show.TO_REVIEW)


def test_yesterday_evening_is_that_of_the_installation(
    plans: list[Plan], episode: Episode, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    [version] = concepts(plans[0], 1)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight - timedelta(hours=6), midnight - timedelta(hours=6, seconds=1)]

    def shown(moment: Any) -> list[str]:
        Version.objects.filter(pk=version.pk).update(published_at=moment)
        return codes(table(episode, show=Show.RECENT))

    assert [shown(moment) for moment in moments] == [["0010"], []]


def test_filters_count_what_they_would_show(plans: list[Plan], episode: Episode) -> None:
    concepts(plans[0], 1)

    counts = table(episode, show=Show.APPROVED).counts

    assert (counts[Show.ALL], counts[Show.TO_REVIEW], counts[Show.NONE]) == (3, 1, 2)


def test_reasons_of_lately_are_one_s_own_first(
    plans: list[Plan], episode: Episode, supervisor: User, artist: User
) -> None:
    for plan, words, user in zip(
        plans, ("Too dark.", "Mine.", "Too dark."), (artist, supervisor, artist), strict=True
    ):
        user.is_superuser = True
        deciding.retake(concepts(plan, 1)[0], words, by=Reviewer(user))

    assert tables.recent_reasons(episode, supervisor.pk) == ["Mine.", "Too dark."]


def test_episodes_with_something_to_review_are_told(plans: list[Plan]) -> None:
    concepts(plans[0], 2)
    concepts(plans[1], 1)

    [found] = tables.episodes_to_review()

    assert (found.project, found.episode, found.n_plans) == ("madsea-2025-ep202", "E202", 2)


def test_a_picture_that_checks_find_something_in_is_shown_so_and_filtered(
    plans: list[Plan], episode: Episode, client: Client
) -> None:
    concepts(plans[1], 1)
    factories.version(plans[0], content=factories.png(640, 360, "black"))
    derived_making.Maker().make_pending()
    Measure.objects.filter(version__plan=plans[1]).update(brightest=1, contrast=1)

    assert codes(table(episode, show=Show.FLAGGED)) == ["0010"]
    page = client.get(PAGE).content.decode()
    assert page.count('class="doubt"') == 1
    assert "0010 v0001, to review, It is black: nothing in it is brighter." in page
    closely = client.get(f"{PAGE}plans/{plans[0].pk}").content.decode()
    assert "⚠ It is black" in closely


def test_many_plans_take_as_many_queries_as_few(episode: Episode) -> None:
    def n_queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            table(episode)
        return len(asked)

    concepts(Plan.objects.get(code="0010"), 1)
    few = n_queries()
    many = factories.plans({"SQ0020": [f"{n:04d}" for n in range(1, 40)]})
    versions = [concepts(plan, 2)[0] for plan in many]
    deciding.retake(concepts(many[0], 1)[0])

    assert len(versions) == 39
    assert n_queries() == few <= 10


# Pages --------------------------------------------------------------------------------------------


def test_whoever_is_not_signed_in_is_asked_to(plans: list[Plan]) -> None:
    answer = Client().get(PAGE)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    "address",
    [
        "/review/madsea-2025-ep202/E999/",
        "/review/nobody/E202/",
        f"{PAGE}plans/999999",
        "/review/madsea-2025-ep202/E999/states",
    ],
)
def test_what_there_is_not_is_not_found(client: Client, plans: list[Plan], address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", f"page={'9' * 5000}", "show=nothing", "sequence=SQ9999", "style=none"],
)
def test_a_strange_query_shows_a_page_all_the_same(
    client: Client, plans: list[Plan], query: str
) -> None:
    assert client.get(f"{PAGE}?{query}").status_code == 200


def test_two_thousand_plans_are_shown_by_sequence_five_hundred_to_a_page(client: Client) -> None:
    factories.many_plans(2_000)
    places = ["", *(f"sequence=SQ000{n}&page={page}" for n in (0, 1) for page in (1, 2))]

    pages = [client.get(f"{PAGE}?{place}").content.decode() for place in places]

    assert [page.count('class="tile"') for page in pages] == [500] * 5
    told = {name for page in pages[1:] for name in re.findall(r'data-plan="([^"]+)"', page)}
    assert len(told) == 2_000
    # There is no page of all of them to choose.
    assert "the whole episode" not in "".join(pages)


@pytest.mark.parametrize("path", ["", "states", "tiles"])
def test_nothing_is_decided_by_looking(client: Client, plans: list[Plan], path: str) -> None:
    assert client.post(f"{PAGE}{path}").status_code == 405


def test_whoever_may_not_decide_sees_no_button_for_it(
    client: Client, plans: list[Plan], supervisor: User, settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    seen = client.get(PAGE).content.decode()
    client.force_login(supervisor)
    decided = client.get(PAGE).content.decode()

    assert 'data-act="approve"' not in seen
    assert 'data-act="approve"' in decided


def test_the_page_holds_no_secret_and_so_is_compressed(client: Client, plans: list[Plan]) -> None:
    client.cookies["csrftoken"] = "a" * 32

    answer = client.get(PAGE, headers={"accept-encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"


def test_states_are_told_once(client: Client, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    first = client.get(f"{PAGE}states")
    again = client.get(f"{PAGE}states", headers={"if-none-match": first["ETag"]})
    deciding.approve(version)
    after = client.get(f"{PAGE}states", headers={"if-none-match": first["ETag"]})

    assert first.json()["plans"][0][:3] == [plans[0].pk, version.pk, "to_review"]
    assert again.status_code == 304
    assert after.json()["plans"][0][2] == "approved"


def test_tiles_are_fetched_anew_by_their_plans(client: Client, plans: list[Plan]) -> None:
    concepts(plans[1], 1)

    answer = client.get(f"{PAGE}tiles?plans={plans[1].pk},x,{'9' * 30}").content.decode()

    assert f'id="p{plans[1].pk}"' in answer
    assert f'id="p{plans[0].pk}"' not in answer


def test_a_plan_tells_what_it_shows_and_what_was_said(client: Client, plans: list[Plan]) -> None:
    Plan.objects.filter(pk=plans[0].pk).update(dialogue="At last <3", action="She opens the door.")
    panel = factories.version(plans[0], task="extracted-raw")
    old, _ = concepts(plans[0], 2)
    deciding.retake(old, "Darker <b>please</b>.")

    answer = client.get(f"{PAGE}plans/{plans[0].pk}?version={old.pk}").content.decode()

    assert "At last &lt;3" in answer
    assert "Darker &lt;b&gt;please" in answer
    assert f'data-version="{old.pk}" data-state="retake"' in answer
    assert f"/{panel}" in answer


def test_a_version_of_another_plan_is_not_found(client: Client, plans: list[Plan]) -> None:
    [other] = concepts(plans[1], 1)

    assert client.get(f"{PAGE}plans/{plans[0].pk}?version={other.pk}").status_code == 404


def test_a_rendered_picture_tells_its_values_and_whose_they_are(
    client: Client, api: APIClient
) -> None:
    batch = Batch.objects.get(public_id=api.post(URL, EXAMPLE, format="json").json()["batch_id"])
    run = batch.runs.select_related("plan").first()
    assert run is not None
    assert batch.workflow is not None
    made = factories.attempt(run, graph=batch.workflow.graph)
    version = factories.version(run.plan, run=run, attempt=made, batch=batch)

    page = f"{PAGE}plans/{version.plan_id}"
    answer = client.get(page, headers={"accept-language": "fr"}).content.decode()

    assert str(batch.style) in answer
    assert "<dt>lora_strength</dt><dd>0,9 <small>la demande</small>" in answer
    assert "<small>le style</small>" in answer


# The ways to it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "leads_to"),
    [
        ("episode", PAGE),
        ("sequence", f"{PAGE}?sequence=SQ0010"),
        ("plan", f"{PAGE}?sequence=SQ0010#p"),
        ("batch", PAGE),
    ],
)
def test_pages_lead_to_the_light_table_of_their_episode(
    client: Client, supervisor: User, model: str, leads_to: str
) -> None:
    batch = factories.batch([RunState.DONE])
    plan = Plan.objects.get(code="0010")
    ids = {
        "episode": batch.episode_id,
        "sequence": plan.sequence_id,
        "plan": plan.pk,
        "batch": batch.pk,
    }
    client.force_login(supervisor)

    page = client.get(f"/admin/generation/{model}/{ids[model]}/change/").content.decode()

    assert f'href="{leads_to}' in page


def test_what_waits_is_listed_by_episode(
    client: Client, supervisor: User, plans: list[Plan]
) -> None:
    concepts(plans[0], 1)
    client.force_login(supervisor)

    page = client.get("/admin/review/review/tables/").content.decode()

    assert f'href="{PAGE}?show=to_review"' in page
    assert "/admin/review/review/tables/" in client.get("/admin/").content.decode()


def test_whoever_sees_no_decisions_sees_no_list_of_what_waits(client: Client) -> None:
    assert client.get("/admin/review/review/tables/").status_code in {302, 403}


def test_a_decision_from_the_page_says_so(supervisor: User, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    page = Client()
    page.force_login(supervisor)
    one = {"version": version.pk, "decision": "approve", "seen": "to_review"}

    answer = page.post("/api/reviews", {"reviews": [one]}, content_type="application/json")

    assert answer.json()["reviews"][0]["door"] == "table"
