"""Beside a batch's status, pages say what it waits for; neither status nor progress change."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from generation.models import Batch, PlanRun, Server
from generation.selectors import admin_overviews, batches
from generation.selectors.batch_waits import Awaited, awaited
from generation.states import RunState, ServerHealth
from tests import factories
from tests.admin import pages

DONE, ERROR, QUEUED, RUNNING = RunState.DONE, RunState.ERROR, RunState.QUEUED, RunState.RUNNING
CANCELLED, WAITING = RunState.CANCELLED, RunState.WAITING


def _awaits(batch: Batch) -> Awaited:
    return awaited(admin_overviews.batches().get(pk=batch.pk))


def _text(office: Client) -> str:
    return pages.text(office, pages.url("batch"))


@pytest.mark.django_db
def test_a_batch_made_by_hand_waits_for_artists() -> None:
    assert _awaits(factories.batch([DONE, WAITING], mode="manuel")) == Awaited.ARTISTS


@pytest.mark.django_db
def test_a_batch_without_panels_waits_for_panels() -> None:
    factories.server()
    batch = factories.batch([DONE, QUEUED, QUEUED])
    batch.runs.filter(state=QUEUED).update(wait_reason="panel")

    assert _awaits(batch) == Awaited.PANELS


@pytest.mark.django_db
@pytest.mark.parametrize(
    "server",
    [{"health": ServerHealth.DOWN}, {"is_enabled": False}, {"is_draining": True}],
)
def test_a_batch_that_no_server_takes_waits_for_servers(server: dict[str, Any]) -> None:
    factories.server(**server)

    assert _awaits(factories.batch([DONE, QUEUED])) == Awaited.SERVERS


@pytest.mark.django_db
def test_a_batch_whose_model_no_server_has_waits_for_servers() -> None:
    assert _awaits(factories.unmet(missing="Real.safetensors")) == Awaited.SERVERS


@pytest.mark.django_db
def test_a_plan_retried_with_a_model_that_some_server_has_waits_for_its_turn() -> None:
    batch = factories.unmet(missing="Real.safetensors")
    factories.regroup(batch.runs.all(), factories.needs("own"))

    assert _awaits(batch) == Awaited.TURN


@pytest.mark.django_db
def test_a_plan_retried_with_a_model_that_no_server_has_waits_for_servers() -> None:
    own = factories.unmet(missing="Own.pt").needs
    batch = factories.batch([QUEUED], workflow=factories.workflow("Other.json"))
    factories.regroup(batch.runs.all(), own)

    assert _awaits(batch) == Awaited.SERVERS


@pytest.mark.django_db
def test_some_plans_without_a_panel_do_not_hide_that_others_have_their_turn() -> None:
    factories.server()
    batch = factories.batch([QUEUED, QUEUED])
    PlanRun.objects.filter(batch=batch, position=0).update(wait_reason="panel")

    assert _awaits(batch) == Awaited.TURN


@pytest.mark.django_db
@pytest.mark.parametrize("states", [[RUNNING, QUEUED], [DONE], [ERROR, DONE], [CANCELLED]])
def test_what_is_rendered_or_finished_waits_for_nothing(states: list[RunState]) -> None:
    assert _awaits(factories.batch(states)) == Awaited.NOTHING


@pytest.mark.django_db
def test_a_paused_batch_says_so_while_the_last_of_it_is_rendered() -> None:
    batch = factories.batch([RUNNING, QUEUED], paused_at=timezone.now())

    assert _awaits(batch) == Awaited.PAUSED


@pytest.mark.django_db
def test_a_batch_that_is_being_cancelled_says_so_until_it_is() -> None:
    batch = factories.batch([RUNNING, CANCELLED], cancel_requested_at=timezone.now())

    assert _awaits(batch) == Awaited.STOPPING


def test_the_list_says_it_beside_the_status(office: Client) -> None:
    batch = factories.batch([DONE, WAITING], mode="manuel")

    shown = _text(office)

    assert ">running</span>" in shown
    assert ">waits for artists</span>" in shown
    assert ">waits for artists</span>" in pages.text(office, pages.url("batch", batch.pk))
    assert ">waits for artists</span>" in pages.text(office, "/admin/")


def test_a_cancelled_batch_says_how_much_is_done_and_not_100_percent(office: Client) -> None:
    batch = factories.batch([DONE, CANCELLED, CANCELLED], cancel_requested_at=timezone.now())

    shown = _text(office)

    assert "1 of 3 done" in shown
    assert "100 %" not in shown
    assert batches.progress(admin_overviews.batches().get(pk=batch.pk)) == 100


def test_a_batch_with_failures_says_how_much_is_done(office: Client) -> None:
    factories.batch([DONE, ERROR])

    shown = _text(office)

    assert "1 of 2 done" in shown
    assert "100 %" not in shown


def test_servers_that_come_back_give_it_its_turn(office: Client) -> None:
    factories.server(health=ServerHealth.DOWN)
    factories.batch([DONE, QUEUED])
    before = _text(office)

    Server.objects.update(health=ServerHealth.UP)

    assert ">waits for servers</span>" in before
    assert ">waits for its turn</span>" in _text(office)
