"""What people did: each act that changed something leaves its row, or nothing of it is done."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.errors import Conflict
from generation.models import Act, Batch, Plan, Version
from generation.services import batch_controls, batches, plan_runs, request_validation
from generation.states import ReviewState, RunState
from tests import factories
from tests.api.calls import EXAMPLE

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, str]]:
    """Return who did what to what, the first first."""
    return list(Act.objects.order_by("pk").values_list("actor_name", "verb", "target"))


def test_asking_for_plans_is_an_act(supervisor: User) -> None:
    request = request_validation.read(EXAMPLE | {"reason": "Episode 2 begins."})

    batch = batches.create(request, requester=supervisor)

    act = Act.objects.get()
    assert (act.actor, act.verb, act.target_id) == (supervisor, "ask", batch.pk)
    assert (act.after["plans"], act.reason) == (3, "Episode 2 begins.")


def test_taking_locked_plans_is_told_with_its_reason(plans: list[Plan]) -> None:
    imported = {"origin": Version.Origin.IMPORT, "review_state": ReviewState.APPROVED}
    factories.version(plans[0], **imported)
    forced = EXAMPLE | {"force": True, "reason": "The director wants it bluer."}

    batches.create(request_validation.read(forced), requester=None)

    act = Act.objects.get()
    assert (act.actor_name, act.after["locked"]) == ("the console", "SQ0010-0010")
    assert (act.after["force"], act.reason) == (True, "The director wants it bluer.")


def test_steering_tells_what_was_and_what_is(batch: Batch, artist: User) -> None:
    batch_controls.steer(batch, actor=artist, priority=5, name="Forest")
    batch_controls.steer(batch, actor=artist, priority=5)

    act = Act.objects.get()
    assert act.before == {"priority": 0, "name": ""}
    assert act.after == {"priority": 5, "name": "Forest"}


def test_cancels_and_retries_are_acts(batch: Batch, artist: User) -> None:
    plan_runs.cancel(batch.runs.order_by("position")[0], actor=artist)
    batches.cancel(batch, actor=artist)
    batches.cancel(batch, actor=artist)
    batches.retry(batch, actor=artist)

    assert told() == [("artist", verb, str(batch)) for verb in ("cancel", "cancel", "retry")]


def test_what_is_refused_is_no_act(artist: User) -> None:
    batch = factories.batch([RunState.DONE])

    with pytest.raises(Conflict):
        batches.retry(batch, actor=artist)
    with pytest.raises(Conflict):
        batch_controls.pause(batch, actor=artist)

    assert told() == []


def test_acts_are_read_in_the_admin_and_changed_nowhere(
    admin_client: Client, batch: Batch, artist: User
) -> None:
    batch_controls.steer(batch, actor=artist, priority=5)
    act = Act.objects.get()

    listed = admin_client.get("/admin/generation/act/").content.decode()
    page = admin_client.get(f"/admin/generation/act/{act.pk}/change/").content.decode()
    added = admin_client.get("/admin/generation/act/add/")

    assert "priority: 0 → 5" in listed
    assert "priority: 0 → 5" in page
    assert added.status_code == 403
