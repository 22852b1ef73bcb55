"""A style's variants of light: named by a request, a sequence or a plan, and laid below its own."""

import copy
from typing import Any

import pytest

from generation.errors import InvalidRequest
from generation.models import Style
from generation.services import batches, request_validation
from generation.services.request_validation import BatchRequest
from tests.services.test_requests import EXAMPLE

pytestmark = pytest.mark.django_db
VARIANTS = {
    "blue_hour": {"label": "Blue hour", "params": {"cfg": 8, "steps": 40}},
    "neutral": {"label": "Neutral", "params": {"cfg": 7}},
}


@pytest.fixture(autouse=True)
def style() -> Style:
    """The style of the example, with two variants and values that are known."""
    style = Style.objects.get(code="ombres_chinoises")
    style.variants, style.params = VARIANTS, {"steps": 30, "cfg": 7.5, "denoise": 0.4}
    style.save()
    return style


def read(**change: Any) -> BatchRequest:
    return request_validation.read(copy.deepcopy(EXAMPLE) | {"params": {}} | change)


def plans(*given: object, **of_sequence: Any) -> list[dict[str, Any]]:
    return [{"sequence_id": "SQ0010", "plans": list(given), **of_sequence}]


def problems(**change: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        read(**change)
    return [(each.attr, each.code, str(each.detail)) for each in caught.value.problems]


def told(params: Any, sources: Any, *names: str) -> dict[str, tuple[Any, str]]:
    return {name: (params[name], sources[name]) for name in names}


def test_a_request_s_variant_lies_over_the_style_and_below_its_own_values() -> None:
    request = read(variant="blue_hour", params={"cfg": 6})

    assert told(request.params, request.sources, "cfg", "steps", "denoise") == {
        "cfg": (6, "request"),
        "steps": (40, "variant"),
        "denoise": (0.4, "style"),
    }


def test_a_plan_s_variant_takes_the_place_of_the_request_s() -> None:
    request = read(
        variant="blue_hour", sequences=plans({"plan": "0010", "variant": "neutral"}, "0020")
    )

    own = request.own["SQ0010", "0010"]
    assert told(own.params, own.sources, "cfg", "steps") == {
        "cfg": (7, "variant"),
        "steps": (30, "style"),
    }
    assert ("SQ0010", "0020") not in request.own


def test_a_sequence_s_variant_holds_for_its_plans_below_their_values() -> None:
    request = read(
        sequences=plans({"plan": "0010", "params": {"steps": 12}}, "0020", variant="blue_hour")
    )

    first, second = request.own["SQ0010", "0010"], request.own["SQ0010", "0020"]
    assert told(first.params, first.sources, "cfg", "steps") == {
        "cfg": (8, "variant"),
        "steps": (12, "plan"),
    }
    assert second.params == {"cfg": 8, "steps": 40}
    assert (request.params["steps"], request.sources["steps"]) == (30, "style")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"variant": "dawn"}, "variant"),
        ({"variant": ""}, "variant"),
        ({"sequences": plans("0010", variant="dawn")}, "sequences.0.variant"),
        (
            {"sequences": plans({"plan": "0010", "variant": "dawn"})},
            "sequences.0.plans.0.variant",
        ),
    ],
)
def test_an_unknown_variant_is_refused_at_its_place_with_the_choices(
    change: dict[str, Any], place: str
) -> None:
    [(attr, code, detail)] = problems(**change)

    assert (attr, code) == (place, "unknown_variant")
    assert "blue_hour, neutral" in detail


def test_a_variant_is_refused_that_is_no_text_or_holds_for_nothing() -> None:
    assert problems(variant=3)[0][:2] == ("variant", "not_a_string")
    [other] = problems(variant="neutral", workflow_json="Labo.json")
    assert other[:2] == ("variant", "unknown_variant")
    [by_hand] = problems(variant="neutral", mode="manuel", workflow_json="Labo.json")
    assert by_hand[:2] == ("variant", "unknown_variant")


def test_a_batch_keeps_what_came_from_its_variant() -> None:
    batch = batches.create(read(variant="blue_hour"), requester=None)

    assert (batch.params["steps"], batch.sources["steps"]) == (40, "variant")
    log = [entry.event for entry in batch.logs.order_by("pk")]
    assert log[:2] == ["batch_created", "variant"]
