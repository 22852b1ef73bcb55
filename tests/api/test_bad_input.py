"""Everything wrong that a client can send: each is refused with its place, and nothing is made."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from generation.models import Batch, Project
from tests import factories
from tests.api.calls import EXAMPLE, URL

ONE_SEQUENCE = {"sequence_id": "SQ0010", "plans": ["0010"]}


def sent(api: APIClient, **change: Any) -> Any:
    return api.post(URL, copy.deepcopy(EXAMPLE) | change, format="json")


def raw(api: APIClient, body: bytes | str) -> Any:
    return api.post(URL, data=body, content_type="application/json")


def places(answer: Any) -> list[tuple[str | None, str]]:
    return [(line["attr"], line["code"]) for line in answer.json()["errors"]]


@pytest.fixture(autouse=True)
def nothing_is_made(db: None) -> Any:
    yield
    assert not Project.objects.exclude(code=factories.PROJECT_ID).exists()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"{'project_id': 1}",
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"style": "a\\u0000b"}',
        b'{"style": "\\ud800"}',
        b"[" * 100_000,
        b"1" * 5_000,
        b'{"style": "x"} y',
    ],
)
def test_a_body_that_is_no_json_is_refused(api: APIClient, body: bytes) -> None:
    answer = raw(api, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"


@pytest.mark.parametrize("payload", ["[]", '"x"', "1", "null", "true"])
def test_a_body_that_is_no_object_is_refused(api: APIClient, payload: str) -> None:
    answer = raw(api, payload)

    assert answer.status_code == 400
    assert answer.json()["code"] == "not_an_object"
    assert answer.json()["attr"] is None


def test_an_empty_body_names_everything_that_is_missing(api: APIClient) -> None:
    answer = raw(api, b"{}")

    required = ["project_id", "episode", "season", "sequences", "style"]
    assert places(answer) == [(name, "required") for name in required]


def test_a_body_larger_than_any_request_is_refused(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = raw(api, b" " * 1001)

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("field", ["project_id", "season", "episode", "style", "workflow_json"])
@pytest.mark.parametrize("value", [1010, 1.5, None, True, ["S02"], {"a": 1}])
def test_a_name_of_another_type_is_refused(api: APIClient, field: str, value: Any) -> None:
    answer = sent(api, **{field: value})

    assert answer.status_code == 400
    assert (field, "not_a_string") in places(answer)


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"sequences": {}}, "sequences"),
        ({"sequences": "SQ0010"}, "sequences"),
        ({"sequences": ["SQ0010"]}, "sequences.0"),
        ({"sequences": [{"sequence_id": "SQ0010", "plans": "0010"}]}, "sequences.0.plans"),
        ({"sequences": [{"sequence_id": "SQ0010", "plans": {"0010": 1}}]}, "sequences.0.plans"),
        ({"sequences": [{"sequence_id": 10, "plans": ["0010"]}]}, "sequences.0.sequence_id"),
        ({"params": []}, "params"),
        ({"params": "steps=3"}, "params"),
        ({"params": {"steps": "30"}}, "params.steps"),
        ({"params": {"steps": True}}, "params.steps"),
        ({"params": {"steps": 7.5}}, "params.steps"),
        ({"params": {"prompt": 3}}, "params.prompt"),
        ({"mode": 1}, "mode"),
    ],
)
def test_a_wrong_type_is_refused_at_its_place(
    api: APIClient, change: dict[str, Any], attr: str
) -> None:
    answer = sent(api, **change)

    assert answer.status_code == 400
    assert attr in [place for place, _ in places(answer)]


@pytest.mark.parametrize(
    ("change", "attr", "code"),
    [
        ({"style": "aquarelle"}, "style", "unknown_style"),
        ({"workflow_json": "Nope.json"}, "workflow_json", "unknown_workflow"),
        ({"mode": "automatic"}, "mode", "unknown_mode"),
        ({"mode": ""}, "mode", "unknown_mode"),
        ({"urgency": 9}, "urgency", "unknown_key"),
        (
            {"sequences": [ONE_SEQUENCE | {"shots": []}]},
            "sequences.0.shots",
            "unknown_key",
        ),
    ],
)
def test_what_is_not_known_is_refused(
    api: APIClient, change: dict[str, Any], attr: str, code: str
) -> None:
    answer = sent(api, **change)

    assert answer.status_code == 400
    assert places(answer) == [(attr, code)]


@pytest.mark.parametrize("name", ["../x", "..", "a/../b", "/etc/passwd", "..\\x", "%2e%2e/x"])
@pytest.mark.parametrize("field", ["project_id", "season", "episode", "style", "workflow_json"])
def test_no_name_leads_out_of_its_folder(api: APIClient, field: str, name: str) -> None:
    answer = sent(api, **{field: name})

    assert answer.status_code == 400
    assert field in [place for place, _ in places(answer)]


@pytest.mark.parametrize("name", ["../SQ0010", "SQ00/../0010"])
def test_no_sequence_leads_out_of_its_folder(api: APIClient, name: str) -> None:
    answer = sent(api, sequences=[{"sequence_id": name, "plans": ["0010"]}])

    assert places(answer) == [("sequences.0.sequence_id", "invalid_sequence_id")]


@pytest.mark.parametrize(
    "plan", ["10", "00100", "٠٠١٠", "0010\n", " 0010", "001O", "", "../1", "../../0010"]
)
def test_a_plan_that_is_not_four_digits_is_refused(api: APIClient, plan: str) -> None:
    sequences = [ONE_SEQUENCE, {"sequence_id": "SQ0020", "plans": [plan]}]

    answer = sent(api, sequences=sequences)

    assert answer.status_code == 400
    assert places(answer) == [("sequences.1.plans.0", "invalid_plan")]


@pytest.mark.parametrize("plan", [1010, None, 10.0, ["0010"]])
def test_a_plan_that_is_no_string_is_refused(api: APIClient, plan: Any) -> None:
    answer = sent(api, sequences=[{"sequence_id": "SQ0010", "plans": ["0020", plan]}])

    assert places(answer) == [("sequences.0.plans.1", "not_a_string")]


@pytest.mark.parametrize(
    ("sequences", "attr"),
    [
        ([{"sequence_id": "SQ0010", "plans": ["0010", "0010"]}], "sequences.0.plans.1"),
        ([ONE_SEQUENCE, ONE_SEQUENCE], "sequences.1.plans.0"),
    ],
)
def test_a_plan_that_is_named_twice_is_refused(
    api: APIClient, sequences: list[Any], attr: str
) -> None:
    assert places(sent(api, sequences=sequences)) == [(attr, "duplicate_plan")]


def test_a_sequence_that_is_named_twice_is_merged(api: APIClient) -> None:
    again = {"sequence_id": "SQ0010", "plans": ["0020"]}

    answer = sent(api, sequences=[ONE_SEQUENCE, again])

    assert answer.status_code == 201
    assert Batch.objects.get().n_total == 2


@pytest.mark.parametrize(
    ("sequences", "attr"),
    [
        ([], "sequences"),
        ([{"sequence_id": "SQ0010", "plans": []}], "sequences.0.plans"),
        ([{"sequence_id": "SQ0010"}], "sequences.0.plans"),
    ],
)
def test_a_request_for_no_plans_is_refused(api: APIClient, sequences: list[Any], attr: str) -> None:
    answer = sent(api, sequences=sequences)

    assert answer.status_code == 400
    assert attr in [place for place, _ in places(answer)]


def test_10_001_plans_are_refused(api: APIClient) -> None:
    answer = sent(api, sequences=many(10_001))

    assert places(answer) == [("sequences", "too_many_plans")]


def test_10_000_plans_are_taken(api: APIClient) -> None:
    answer = sent(api, sequences=many(10_000))

    assert answer.status_code == 201
    assert Batch.objects.get().n_total == 10_000


@pytest.mark.parametrize(
    ("season", "episode"), [("S02", "E302"), ("S10", "E202"), ("S02", "E1001"), ("S00", "E101")]
)
def test_a_season_and_an_episode_must_agree(api: APIClient, season: str, episode: str) -> None:
    answer = sent(api, season=season, episode=episode)

    assert places(answer) == [("episode", "episode_not_in_season")]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ('{"stpes": 30}', "unknown_parameter"),
        ('{"panel": "x.png"}', "not_settable"),
        ('{"steps": 0}', None),
        ('{"steps": 10001}', None),
        ('{"cfg": -1}', None),
        ('{"cfg": NaN}', None),
        ('{"cfg": Infinity}', None),
        ('{"cfg": 1e400}', None),
        ('{"seed": -1}', None),
        ('{"seed": 18446744073709551616}', None),
        (f'{{"steps": {"9" * 300}}}', None),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    api: APIClient, params: str, code: str | None
) -> None:
    body = json.dumps(EXAMPLE | {"params": "HERE"}).replace('"HERE"', params)

    answer = raw(api, body)

    assert answer.status_code == 400
    name = params[2 : params.index('"', 2)]
    assert answer.json()["attr"] == f"params.{name}"
    assert answer.json()["code"] == (code or answer.json()["code"])


def test_a_text_parameter_has_a_length(api: APIClient) -> None:
    answer = sent(api, params={"prompt": "x" * 1_000_000})

    assert answer.status_code == 400
    assert answer.json()["attr"] == "params.prompt"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps({"nodes": [], "links": [], "version": 0.4}),
        json.dumps({"1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}),
        json.dumps({"1": {"inputs": {}}}),
        "\ufeff",
    ],
    ids=["broken", "list", "no nodes", "UI format", "no output", "no class", "only a mark"],
)
def test_a_workflow_file_that_cannot_be_used_is_refused(
    api: APIClient, content: str, tmp_path: Path, settings: Any
) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    (tmp_path / "Broken.json").write_text(content)

    answer = sent(api, workflow_json="Broken.json", params={})

    assert answer.status_code == 400
    assert answer.json()["attr"] == "workflow_json"
    assert answer.json()["code"].startswith("workflow_")
    assert "Broken.json" in answer.json()["detail"]


def test_all_that_is_wrong_is_said_at_once(api: APIClient) -> None:
    answer = sent(
        api,
        project_id="../x",
        style="aquarelle",
        sequences=[ONE_SEQUENCE, {"sequence_id": "SQ1", "plans": ["10", 20]}],
        mode="auto",
        colour="red",
    )

    assert {attr for attr, _ in places(answer)} == {
        "project_id",
        "style",
        "sequences.1.sequence_id",
        "sequences.1.plans.0",
        "sequences.1.plans.1",
        "colour",
    }
    assert answer.json()["attr"] == answer.json()["errors"][0]["attr"]


@pytest.mark.parametrize("verb", ["retry", "cancel"])
@pytest.mark.parametrize("batch_id", ["abc123", "../x", "a" * 64])
def test_an_unknown_batch_is_not_found(api: APIClient, verb: str, batch_id: str) -> None:
    answer = api.post(f"{URL}/{verb}", {"batch_id": batch_id}, format="json")

    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_batch"


@pytest.mark.parametrize("token", ["Token 0123", "Token", "Token a b", "Token " + "é" * 8])
def test_an_invalid_token_is_refused(db: None, token: str) -> None:
    client = APIClient(HTTP_AUTHORIZATION=token)

    answer = client.post(URL, EXAMPLE, format="json")

    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_failed"
    assert answer["WWW-Authenticate"] == "Token"


def test_the_token_of_a_disabled_user_is_refused(stranger: User) -> None:
    token = Token.objects.create(user=stranger)
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token.key}")

    answer = client.post(URL, EXAMPLE, format="json")

    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_failed"
    assert not Batch.objects.exists()


def test_no_token_is_refused(db: None) -> None:
    answer = APIClient().post(URL, EXAMPLE, format="json")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def many(n_plans: int) -> list[dict[str, Any]]:
    codes = [f"{n:04d}" for n in range(n_plans)]
    return [
        {"sequence_id": f"SQ{start:04d}", "plans": [f"{n % 1000:04d}" for n in range(size)]}
        for start, size in sizes(len(codes))
    ]


def sizes(n_plans: int) -> list[tuple[int, int]]:
    whole, rest = divmod(n_plans, 1000)
    return [*((n, 1000) for n in range(whole)), *([(whole, rest)] if rest else [])]
