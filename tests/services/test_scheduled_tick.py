"""The tick of those who run a plain `qcluster`: one schedule of django-q2's."""

import multiprocessing
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django_q.models import Schedule

from generation import queueing, tasks
from generation.models import Server
from generation.services import servers
from tests import factories

pytestmark = pytest.mark.django_db

LISTED = ["http://10.0.0.5:8188", "http://10.0.0.6:8188"]


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ticks that were run."""
    run: list[str] = []
    monkeypatch.setattr(tasks, "set_going_again", lambda: run.append("tick"))
    return run


def test_a_migration_leaves_the_schedule_of_the_tick() -> None:
    Schedule.objects.all().delete()

    call_command("migrate", verbosity=0)

    schedule = Schedule.objects.get()
    assert (schedule.func, schedule.schedule_type, schedule.minutes) == (
        "generation.tasks.tick",
        Schedule.MINUTES,
        1,
    )


def test_a_second_migration_leaves_when_the_tick_runs_next() -> None:
    queueing.schedule_tick()
    before = Schedule.objects.values("pk", "next_run").get()

    call_command("migrate", verbosity=0)

    assert Schedule.objects.values("pk", "next_run").get() == before


def test_a_migration_before_django_q2s_schedules_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_q_schedule")

    call_command("migrate", "generation", verbosity=0)

    assert "django_q_schedule" not in connection.introspection.table_names()


@pytest.mark.parametrize("n_known", [0, 1])
def test_a_scheduled_tick_registers_the_servers_of_the_settings(
    n_known: int, ticks: list[str], settings: Any
) -> None:
    settings.COMFYUI_SERVERS = LISTED
    _ = [factories.server(f"gpu-{n}", url=LISTED[n]) for n in range(n_known)]

    tasks.tick()

    assert sorted(Server.objects.values_list("url", flat=True)) == LISTED
    assert ticks == ["tick"]


def test_a_scheduled_tick_has_no_known_server_read_again(ticks: list[str], settings: Any) -> None:
    settings.COMFYUI_SERVERS = LISTED
    servers.register_from_settings()
    Server.objects.update(needs_reading=False)

    tasks.tick()

    assert not Server.objects.filter(needs_reading=True).exists()


def test_workers_whose_main_process_ticks_leave_it_to_that(
    ticks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = multiprocessing.get_context("fork").RawValue("b", 0)
    monkeypatch.setattr(queueing, "_ticking", flag)
    queueing.announce_ticks()

    tasks.tick()

    assert ticks == []
