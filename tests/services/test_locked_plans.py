"""Approved plans are locked, whichever door a request comes through."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from generation.errors import Conflict, InvalidRequest
from generation.models import Batch, LogEntry, Plan, PlanRun, Version
from generation.services import (
    batches,
    dry_runs,
    outside_images,
    plan_runs,
    recipe_reruns,
    request_validation,
)
from generation.states import ReviewState, RunState
from tests import factories
from tests.admin import pages
from tests.api.calls import EXAMPLE, URL, one_plan
from tests.commands.running import run as run_command

pytestmark = pytest.mark.django_db
FORCED = {"force": True, "reason": "The director wants to see it bluer."}


def lock(*plans: Plan) -> list[Version]:
    """Return approved versions of plans, which lock them."""
    approved = {"origin": Version.Origin.IMPORT, "review_state": ReviewState.APPROVED}
    return [factories.version(plan, **approved) for plan in plans]


def create(**change: Any) -> Batch:
    return batches.create(request_validation.read(EXAMPLE | change), requester=None)


def asked_for(batch: Batch) -> list[str]:
    return list(batch.runs.order_by("position").values_list("plan__code", flat=True))


def log_of(batch: Batch, event: str) -> dict[str, Any]:
    found: dict[str, Any] = LogEntry.objects.get(batch=batch, event=event).data
    return found


def test_a_batch_leaves_locked_plans_out_and_names_them(plans: list[Plan]) -> None:
    lock(plans[1])

    batch = create()

    assert asked_for(batch) == ["0010", "0030"]
    assert (batch.n_total, batch.n_queued) == (2, 2)
    assert log_of(batch, "locked_left_out")["named"] == "SQ0010-0020"


def test_a_batch_takes_them_when_it_is_forced_and_tells_why(plans: list[Plan]) -> None:
    lock(plans[1])

    batch = create(**FORCED)

    assert asked_for(batch) == ["0010", "0020", "0030"]
    assert log_of(batch, "locked_forced") == {
        "plans": 1,
        "named": "SQ0010-0020",
        "reason": FORCED["reason"],
    }


@pytest.mark.parametrize("reason", [{}, {"reason": " "}])
def test_force_takes_a_reason(plans: list[Plan], reason: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create(force=True, **reason)

    assert (refused.value.attr, refused.value.code) == ("reason", "no_reason")


@pytest.mark.parametrize("force", ["yes", 1, None])
def test_force_is_true_or_false(force: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create(force=force)

    assert (refused.value.attr, refused.value.code) == ("force", "not_a_boolean")


def test_a_request_of_locked_plans_alone_makes_nothing(plans: list[Plan]) -> None:
    lock(*plans)

    with pytest.raises(Conflict) as refused:
        create()

    assert refused.value.code == "plan_locked"
    assert "SQ0010-0010, SQ0010-0020, SQ0010-0030 are approved" in refused.value.detail
    assert not Batch.objects.exists()


def test_plans_of_another_episode_are_not_meant(plans: list[Plan]) -> None:
    lock(*factories.plans(of=factories.episode(code="E203")))

    assert len(asked_for(create())) == 3


def test_a_dry_run_tells_of_them(plans: list[Plan]) -> None:
    lock(plans[1])

    told = dry_runs.rehearse(request_validation.read(EXAMPLE))

    assert told["locked"] == [{"sequence_id": "SQ0010", "plan": "0020"}]
    assert [each["plan"] for each in told["plans"]] == ["0010", "0030"]


def test_over_http_all_of_them_locked_is_a_conflict_and_uses_up_no_key(
    api: APIClient, plans: list[Plan]
) -> None:
    lock(*plans)
    headers = {"Idempotency-Key": "a-key"}

    refused = api.post(URL, EXAMPLE, format="json", headers=headers)
    Version.objects.update(review_state=ReviewState.TO_REVIEW)
    again = api.post(URL, EXAMPLE, format="json", headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (409, "plan_locked")
    assert again.status_code == 201


@pytest.mark.parametrize("status", ["on_hold", "omitted"])
def test_a_run_of_a_plan_that_is_set_apart_is_not_retried_and_each_door_says_why(
    status: str, api: APIClient, supervisor: User, plans: list[Plan]
) -> None:
    batch = factories.batch([RunState.ERROR], of=plans[:1])
    Plan.objects.filter(pk=plans[0].pk).update(production_status=status)
    words = f"Plan 0010 of SQ0010 is {status.replace('_', ' ')}: nothing new is made of it"
    office = Client()
    office.force_login(supervisor)

    of_batch = api.post(f"{URL}/retry", {"batch_id": batch.public_id}, format="json")
    of_plan = api.post(f"{URL}/retry", one_plan(batch), format="json")
    pressed = pages.press(office, "planrun", batch.runs.get(), "retry")
    told = run_command("retry_plans", batch=batch.public_id)

    assert [(each.status_code, each.json()["code"]) for each in (of_batch, of_plan)] == [
        (409, f"plan_{status}")
    ] * 2
    assert all(words in str(said) for said in (of_batch.json(), of_plan.json(), pressed, told))
    assert batch.runs.get().state == RunState.ERROR


def test_a_failed_run_of_a_locked_plan_is_not_retried(plans: list[Plan]) -> None:
    batch = factories.batch([RunState.ERROR], of=plans[:1])
    lock(plans[0])

    with pytest.raises(Conflict) as refused:
        plan_runs.retry_all(list(batch.runs.all()), actor=None)
    with pytest.raises(Conflict) as refused_too:
        batches.retry(batch, actor=None)

    assert refused.value.code == refused_too.value.code == "plan_locked"
    assert PlanRun.objects.get().state == RunState.ERROR


def test_a_retry_of_a_batch_takes_its_other_plans(plans: list[Plan]) -> None:
    batch = factories.batch([RunState.ERROR] * 3, of=plans)
    lock(plans[0])

    batches.retry(batch, actor=None)

    states = list(batch.runs.order_by("position").values_list("state", flat=True))
    assert states == [RunState.ERROR, RunState.QUEUED, RunState.QUEUED]


def test_what_was_asked_for_before_is_not_touched(plans: list[Plan]) -> None:
    batch = create()

    lock(*plans)

    assert set(batch.runs.values_list("state", flat=True)) == {RunState.QUEUED}


def test_an_image_that_comes_in_is_a_new_version_to_review(plans: list[Plan]) -> None:
    [approved] = lock(plans[0])

    made = outside_images.import_concept(
        plans[0], factories.png(color="red"), filename="a.png", actor=None
    )

    assert made.review_state == ReviewState.TO_REVIEW
    approved.refresh_from_db()
    assert approved.review_state == ReviewState.APPROVED


def test_the_page_leaves_them_out_and_says_so(admin_client: Client, plans: list[Plan]) -> None:
    lock(plans[1])

    page = admin_client.get(f"/admin/generation/plan/generate/?plans={plans[0].pk}-{plans[2].pk}")

    shown = page.content.decode()
    assert "Left out, as they are approved: SQ0010-0020." in shown
    assert "Generate 2 pictures" in shown


def test_the_page_starts_nothing_where_all_are_locked(
    admin_client: Client, plans: list[Plan]
) -> None:
    lock(*plans)

    page = admin_client.get(f"/admin/generation/plan/generate/?plans={plans[0].pk}-{plans[2].pk}")

    shown = page.content.decode()
    assert "are approved, and so locked: nothing new is made." in shown
    assert "It cannot be started yet" in shown
    assert not Batch.objects.exists()


def test_a_rerun_of_a_locked_plan_is_refused_unless_forced(plans: list[Plan]) -> None:
    batch = factories.batch([RunState.RUNNING], of=plans[:1])
    run = batch.runs.get()
    fields = {"run": run, "attempt": run.current_attempt}
    version = factories.version(plans[0], review_state=ReviewState.APPROVED, **fields)

    with pytest.raises(Conflict) as refused:
        batches.create(recipe_reruns.read(version.pk), requester=None)
    made = batches.create(recipe_reruns.read(version.pk, **FORCED), requester=None)

    assert refused.value.code == "plan_locked"
    assert (asked_for(made), made.reason) == (["0010"], FORCED["reason"])


def test_pages_of_versions_and_plans_tell_what_reviews_have_come_to(
    admin_client: Client, plans: list[Plan]
) -> None:
    [approved] = lock(plans[0])

    listed = admin_client.get("/admin/generation/version/?review_state__exact=approved")
    version = admin_client.get(f"/admin/generation/version/{approved.pk}/change/")
    plan = admin_client.get(f"/admin/generation/plan/{plans[0].pk}/change/")

    assert all("approved</span>" in page.content.decode() for page in (listed, version, plan))
