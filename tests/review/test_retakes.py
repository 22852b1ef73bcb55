"""From a retake to the next version: what is asked for, with what, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from generation.errors import Conflicts, Forbidden, InvalidRequest
from generation.models import Attempt, Batch, Plan, PlanRun, Version
from generation.services import batches, placeholder_values, request_validation
from generation.states import RunState
from review.models import Retake
from review.selectors import retakes as open_retakes
from review.services import retakes
from review.services.retakes import WantedRetake
from tests import factories
from tests.api.calls import EXAMPLE
from tests.commands.running import run as run_command
from tests.conftest import client_of
from tests.review.deciding import approve, concepts, retake, state

pytestmark = pytest.mark.django_db
URL = "/api/retakes"


def rendered(**change: Any) -> list[Version]:
    """Return the versions of a batch that was asked for, as its driver would have left them."""
    batch = batches.create(request_validation.read(EXAMPLE | change), requester=None)
    return [_finished(run) for run in batch.runs.order_by("position")]


def _finished(run: PlanRun) -> Version:
    attempt = factories.attempt(run, outcome="done")
    made = factories.version(run.plan, run=run, attempt=attempt, revision=1)
    PlanRun.objects.filter(pk=run.pk).update(state=RunState.DONE, result=made)
    counters = {"n_queued": 0, "n_done": run.batch.n_total}
    Batch.objects.filter(pk=run.batch_id).update(**counters)
    return made


def start(*wanted: WantedRetake, **more: Any) -> list[Batch]:
    return retakes.start(wanted, requester=None, **more)


def values_of(batch: Batch, plan: str = "0010") -> dict[str, Any]:
    found: dict[str, Any] = batch.runs.get(plan__code=plan).values
    return found


def test_retakes_become_one_batch_that_goes_first(plans: list[Plan]) -> None:
    first, second, third = rendered(priority=5)
    retake(first)
    retake(second)
    approve(third)

    [batch] = start(WantedRetake(first.pk), WantedRetake(second.pk))

    assert list(batch.runs.values_list("plan__code", flat=True)) == ["0010", "0020"]
    assert batch.priority == 6
    assert values_of(batch)["cfg"] == 7.5, "what was asked for before"
    assert batch.workflow_id == first.batch.workflow_id  # type: ignore[union-attr]


def test_the_seed_is_another_one_unless_it_is_said(plans: list[Plan]) -> None:
    first, second, third = rendered()
    for version in (first, second, third):
        retake(version)
    seeds = [Attempt.objects.get(pk=each.attempt_id).seed for each in (first, second, third)]

    [batch] = start(
        WantedRetake(first.pk),
        WantedRetake(second.pk, seed="same", addition="a smaller moon"),
        WantedRetake(third.pk, seed=7),
    )

    made = list(batch.runs.order_by("position").values_list("seed", flat=True))
    assert made[0] != seeds[0]
    assert made[1:] == [seeds[1], "7"]


def test_an_addition_stands_behind_the_prompt_that_the_plan_has(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)

    [batch] = start(WantedRetake(first.pk, addition=" a smaller moon "))

    style = factories.style()
    assert values_of(batch)["prompt"] == f"{style.prompt}, a smaller moon"


def test_nothing_is_added_that_was_not_asked_for(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first, "Darker.")

    [batch] = start(WantedRetake(first.pk))

    assert "Darker" not in str(values_of(batch))


def test_params_lie_over_what_was_asked_for(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)

    [batch] = start(WantedRetake(first.pk, params={"steps": 40}))

    assert (values_of(batch)["steps"], values_of(batch)["cfg"]) == (40, 7.5)


def test_variations_are_several_seeds(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)

    [batch] = start(WantedRetake(first.pk), variations=3)

    assert len(set(batch.runs.values_list("seed", flat=True))) == 3


def test_the_same_seed_and_the_same_everything_is_refused(plans: list[Plan]) -> None:
    first, second, _ = rendered()
    retake(first)
    retake(second)

    with pytest.raises(InvalidRequest) as refused:
        start(WantedRetake(first.pk), WantedRetake(second.pk, seed="same"))

    assert (refused.value.attr, refused.value.code) == ("retakes.1", "same_picture")
    assert not Retake.objects.exists()


def test_the_same_seed_is_taken_where_the_panel_is_a_newer_one(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)
    factories.version(first.plan, task="extracted-raw")

    assert start(WantedRetake(first.pk, seed="same"))


def test_the_same_seed_is_taken_where_the_plan_tells_something_else(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)
    Plan.objects.filter(pk=first.plan_id).update(description="a cat on the wall")

    [batch] = start(WantedRetake(first.pk, seed="same"))

    assert batch.runs.get().texts["description"] == placeholder_values.in_one_line(
        "a cat on the wall"
    )


def test_each_style_is_a_batch_of_its_own(plans: list[Plan]) -> None:
    first = rendered(sequences=[{"sequence_id": "SQ0010", "plans": ["0010"]}])[0]
    other = {"style": "labo", "workflow_json": "Labo.json", "params": {}}
    second = rendered(**other, sequences=[{"sequence_id": "SQ0010", "plans": ["0020"]}])[0]
    retake(first)
    retake(second)

    made = start(WantedRetake(first.pk), WantedRetake(second.pk))

    assert [batch.style.code for batch in made] == ["ombres_chinoises", "labo"]


def test_what_is_being_made_again_is_not_started_twice(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)
    start(WantedRetake(first.pk))

    with pytest.raises(Conflicts) as refused:
        start(WantedRetake(first.pk))

    assert (refused.value.attr, refused.value.code) == ("retakes.0.version", "in_render")


def test_a_retake_that_was_cancelled_can_be_started_again(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first)
    [batch] = start(WantedRetake(first.pk))
    batches.cancel(batch, actor=None)

    start(WantedRetake(first.pk))

    assert list(Retake.objects.order_by("pk").values_list("number", flat=True)) == [1, 2]


def test_what_is_no_retake_is_refused_with_its_state(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    approve(first)

    with pytest.raises(Conflicts) as refused:
        start(WantedRetake(first.pk))

    assert refused.value.code == "no_retake"
    assert "is approved" in refused.value.detail


def test_what_no_batch_made_is_refused(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    retake(version)

    with pytest.raises(InvalidRequest) as refused:
        start(WantedRetake(version.pk))

    assert refused.value.code == "not_rendered"


def test_what_does_not_fit_is_named_at_its_place(plans: list[Plan]) -> None:
    first, second, _ = rendered()
    retake(first)
    retake(second)

    with pytest.raises(InvalidRequest) as refused:
        start(WantedRetake(first.pk), WantedRetake(second.pk, params={"steps": 0}))

    assert refused.value.attr == "retakes.1.params.steps"


def test_who_may_not_is_refused(plans: list[Plan], artist: User, settings: Any) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    [first, *_] = rendered()
    retake(first)

    with pytest.raises(Forbidden):
        retakes.start([WantedRetake(first.pk)], requester=artist)


def test_a_new_version_supersedes_the_retake_and_knows_that_it_answers_it(
    plans: list[Plan],
) -> None:
    [first, *_] = rendered()
    review = retake(first)
    [batch] = start(WantedRetake(first.pk))

    answer = _finished(batch.runs.get())

    assert open_retakes.answered_decisions([first, answer]) == {answer.pk: review}


# Over HTTP, and on the console ------------------------------------------------------------------


@pytest.fixture
def office(supervisor: User) -> APIClient:
    """The API as the supervisor's frontend uses it."""
    return client_of(supervisor)


