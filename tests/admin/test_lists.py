"""The lists: what they show, what filters and searches find, how many queries they make."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation.admin import search
from generation.models import Batch, LogEntry, Version
from generation.states import RunState
from tests import factories
from tests.admin import pages

STATES = (RunState.RUNNING, RunState.DONE, RunState.ERROR)


def _batches(n: int) -> None:
    for at in range(n):
        factories.batch(STATES[at % 3 : at % 3 + 1], of=factories.many_plans(n)[at : at + 1])


def _runs(n: int) -> None:
    made = factories.batch([STATES[at % 3] for at in range(n)], of=factories.many_plans(n))
    factories.log(made)
    for run in made.runs.all():
        factories.version(run.plan, task="extracted-raw")
        factories.log(made, run)


def _servers(n: int) -> None:
    runs = factories.batch([RunState.QUEUED] * n, of=factories.many_plans(n)).runs
    for at, run in enumerate(runs.all()):
        factories.attempt(run, on=factories.server(f"gpu-{at}"))


MADE: dict[str, Callable[[int], None]] = {
    "plan": _runs,
    "planrun": _runs,
    "version": _runs,
    "logentry": _runs,
    "batch": _runs,
    "server": _servers,
    "sequence": _runs,
    "episode": _runs,
    "project": _runs,
    "workflow": _runs,
    "style": _runs,
}


def _n_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        pages.text(client, address)
    return len(captured)


@pytest.mark.parametrize("model", MADE)
def test_every_list_opens(model: str, office: Client) -> None:
    MADE[model](3)

    assert "result_list" in pages.text(office, pages.url(model))


@pytest.mark.parametrize("model", ["plan", "planrun", "version", "logentry", "server"])
def test_a_list_makes_as_many_queries_for_30_rows_as_for_3(model: str, office: Client) -> None:
    MADE[model](30)
    rows = {"plan": "0000", "planrun": "0000"}.get(model, "")

    many = _n_queries(office, pages.url(model))
    few = _n_queries(office, f"{pages.url(model)}?q={rows}")

    assert many <= few + (0 if rows else 1)


def test_the_list_of_batches_makes_as_many_queries_for_30_as_for_3(office: Client) -> None:
    plans = factories.many_plans(33)
    factories.batch(STATES, of=plans[:3])
    few = _n_queries(office, pages.url("batch"))

    for at in range(29):
        factories.batch(STATES[:1], of=plans[at + 3 : at + 4])

    assert _n_queries(office, pages.url("batch")) == few


@pytest.mark.parametrize(
    "words",
    [
        "E202_SQ0010-0020",
        "SQ0010-0020",
        "0020",
        "SQ0010 0020",
        "E202 0020",
        "E202_SQ0010-0020_AI-concept_v0001.png",
        "E202_SQ0010-0020_AI-concept.png",
        "madsea 0020",
    ],
)
@pytest.mark.parametrize("model", ["plan", "planrun", "version"])
def test_a_plan_is_found_by_its_name(model: str, words: str, office: Client) -> None:
    factories.batch((RunState.DONE,) * 3)

    shown = pages.text(office, f"{pages.url(model)}?q={words}")

    assert "E202_SQ0010-0020" in shown
    assert "E202_SQ0010-0010" not in shown.replace('placeholder="E202_SQ0010-0010', "")


def test_runs_are_found_by_their_batch(office: Client) -> None:
    factories.batch(public_id="feedc0de")
    factories.batch(public_id="0badcafe")

    shown = pages.text(office, f"{pages.url('planrun')}?q=feedc0de")

    assert "feedc0de</a>" in shown
    assert "0badcafe</a>" not in shown


def test_words_that_name_nothing_find_nothing(office: Client) -> None:
    factories.batch()

    assert "No results found" in pages.text(office, f"{pages.url('planrun')}?q=E9_0010.'%22")


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ("project=madsea-2025-ep202", 3),
        ("project=another", 0),
        ("project=madsea-2025-ep202&episode=E202&sequence=SQ0010", 3),
        ("sequence=SQ0020", 0),
        ("state__exact=error", 1),
        ("batch__style__id__exact={style}", 3),
        ("current_attempt__server__id__exact=1", 1),
        ("created_at_from=2020-01-01&created_at_to=2020-01-02", 0),
        ("created_at_from=2020-01-01", 3),
        ("created_at_to=never", 3),
    ],
)
def test_runs_are_filtered(query: str, n_found: int, office: Client) -> None:
    server = factories.server(pk=1)
    factories.server("gpu-2", pk=2)
    assert server.pk == 1
    factories.batch(STATES)

    asked = query.format(style=factories.style().pk)
    shown = pages.text(office, f"{pages.url('planrun')}?{asked}")

    assert shown.count('class="data-row') == n_found


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("started", "queued"),
        ("running", "running"),
        ("error", "failed"),
        ("done", "finished"),
        ("cancelled", "stopped"),
    ],
)
def test_batches_are_filtered_by_their_derived_state(
    state: str, found: str, office: Client
) -> None:
    factories.batch((RunState.QUEUED,), public_id="queued")
    factories.batch((RunState.RUNNING,), public_id="running")
    factories.batch((RunState.ERROR,), public_id="failed")
    factories.batch((RunState.DONE,), public_id="finished")
    factories.batch((RunState.CANCELLED,), public_id="stopped")

    shown = pages.text(office, f"{pages.url('batch')}?status={state}")

    assert shown.count('class="data-row') == 1
    assert f"{found}</a>" in shown


@pytest.mark.parametrize(
    ("query", "n_found"),
    [("status=error", 1), ("status=none", 1), ("panel=yes", 1), ("panel=no", 3)],
)
def test_plans_are_filtered_by_their_latest_run_and_panel(
    query: str, n_found: int, office: Client
) -> None:
    factories.batch(STATES)
    (idle,) = factories.plans({"SQ0020": ["0010"]})
    factories.version(idle, task="extracted-raw")

    shown = pages.text(office, f"{pages.url('plan')}?{query}")

    assert shown.count('class="data-row') == n_found


def test_a_plan_shows_its_newest_panel_image_and_run(office: Client) -> None:
    batch: Batch = factories.batch((RunState.DONE,))
    plan = factories.plans()[0]
    factories.version(plan, task="extracted-raw")
    newest: Version = factories.version(plan)
    factories.batch((RunState.RUNNING,), of=[plan])

    shown = pages.text(office, f"{pages.url('plan')}?q=0010")

    assert str(newest) in shown
    assert str(batch.runs.get().result) not in shown
    assert "E202_SQ0010-0010_extracted-raw_v0001.png" in shown
    assert "50 %" in shown


def test_an_unpublished_version_is_not_shown(office: Client) -> None:
    factories.reserved(factories.plans()[0])

    assert "No results found" in pages.text(office, pages.url("version"))


def _logged() -> None:
    """Log three entries: of a plan, of another plan, and of a whole batch of another project."""
    first = factories.batch((RunState.ERROR, RunState.DONE), public_id="feedc0de")
    one, two = first.runs.order_by("position")
    message = {"message": "Zürich: 100% of “mémoire” is used."}
    factories.log(first, one, "failed", level="error", data=message)
    factories.log(first, two, "posted", data={"server": "gpu-7"})
    other = factories.episode("another-2025", "E305", "S03")
    plans = factories.plans({"SQ0900": ["0990"]}, of=other)
    whole = factories.batch((RunState.DONE,), of=plans, public_id="0badcafe")
    factories.log(whole, None, "batch_created", data={"plans": 1, "style": "s", "mode": "auto"})


@pytest.mark.parametrize(
    ("words", "events"),
    [
        ("E202_SQ0010-0010", ["failed"]),
        ("E202_SQ0010-0020_AI-concept_v0001.png", ["posted"]),
        ("0020", ["posted"]),
        ("SQ0010", ["posted", "failed"]),
        ("E202", ["posted", "failed"]),
        ("S03", ["batch_created"]),
        ("another-2025", ["batch_created"]),
        ("ANOTHER", ["batch_created"]),
        ("feedc0de", ["posted", "failed"]),
        ("feed", ["posted", "failed"]),
        ("gpu-7", ["posted"]),
        ("accepted the prompt", ["posted"]),
        ("zürich", ["failed"]),
        ("Zürich mémoire", ["failed"]),
        ("100%", ["failed"]),
        ("failed", ["failed"]),
        ("error", ["failed"]),
        ("batch_created", ["batch_created"]),
        ("E202 accepted", ["posted"]),
        ("SQ0010 gpu-8", []),
        ("message", []),
    ],
)
def test_the_log_is_searched_by_places_and_words(
    words: str, events: list[str], office: Client
) -> None:
    _logged()

    found = LogEntry.objects.filter(search.in_log(words)).order_by("-pk")

    assert [entry.event for entry in found] == events


def test_the_log_s_page_finds_what_is_searched(office: Client) -> None:
    _logged()

    shown = pages.text(office, f"{pages.url('logentry')}?q=E202_SQ0010-0010")

    assert shown.count('class="data-row') == 1
    assert "Zürich: 100%" in shown


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("feedc0de", ["feedc0de"]),
        ("feed", ["feedc0de"]),
        ("E305", ["0badcafe"]),
        ("SQ0010-0020", ["feedc0de"]),
        ("E202_SQ0010-0010", ["feedc0de"]),
        ("another", ["0badcafe"]),
        ("ombres", ["0badcafe", "feedc0de"]),
        ("ombres E202", ["feedc0de"]),
        ("nobody", []),
    ],
)
def test_batches_are_found_by_what_is_in_them(words: str, ids: list[str], office: Client) -> None:
    _logged()

    found = Batch.objects.filter(search.in_batches(words)).order_by("-pk")

    assert [batch.public_id for batch in found] == ids


def test_failed_runs_are_found_by_the_words_of_their_error(office: Client) -> None:
    factories.batch((RunState.ERROR, RunState.DONE))

    shown = pages.text(office, f"{pages.url('planrun')}?q=memory")

    assert shown.count('class="data-row') == 1
    assert "E202_SQ0010-0010" in shown
