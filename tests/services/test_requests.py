"""Reading a request: what is taken, and every refusal with its place and its code."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from generation.errors import InvalidRequest
from generation.models import Style
from generation.services import batches, request_validation
from generation.services.request_validation import BatchRequest
from generation.states import Mode
from tests import factories

pytestmark = pytest.mark.django_db

EXAMPLE: dict[str, Any] = {
    "project_id": "madsea-2025-ep202",
    "episode": "E202",
    "season": "S02",
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010", "0020", "0030"]}],
    "style": "ombres_chinoises",
    "workflow_json": "OmbresChinoises.json",
    "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
    "mode": "auto",
}
NO_PLANS = {"sequence_id": "SQ0010", "plans": []}
CLIMBING = "../../../etc/passwd"


def read(**change: Any) -> BatchRequest:
    return request_validation.read(copy.deepcopy(EXAMPLE) | change)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in EXAMPLE.items() if name != key}


def problems(payload: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        request_validation.read(payload)
    return [(problem.attr, problem.code) for problem in caught.value.problems]


def refused(**change: Any) -> list[tuple[str, str]]:
    return problems(EXAMPLE | change)


def one_plan(plan: object) -> list[dict[str, Any]]:
    return [{"sequence_id": "SQ0010", "plans": [plan]}]


# What is taken ------------------------------------------------------------------------------------


def test_the_example_of_the_specification_is_taken() -> None:
    request = read()

    assert (request.project_id, request.season, request.episode) == (
        "madsea-2025-ep202",
        "S02",
        "E202",
    )
    assert request.sequences == {"SQ0010": ["0010", "0020", "0030"]}
    assert (request.style.code, request.mode) == ("ombres_chinoises", Mode.AUTO)
    assert request.workflow is not None
    assert request.workflow.name == "OmbresChinoises.json"
    assert request.params == factories.style().values


@pytest.mark.parametrize("key", ["workflow_json", "params", "mode"])
def test_what_has_a_default_can_be_left_out(key: str) -> None:
    batches.create(read(), requester=None)

    assert replace(request_validation.read(without(key)), sources={}) == replace(read(), sources={})


def test_the_params_of_the_request_lie_over_those_of_the_style() -> None:
    request = read(params={"steps": 12})

    assert request.params == factories.style().values | {"steps": 12}


def test_a_default_of_the_style_that_the_workflow_does_not_have_is_left_out() -> None:
    request = read(workflow_json="Silhouette.json", params={})

    assert request.params == {}


def test_a_sequence_named_twice_is_merged_in_the_order_asked_for() -> None:
    given = [
        {"sequence_id": "SQ0020", "plans": ["0030"]},
        {"sequence_id": "SQ0010", "plans": ["0020"]},
        {"sequence_id": "SQ0020", "plans": ["0010"]},
    ]

    request = read(sequences=given)

    assert list(request.sequences.items()) == [("SQ0020", ["0030", "0010"]), ("SQ0010", ["0020"])]


def test_the_same_plan_of_two_sequences_is_two_plans() -> None:
    given = [{"sequence_id": code, "plans": ["0010"]} for code in ("SQ0010", "SQ0020")]

    assert read(sequences=given).sequences == {"SQ0010": ["0010"], "SQ0020": ["0010"]}


def test_ten_thousand_plans_are_taken() -> None:
    given = [{"sequence_id": "SQ0010", "plans": [f"{number:04d}" for number in range(10_000)]}]

    assert len(read(sequences=given).sequences["SQ0010"]) == 10_000


def test_mode_manuel_needs_no_workflow() -> None:
    request = request_validation.read(without("workflow_json") | {"mode": "manuel", "params": {}})

    assert (request.mode, request.workflow, request.params) == (Mode.MANUEL, None, {})


@pytest.mark.parametrize(
    ("season", "episode"), [("S02", "E202"), ("S10", "E1001"), ("S00", "E001"), ("S123", "E12345")]
)
def test_an_episode_begins_with_its_season(season: str, episode: str) -> None:
    assert read(season=season, episode=episode).episode == episode


# Where values come from ---------------------------------------------------------------------------


def test_each_value_knows_whether_style_or_request_gave_it() -> None:
    request = read(params={"steps": 12})

    assert request.sources == {
        "seed": "drawn",
        "steps": "request",
        "cfg": "style",
        "lora_strength": "style",
        "denoise": "style",
        "prompt": "style",
        "negative_prompt": "style",
    }


def test_the_style_s_params_are_none_of_a_workflow_that_it_does_not_name() -> None:
    request = read(workflow_json="Labo.json", params={})

    assert (request.params, request.sources) == ({}, {"seed": "drawn"})


def test_the_style_s_params_hold_for_another_workflow_that_it_names() -> None:
    Style.objects.filter(code="ombres_chinoises").update(more_workflows=["Labo.json"])

    request = read(workflow_json="Labo.json", params={})

    assert (request.params["steps"], request.sources["steps"]) == (30, "style")


def test_a_seed_that_nobody_renders_is_not_drawn() -> None:
    assert "seed" not in read(mode="manuel").sources


def own(plans: list[Any], params: dict[str, Any]) -> BatchRequest:
    return read(sequences=[{"sequence_id": "SQ0010", "plans": plans, "params": params}])


def test_a_plan_s_params_lie_over_its_sequence_s() -> None:
    plan = {"plan": "0010", "params": {"cfg": 3, "denoise": 0.5}}

    request = own([plan, "0020"], {"steps": 12, "cfg": 5})

    assert request.sequences == {"SQ0010": ["0010", "0020"]}
    assert request.own["SQ0010", "0010"].params == {"steps": 12, "cfg": 3, "denoise": 0.5}
    assert request.own["SQ0010", "0010"].sources == {
        "steps": "sequence",
        "cfg": "plan",
        "denoise": "plan",
    }
    assert request.own["SQ0010", "0020"].params == {"steps": 12, "cfg": 5}


def test_a_plan_may_be_an_object_without_params() -> None:
    request = own([{"plan": "0010"}], {})

    assert (request.sequences, request.own) == ({"SQ0010": ["0010"]}, {})


def test_params_of_a_sequence_that_is_named_twice_hold_where_they_stand() -> None:
    first = {"sequence_id": "SQ0010", "plans": ["0010"], "params": {"steps": 12}}
    second = {"sequence_id": "SQ0010", "plans": ["0020"]}

    assert list(read(sequences=[first, second]).own) == [("SQ0010", "0010")]


@pytest.mark.parametrize(
    ("sequence", "problem"),
    [
        ({"params": {"stepz": 1}}, ("sequences.0.params.stepz", "unknown_parameter")),
        ({"params": []}, ("sequences.0.params", "not_an_object")),
        (
            {"plans": ["0020", {"plan": "0010", "params": {"steps": 0}}]},
            ("sequences.0.plans.1.params.steps", "out_of_bounds"),
        ),
        ({"plans": [{"plan": "10"}]}, ("sequences.0.plans.0.plan", "invalid_plan")),
        ({"plans": [{"params": {}}]}, ("sequences.0.plans.0.plan", "required")),
        ({"plans": [{"plan": "0010", "x": 1}]}, ("sequences.0.plans.0.x", "unknown_key")),
        (
            {"plans": [{"plan": "0010", "params": None}]},
            ("sequences.0.plans.0.params", "not_an_object"),
        ),
        (
            {"plans": [{"plan": "0010", "params": {"width": 16384, "height": 16384}}]},
            ("sequences.0.plans.0.params.width", "too_large"),
        ),
    ],
)
def test_params_of_a_sequence_or_plan_that_do_not_fit_are_named_where_they_stand(
    sequence: dict[str, Any], problem: tuple[str, str]
) -> None:
    given = {"sequence_id": "SQ0010", "plans": ["0010"]} | sequence

    assert refused(sequences=[given])[0] == problem


def test_a_plan_named_once_as_text_and_once_as_object_is_refused() -> None:
    assert refused(sequences=[{"sequence_id": "SQ0010", "plans": ["0010", {"plan": "0010"}]}]) == [
        ("sequences.0.plans.1", "duplicate_plan")
    ]


def test_params_of_a_plan_that_no_workflow_could_take_are_refused() -> None:
    plan = {"plan": "0010", "params": {"steps": 3}}
    payload = without("workflow_json") | {"mode": "manuel", "params": {}}

    assert problems(payload | {"sequences": one_plan(plan)}) == [
        ("sequences.0.plans.0.params.steps", "no_workflow")
    ]


# Fields of prompts --------------------------------------------------------------------------------


def test_a_text_may_have_fields_which_stay_until_a_plan_fills_them() -> None:
    assert read(params={"prompt": "plan {plan}"}).params["prompt"] == "plan {plan}"


def test_a_field_that_no_plan_has_is_named() -> None:
    plan = {"plan": "0010", "params": {"prompt": "{mood}"}}

    with pytest.raises(InvalidRequest) as caught:
        read(params={"prompt": "a {weather} sky"}, sequences=one_plan(plan))

    first, second = caught.value.problems
    assert (first.attr, first.code) == ("params.prompt", "unknown_field")
    assert "{weather}" in first.detail
    assert second.attr == "sequences.0.plans.0.params.prompt"


def test_a_style_s_text_with_an_unknown_field_is_refused() -> None:
    Style.objects.filter(code="ombres_chinoises").update(prompt="{mood}")

    assert refused(params={}) == [("style.prompt", "unknown_field")]


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [None, True, 7, 1.5, "x", []])
def test_what_is_no_object_is_refused(payload: object) -> None:
    assert problems(payload) == [("", "not_an_object")]


@pytest.mark.parametrize("key", ["project_id", "episode", "season", "sequences", "style"])
def test_what_is_required_is_named(key: str) -> None:
    assert problems(without(key)) == [(key, "required")]


@pytest.mark.parametrize("key", ["project_id", "episode", "season", "workflow_json", "style"])
@pytest.mark.parametrize("value", [1010, 2.5, None, True, [], {}])
def test_a_string_is_a_string(key: str, value: object) -> None:
    assert refused(**{key: value}) == [(key, "not_a_string")]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("project_id", "invalid_project_id"),
        ("season", "invalid_season"),
        ("episode", "invalid_episode"),
        ("style", "unknown_style"),
        ("workflow_json", "unknown_workflow"),
        ("mode", "unknown_mode"),
    ],
)
@pytest.mark.parametrize(
    "value", [CLIMBING, "..", "/etc/passwd", "a/../b", "a\\b", "", " ", "x\0y", "E202\n", "\ud800"]
)
def test_no_name_that_could_lead_elsewhere_is_taken(key: str, code: str, value: str) -> None:
    assert refused(**{key: value}) == [(key, code)]


@pytest.mark.parametrize(
    "value",
    [
        CLIMBING,
        "../0010",
        "10",
        "00100",
        "٠٠١٠",
        "０010",
        "0010\n",
        " 0010",
        "-010",
        "+010",
        "1e03",
    ],
)
def test_a_plan_is_four_ascii_digits(value: str) -> None:
    assert refused(sequences=one_plan(value)) == [("sequences.0.plans.0", "invalid_plan")]


@pytest.mark.parametrize("value", [1010, 10.0, None, True, ["0010"]])
def test_a_plan_is_no_number_and_nothing_else(value: object) -> None:
    assert refused(sequences=one_plan(value)) == [("sequences.0.plans.0", "not_a_string")]


@pytest.mark.parametrize("value", [CLIMBING, "SQ10", "sq0010", "SQ00100", "SQ٠٠١٠", "SQ0010\n"])
def test_a_sequence_is_sq_and_four_digits(value: str) -> None:
    given = [{"sequence_id": value, "plans": ["0010"]}]

    assert refused(sequences=given) == [("sequences.0.sequence_id", "invalid_sequence_id")]


@pytest.mark.parametrize(
    ("season", "episode"), [("S02", "E302"), ("S02", "E2002"), ("S10", "E101"), ("S01", "E1101")]
)
def test_an_episode_of_another_season_is_refused(season: str, episode: str) -> None:
    assert refused(season=season, episode=episode) == [("episode", "episode_not_in_season")]


@pytest.mark.parametrize("value", ["S2", "s02", "S002", "S02 ", "Season 2"])
def test_a_season_has_one_spelling(value: str) -> None:
    assert refused(season=value) == [("season", "invalid_season")]


@pytest.mark.parametrize("value", ["a" * 65, "-a", ".a", "a.", "é", "a b"])
def test_a_project_is_a_name_that_can_be_a_folder(value: str) -> None:
    assert refused(project_id=value) == [("project_id", "invalid_project_id")]


def test_a_device_of_windows_is_no_project() -> None:
    assert refused(project_id="nul") == [("project_id", "reserved_project_id")]


@pytest.mark.parametrize(
    ("sequences", "problem"),
    [
        ({}, ("sequences", "not_an_array")),
        ("SQ0010", ("sequences", "not_an_array")),
        ([], ("sequences", "empty")),
        ([NO_PLANS], ("sequences.0.plans", "empty")),
        (["SQ0010"], ("sequences.0", "not_an_object")),
        ([{"sequence_id": "SQ0010"}], ("sequences.0.plans", "required")),
        ([{"plans": ["0010"]}], ("sequences.0.sequence_id", "required")),
        ([{"sequence_id": "SQ0010", "plans": "0010"}], ("sequences.0.plans", "not_an_array")),
    ],
)
def test_sequences_of_another_shape_are_refused(
    sequences: object, problem: tuple[str, str]
) -> None:
    assert refused(sequences=sequences) == [problem]


def test_the_same_plan_twice_is_refused_wherever_it_stands() -> None:
    given = [
        {"sequence_id": "SQ0010", "plans": ["0010", "0020", "0010"]},
        {"sequence_id": "SQ0010", "plans": ["0020"]},
    ]

    assert refused(sequences=given) == [
        ("sequences.0.plans.2", "duplicate_plan"),
        ("sequences.1.plans.0", "duplicate_plan"),
    ]


def test_more_than_ten_thousand_plans_are_refused() -> None:
    codes = [f"{number:04d}" for number in range(10_000)]
    given = [
        {"sequence_id": "SQ0010", "plans": codes},
        {"sequence_id": "SQ0020", "plans": ["0010"]},
    ]

    assert refused(sequences=given) == [("sequences", "too_many_plans")]


@pytest.mark.parametrize("key", ["colour", "Mode", "", CLIMBING, "x" * 1000, "\ud800", "a\0b"])
def test_an_unknown_key_is_refused_and_can_be_told(key: str) -> None:
    [(attr, code)] = refused(**{key: 1})

    assert code == "unknown_key"
    assert len(attr) <= 64
    attr.encode()


def test_an_unknown_key_of_a_sequence_is_refused() -> None:
    given = [{"sequence_id": "SQ0010", "plans": ["0010"], "shots": []}]

    assert refused(sequences=given) == [("sequences.0.shots", "unknown_key")]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"steps": "30"}, "wrong_type"),
        ({"steps": True}, "wrong_type"),
        ({"steps": 7.5}, "wrong_type"),
        ({"steps": None}, "wrong_type"),
        ({"steps": 0}, "out_of_bounds"),
        ({"steps": -1}, "out_of_bounds"),
        ({"steps": 10**5000}, "out_of_bounds"),
        ({"cfg": float("nan")}, "not_finite"),
        ({"cfg": float("inf")}, "not_finite"),
        ({"cfg": 1e300}, "out_of_bounds"),
        ({"seed": -1}, "out_of_bounds"),
        ({"seed": 2**64}, "out_of_bounds"),
        ({"prompt": "x" * 32_001}, "too_long"),
        ({"prompt": "a\0b"}, "bad_text"),
        ({"prompt": "\ud800"}, "bad_text"),
        ({"sampler_name": CLIMBING}, "not_in_list"),
        ({"panel": "panel.png"}, "not_settable"),
        ({"stepz": 30}, "unknown_parameter"),
        ({"\ud800": 30}, "unknown_parameter"),
    ],
)
def test_a_param_that_does_not_fit_is_refused_by_name(params: dict[str, Any], code: str) -> None:
    [(attr, found)] = refused(params=params)

    assert found == code
    assert attr.startswith("params.")
    attr.encode()


@pytest.mark.parametrize("params", [None, [], "steps=3", 3])
def test_params_are_an_object(params: object) -> None:
    assert refused(params=params) == [("params", "not_an_object")]


def test_params_that_no_workflow_could_take_are_refused() -> None:
    payload = without("workflow_json") | {"mode": "manuel", "params": {"steps": 3}}

    assert problems(payload) == [("params.steps", "no_workflow")]


@pytest.mark.parametrize("value", ["", "AUTO", "manual", 1, None, [], {}])
def test_an_unknown_mode_is_refused(value: object) -> None:
    assert refused(mode=value) == [("mode", "unknown_mode")]


def test_a_style_that_is_no_longer_in_use_is_refused() -> None:
    Style.objects.update(is_active=False)

    assert refused() == [("style", "unknown_style")]


def test_everything_wrong_is_said_at_once() -> None:
    found = refused(
        project_id="", season="S2", sequences=one_plan("10"), style="x", mode="x", colour=1
    )

    assert sorted(attr for attr, _ in found) == [
        "colour",
        "mode",
        "project_id",
        "season",
        "sequences.0.plans.0",
        "style",
    ]


def test_a_refusal_shows_a_huge_value_briefly() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(sequences=one_plan(10**5000), style="x" * 100_000)

    assert all(len(problem.detail) < 400 for problem in caught.value.problems)


# Sizes --------------------------------------------------------------------------------------------


def too_large(*places: str) -> list[tuple[str, str]]:
    return [(place, "too_large") for place in places]


def test_a_picture_that_no_limit_takes_is_refused_with_both_its_sides() -> None:
    params = {"width": 16384, "height": 16384}

    assert refused(params=params) == too_large("params.width", "params.height")


def test_the_side_that_makes_a_picture_too_large_is_to_blame(settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_PIXELS = 2_000_000

    assert refused(params={"width": 2048, "height": 1024}) == too_large("params.width")


def test_a_refusal_for_its_size_names_what_is_taken() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(params={"width": 16384, "height": 16384})

    assert "16384 × 16384 pixels" in caught.value.detail
    assert "at most 100,000,000 pixels" in caught.value.detail


def test_a_workflow_that_is_too_large_by_itself_is_to_blame(settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_PIXELS = 500_000

    assert refused(params={"steps": 4}) == too_large("workflow_json")


def test_a_default_of_the_style_that_is_too_large_is_refused(settings: Any) -> None:
    Style.objects.filter(code="ombres_chinoises").update(params={"width": 16384})
    settings.MADSEA_IMAGE_MAX_PIXELS = 10_000_000

    assert refused(params={}) == too_large("workflow_json")


def test_the_size_of_what_nobody_renders_is_not_asked() -> None:
    assert read(mode="manuel", params={"width": 16384, "height": 16384}).needs is None