def test_what_there_is_to_make_again_is_told_with_what_it_would_be_made(
    office: APIClient, plans: list[Plan]
) -> None:
    first, second, _ = rendered()
    retake(first, "Darker (please),\nand {bluer}.")
    approve(second)

    [told] = office.get(URL).json()["results"]

    assert (told["version"], told["plan"], told["style"]) == (first.pk, "0010", "ombres_chinoises")
    assert told["review"]["comment"].startswith("Darker")
    assert told["prompt"] == factories.style().prompt
    assert told["prompt_addition"] == "Darker \\(please\\),, and {{bluer}}."
    assert told["params"] == EXAMPLE["params"]
    assert (told["in_render"], told["batch_id"]) == (False, None)


def test_retakes_sent_twice_under_one_key_are_started_once(
    office: APIClient, plans: list[Plan]
) -> None:
    [first, *_] = rendered()
    retake(first)
    body = {"retakes": [{"version": first.pk, "prompt_addition": "a smaller moon"}]}
    headers = {"Idempotency-Key": "a-key"}

    answers = [office.post(URL, body, format="json", headers=headers) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Retake.objects.count() == 1
    told = office.get(URL).json()["results"][0]
    assert (told["in_render"], told["batch_id"]) == (
        True,
        answers[0].json()["batches"][0]["batch_id"],
    )


@pytest.mark.parametrize("seed", [True, None, 1.5, "now"])
def test_a_seed_that_is_none_is_refused(office: APIClient, plans: list[Plan], seed: Any) -> None:
    [first, *_] = rendered()
    retake(first)

    answer = office.post(URL, {"retakes": [{"version": first.pk, "seed": seed}]}, format="json")

    assert answer.status_code == 400
    assert answer.json()["attr"] in ("retakes.0.seed", "retakes.0.params.seed")


def test_the_console_starts_them_with_their_comments(plans: list[Plan]) -> None:
    [first, *_] = rendered()
    retake(first, "A smaller moon.")
    place = {"project": factories.PROJECT_ID, "episode": "E202"}

    told = run_command("retake_plans", dry_run=True, **place)
    said = run_command("retake_plans", add_comments=True, **place)
    again = run_command("retake_plans", **place)

    assert "1 plan would be made again." in told
    [made] = Retake.objects.all()
    assert f"1 plan asked for again: {made.batch}." in said
    assert made.asked["prompt_addition"] == "A smaller moon."
    assert "no retake waits" in again
    assert state(first) == "retake"
