"""What is known of a plan: written once, with who changed what from what."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from generation.errors import InvalidRequest, NotFound
from generation.models import Plan, PlanTextChange
from generation.services import plan_attributes
from generation.states import PlanStatus
from tests import factories

pytestmark = pytest.mark.django_db

ACTION = "INT. GRENIER - NUIT\nPR contre champ\nLA RELIEUSE ouvre une malle"


def write(plan: Plan, **texts: Any) -> bool:
    return plan_attributes.write(plan, texts, by=None, source="api")


def changes(plan: Plan) -> list[PlanTextChange]:
    return list(plan.text_changes.order_by("revision"))


def test_what_is_written_of_a_plan_is_kept_with_its_history(
    plans: list[Plan], supervisor: User
) -> None:
    texts = {"label": "1A", "dialogue": "Bonjour", "duration_ms": 2000, "style": "labo"}

    assert plan_attributes.write(plans[0], texts, by=supervisor, source="admin") is True

    plan = Plan.objects.get(pk=plans[0].pk)
    [change] = changes(plan)
    assert (plan.label, plan.duration_ms, plan.style) == ("1A", 2000, factories.style("labo"))
    assert plan.text_revision == change.revision == 1
    assert (change.changed_by, change.source) == (supervisor, "admin")
    assert change.before == {"label": "", "dialogue": "", "duration_ms": None, "style": None}
    assert change.after == texts


def test_the_same_texts_again_change_nothing(plans: list[Plan]) -> None:
    write(plans[0], label="1A", action=ACTION)

    assert write(plans[0], label="1A", action=ACTION) is False
    assert len(changes(plans[0])) == 1


def test_an_action_is_taken_apart(plans: list[Plan]) -> None:
    write(plans[0], action=ACTION)

    plan = Plan.objects.get(pk=plans[0].pk)
    assert (plan.place, plan.camera) == ("INT. GRENIER - NUIT", "PR contre champ")
    assert plan.description == "LA RELIEUSE ouvre une malle"


def test_a_part_that_is_given_beside_the_action_is_kept_as_given(plans: list[Plan]) -> None:
    write(plans[0], action=ACTION, camera="PL")

    assert Plan.objects.get(pk=plans[0].pk).camera == "PL"


def test_a_new_action_leaves_what_somebody_has_written(plans: list[Plan]) -> None:
    write(plans[0], action=ACTION)
    write(plans[0], description="Elle ouvre la malle")
    write(plans[0], action="EXT. PORT - AUBE\nGP\nle chat")

    plan = Plan.objects.get(pk=plans[0].pk)
    assert (plan.place, plan.camera) == ("EXT. PORT - AUBE", "GP")
    assert plan.description == "Elle ouvre la malle"


def test_a_style_can_be_taken_away(plans: list[Plan]) -> None:
    write(plans[0], style="labo")
    write(plans[0], style=None)

    assert Plan.objects.get(pk=plans[0].pk).style is None
    assert changes(plans[0])[1].before == {"style": "labo"}


def test_a_plan_can_be_omitted(plans: list[Plan]) -> None:
    write(plans[0], production_status="omitted")

    assert list(Plan.objects.set_apart()) == [plans[0]]
    assert Plan.objects.get(pk=plans[0].pk).production_status == PlanStatus.OMITTED


@pytest.mark.parametrize(
    ("texts", "attr", "code"),
    [
        ({"label": "x" * 33}, "label", "too_long"),
        ({"action": 12}, "action", "not_a_string"),
        ({"notes": "a\0b"}, "notes", "bad_text"),
        ({"duration_ms": -1}, "duration_ms", "out_of_bounds"),
        ({"duration_ms": True}, "duration_ms", "not_a_number"),
        ({"position": 10**7}, "position", "out_of_bounds"),
        ({"style": "cubiste"}, "style", "unknown_style"),
        ({"style": 3}, "style", "not_a_string"),
        ({"production_status": "gone"}, "production_status", "unknown_status"),
        ({"mood": "sad"}, "mood", "unknown_key"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    plans: list[Plan], texts: dict[str, Any], attr: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        plan_attributes.write(plans[0], {"dialogue": "kept out", **texts}, by=None, source="api")

    assert [(each.attr, each.code) for each in refused.value.problems] == [(attr, code)]
    assert Plan.objects.get(pk=plans[0].pk).dialogue == ""


def test_a_long_place_is_cut_and_the_action_kept_whole(plans: list[Plan]) -> None:
    action = "INT. " + "x" * 600

    write(plans[0], action=action)

    plan = Plan.objects.get(pk=plans[0].pk)
    assert (len(plan.place), plan.action) == (500, action)


def test_a_plan_that_is_gone_is_told(plans: list[Plan]) -> None:
    gone = Plan(pk=10**6, code="9999")

    with pytest.raises(NotFound):
        write(gone, label="1A")


def test_many_plans_are_written_in_as_few_queries_as_two(
    plans: list[Plan], django_assert_num_queries: Any
) -> None:
    texts = {plan.pk: {"label": f"{n}A"} for n, plan in enumerate(plans)}

    with django_assert_num_queries(7 + 2):  # and a savepoint
        changed = plan_attributes.write_all(texts, by=None, source="api")

    assert changed == {plan.pk for plan in plans}
