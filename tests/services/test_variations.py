"""Variations: several runs of each plan, each with a seed of its own."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from generation.errors import Conflict, InvalidRequest, NotFound
from generation.models import Batch, PlanRun, Style
from generation.selectors import admin_overviews
from generation.services import batches, plan_runs, request_validation
from generation.states import RunState
from tests import factories
from tests.services.counting import counted, counters
from tests.services.test_requests import EXAMPLE, problems

pytestmark = pytest.mark.django_db

TWO = [{"sequence_id": "SQ0010", "plans": ["0010", "0020"]}]


def created(**change: Any) -> Batch:
    asked = EXAMPLE | {"sequences": TWO, "variations": 3} | change
    return batches.create(request_validation.read(asked), requester=None)


def refused(**change: Any) -> list[tuple[str, str]]:
    return problems(EXAMPLE | {"sequences": TWO, "variations": 3} | change)


def failed(*variations: int) -> Batch:
    batch = created()
    n_failed = batch.runs.filter(plan__code="0010", variation__in=variations).update(
        state=RunState.ERROR, error_code="node_error"
    )
    Batch.objects.update(n_queued=6 - n_failed, n_error=n_failed)
    return Batch.objects.get()


def test_each_plan_gets_as_many_runs_each_with_a_seed_of_its_own() -> None:
    batch = created()

    found = [(run.plan.code, run.variation, run.position) for run in batch.runs.all()]
    assert found == [
        ("0010", 1, 0),
        ("0010", 2, 1),
        ("0010", 3, 2),
        ("0020", 1, 3),
        ("0020", 2, 4),
        ("0020", 3, 5),
    ]
    assert len(set(batch.runs.values_list("seed", flat=True))) == 6
    assert (batch.variations, batch.n_total) == (3, 6)
    assert counters(batch) == counted(batch) == {RunState.QUEUED: 6}


def test_the_log_counts_plans_and_says_how_many_variations_each_has() -> None:
    batch = created()

    assert batch.logs.get(event="batch_created").data["plans"] == 2
    assert batch.logs.get(event="variations").data == {"variations": 3}


def test_the_database_holds_one_run_of_each_variation() -> None:
    run = created().runs.latest("pk")
    run.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        run.save(force_insert=True)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "out_of_bounds"),
        (17, "out_of_bounds"),
        (-1, "out_of_bounds"),
        (10**30, "out_of_bounds"),
        ("2", "not_a_number"),
        (2.0, "not_a_number"),
        (True, "not_a_number"),
        (None, "not_a_number"),
    ],
)
def test_variations_are_a_whole_number_from_1_to_16(value: object, code: str) -> None:
    assert refused(variations=value) == [("variations", code)]


def test_plans_times_variations_are_bounded_as_plans_are(settings: Any) -> None:
    settings.MADSEA_PLANS_MAX = 5

    assert refused() == [("variations", "too_many_plans")]


def test_an_artist_uploads_one_image_of_each_plan() -> None:
    assert refused(mode="manuel") == [("variations", "no_variations")]


def test_variations_that_would_all_be_the_same_are_refused() -> None:
    assert refused(workflow_json="Silhouette.json", params={}) == [("variations", "no_variations")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"params": {"seed": 7}}, "params.seed"),
        ({"sequences": [TWO[0] | {"params": {"seed": 7}}]}, "sequences.0.params.seed"),
        (
            {
                "sequences": [
                    {
                        "sequence_id": "SQ0010",
                        "plans": ["0010", {"plan": "0020", "params": {"seed": 7}}],
                    }
                ]
            },
            "sequences.0.plans.1.params.seed",
        ),
    ],
)
def test_a_seed_for_all_variations_is_refused_where_it_stands(
    change: dict[str, Any], place: str
) -> None:
    assert refused(**change) == [(place, "seed_of_variations")]


def test_a_seed_of_the_style_leaves_no_variations() -> None:
    Style.objects.filter(code="ombres_chinoises").update(params={"seed": 7})

    assert refused(params={}) == [("style", "seed_of_variations")]


# Retry, cancel, upload ----------------------------------------------------------------------------


def test_a_plan_means_all_of_its_variations() -> None:
    batch = created()

    plan_runs.cancel_all(plan_runs.find(batch, "SQ0010", "0010"), actor=None)

    batch.refresh_from_db()
    assert counters(batch) == counted(batch) == {RunState.QUEUED: 3, RunState.CANCELLED: 3}


def test_one_variation_is_one_run() -> None:
    batch = created()

    plan_runs.cancel_all(plan_runs.find(batch, "SQ0010", "0010", 2), actor=None)

    assert batch.runs.get(state=RunState.CANCELLED).variation == 2


def test_a_variation_that_there_is_none_of_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        plan_runs.find(created(), "SQ0010", "0010", 4)

    assert caught.value.code == "unknown_variation"


def test_a_retry_of_a_plan_takes_those_of_its_variations_that_failed() -> None:
    batch = failed(1, 3)

    assert plan_runs.retry_all(plan_runs.find(batch, "SQ0010", "0010"), actor=None) == 2
    assert not batch.runs.filter(state=RunState.ERROR).exists()


def test_a_retry_of_a_plan_of_which_nothing_failed_is_a_conflict() -> None:
    with pytest.raises(Conflict) as caught:
        plan_runs.retry_all(plan_runs.find(created(), "SQ0010", "0010"), actor=None)

    assert caught.value.code == "run_queued"


def test_a_retry_gives_no_seed_to_several_variations_of_a_plan() -> None:
    batch = failed(1, 3)

    with pytest.raises(InvalidRequest) as caught:
        batches.retry(batch, actor=None, params={"seed": 7})

    assert [(each.attr, each.code) for each in caught.value.problems] == [
        ("params.seed", "seed_of_variations")
    ]


def test_a_retry_gives_a_seed_to_one_variation() -> None:
    batch = failed(3)

    plan_runs.retry_all(plan_runs.find(batch, "SQ0010", "0010", 3), actor=None, params={"seed": 7})

    assert batch.runs.get(plan__code="0010", variation=3).seed == "7"


def test_a_variation_that_failed_needs_attention_beside_others_of_its_batch() -> None:
    failed(1)

    assert PlanRun.objects.filter(admin_overviews.needing_attention()).count() == 1


def test_a_batch_has_a_name_and_a_reason() -> None:
    batch = created(name="Retakes of Monday", reason="The director wants more wind.")

    assert (batch.name, batch.reason) == ("Retakes of Monday", "The director wants more wind.")


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("name", "x" * 201, "too_long"),
        ("name", "a\0b", "bad_text"),
        ("name", 7, "not_a_string"),
        ("reason", "x" * 2001, "too_long"),
        ("reason", "\ud800", "bad_text"),
        ("reason", None, "not_a_string"),
    ],
)
def test_a_name_or_reason_that_is_none_is_refused(key: str, value: object, code: str) -> None:
    assert refused(**{key: value}) == [(key, code)]


def test_a_batch_of_one_variation_is_as_it_always_was() -> None:
    batch = factories.batch()

    assert (batch.variations, batch.runs.latest("pk").variation) == (1, 1)
