"""The OpenAPI schema says what the API does."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft4Validator
from rest_framework.test import APIClient

from generation.models import Batch
from generation.services import request_fields
from generation.states import BatchState, RunState
from nomenclature import rules
from tests import factories
from tests.api.calls import EXAMPLE, URL, one_plan, panel, upload

Schema = dict[str, Any]
pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "patch")


@pytest.fixture(scope="module")
def schema() -> Schema:
    found: Schema = SchemaGenerator().get_schema(request=None, public=True)
    return found


def operations(schema: Schema) -> dict[str, Schema]:
    return {
        f"{method} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def problems(schema: Schema, part: Schema, value: Any) -> list[str]:
    """Return what of a value is not as a part of the schema says."""
    whole = {"allOf": [part], "components": schema["components"]}
    validator = Draft4Validator(_nullable(whole))
    return [f"{list(each.path)}: {each.message}" for each in validator.iter_errors(value)]


def _nullable(part: Any) -> Any:
    """Return OpenAPI 3.0's way to say null as JSON Schema says it."""
    if isinstance(part, list):
        return [_nullable(each) for each in part]
    if not isinstance(part, dict):
        return part
    told = {key: _nullable(each) for key, each in part.items()}
    if part.get("nullable") is True:
        return {"anyOf": [{key: each for key, each in told.items() if key != "nullable"}, _NULL]}
    return told


_NULL = {"type": "null"}


def answer_of(schema: Schema, operation: str, status: int) -> Schema:
    content = operations(schema)[operation]["responses"][str(status)]["content"]
    found: Schema = content["application/json"]["schema"]
    return found


def test_it_is_valid_openapi(schema: Schema) -> None:
    validate_schema(schema)


def test_every_operation_has_a_summary_and_no_docstring(schema: Schema) -> None:
    found = operations(schema)

    assert [name for name, each in found.items() if not each.get("summary")] == []
    assert [name for name, each in found.items() if "description" in each] == []


def test_every_operation_has_an_example(schema: Schema) -> None:
    def is_told(operation: Schema) -> bool:
        answers = [each for status, each in operation["responses"].items() if status < "300"]
        return "'example" in str(answers) or "'example" in str(operation["parameters"])

    assert [name for name, each in operations(schema).items() if not is_told(each)] == []


def test_every_operation_names_what_can_go_wrong(schema: Schema) -> None:
    always = {"400", "401", "404", "405", "406", "503"}
    with_body = always | {"403", "408", "413", "415"}

    for_all = {name: each["responses"].keys() for name, each in operations(schema).items()}

    assert [name for name, told in for_all.items() if not always <= told] == []
    assert [n for n, told in for_all.items() if n[:3] != "get" and not with_body <= told] == []
    assert "429" in for_all["post /api/token"]
    assert "409" in for_all["post /api/generate_ai_concept"]


def test_every_example_is_as_the_schema_says(schema: Schema) -> None:
    wrong = [
        (name, found)
        for name, operation in operations(schema).items()
        for content in _contents(operation)
        for example in content.get("examples", {}).values()
        if (found := problems(schema, content["schema"], example["value"]))
    ]

    assert wrong == []


def _contents(operation: Schema) -> list[Schema]:
    bodies = [*operation["responses"].values(), operation.get("requestBody", {})]
    return [each for body in bodies for each in body.get("content", {}).values()]


# What was wrong once ---------------------------------------------------------------------------


def test_pages_are_pages_once(schema: Schema) -> None:
    logs = answer_of(schema, "get /api/batches/{batch_id}/logs", 200)
    queue = answer_of(schema, "get /api/queue", 200)

    assert logs["properties"]["results"]["items"] == {"$ref": "#/components/schemas/LogLine"}
    assert queue["type"] == "object"
    beside = {"reasons", "expected_end"}
    assert set(queue["properties"]) == {"count", "next", "previous", "results"} | beside


@pytest.mark.parametrize("name", ["UploadRequest", "PanelRequest"])
def test_a_file_is_binary(schema: Schema, name: str) -> None:
    file = schema["components"]["schemas"][name]["properties"]["file"]

    assert (file["type"], file["format"]) == ("string", "binary")


def test_statuses_are_named(schema: Schema) -> None:
    components = schema["components"]["schemas"]

    assert components["StatusDocument"]["properties"]["status"]["enum"] == list(BatchState)
    plan = components["StatusDocument"]["properties"]["plans"]["items"]
    assert plan["properties"]["status"]["enum"] == list(RunState)
    assert components["BatchShape"]["properties"]["status"]["enum"] == list(BatchState)


def test_names_look_as_the_nomenclature_says(schema: Schema) -> None:
    request = schema["components"]["schemas"]["GenerateRequest"]
    form = schema["components"]["schemas"]["PanelRequest"]

    pattern = f"^(?:{rules.RULES['project_id'].pattern.pattern})$"
    assert request["properties"]["project_id"]["pattern"] == pattern
    assert form["properties"]["project_id"]["pattern"] == pattern


def test_a_request_is_described_by_what_it_is_read_by(schema: Schema) -> None:
    request = schema["components"]["schemas"]["GenerateRequest"]

    assert set(request["properties"]) == set(request_fields.PAYLOAD)
    assert request["required"] == request_fields.required(request_fields.PAYLOAD)
    bounds = request["properties"]["sequences"]
    assert (bounds["minItems"], bounds["maxItems"]) == (1, django_settings.MADSEA_PLANS_MAX)


# Requests: what the schema forbids is refused ----------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"project_id": ".x"},
        {"season": "S2"},
        {"episode": "202"},
        {"episode": 202},
        {"sequences": []},
        {"sequences": {}},
        {"sequences": [{"sequence_id": "SQ0010", "plans": []}]},
        {"sequences": [{"sequence_id": "SQ10", "plans": ["0010"]}]},
        {"sequences": [{"sequence_id": "SQ0010", "plans": [10]}]},
        {"sequences": [{"sequence_id": "SQ0010", "plans": ["0010"], "more": 1}]},
        {"sequences": [{"plans": ["0010"]}]},
        {"style": 1},
        {"workflow_json": None},
        {"params": []},
        {"mode": "AUTO"},
        {"more": 1},
    ],
)
def test_what_the_schema_forbids_is_refused(
    schema: Schema, api: APIClient, change: dict[str, Any]
) -> None:
    request = EXAMPLE | change

    assert problems(schema, schema["components"]["schemas"]["GenerateRequest"], request)
    assert api.post(URL, request, format="json").status_code == 400


def test_the_specification_s_request_is_as_the_schema_says(schema: Schema) -> None:
    assert problems(schema, schema["components"]["schemas"]["GenerateRequest"], EXAMPLE) == []


# Answers: each is as the schema says -------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("get /api/projects", "/api/projects"),
        ("get /api/episodes", "/api/episodes"),
        ("get /api/sequences", "/api/sequences"),
        ("get /api/plans", "/api/plans"),
        ("get /api/batches", "/api/batches"),
        ("get /api/batches/{batch_id}", "/api/batches/{batch}"),
        ("get /api/batches/{batch_id}/logs", "/api/batches/{batch}/logs"),
        ("get /api/generate_ai_concept/status", f"{URL}/status?batch_id={{batch}}"),
        ("get /api/queue", "/api/queue"),
        ("get /api/styles", "/api/styles"),
        ("get /api/servers", "/api/servers"),
        ("get /api/workflows", "/api/workflows"),
        ("get /api/workflows/{name}", "/api/workflows/OmbresChinoises.json"),
        ("get /api/workflows/{name}/graph", "/api/workflows/Labo.json/graph"),
    ],
)
def test_what_is_read_is_as_the_schema_says(
    schema: Schema, api: APIClient, batch: Batch, operation: str, path: str
) -> None:
    factories.server()
    panel(api, factories.png())

    answer = api.get(path.format(batch=batch.public_id))

    assert answer.status_code == 200
    assert problems(schema, answer_of(schema, operation, 200), answer.json()) == []


def test_what_is_made_is_as_the_schema_says(schema: Schema, api: APIClient) -> None:
    made = api.post(URL, EXAMPLE | {"mode": "manuel"}, format="json")
    batch = Batch.objects.get()
    version = upload(api, batch, factories.png())
    cancelled = api.post(f"{URL}/cancel", one_plan(batch, "0020"), format="json")
    again = api.post(f"{URL}/retry", one_plan(batch, "0020"), format="json")

    told = f"post {URL}"
    assert problems(schema, answer_of(schema, told, 201), made.json()) == []
    assert problems(schema, answer_of(schema, f"{told}/upload", 201), version.json()) == []
    assert problems(schema, answer_of(schema, f"{told}/cancel", 200), cancelled.json()) == []
    assert problems(schema, answer_of(schema, f"{told}/retry", 200), again.json()) == []


def test_an_error_is_as_the_schema_says(schema: Schema, api: APIClient) -> None:
    refused = api.post(URL, {"more": 1}, format="json")

    assert problems(schema, answer_of(schema, f"post {URL}", 400), refused.json()) == []


# The guide ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/guide", "/api/guide/"])
def test_the_guide_is_for_who_is_signed_in(client: Client, supervisor: User, path: str) -> None:
    before = client.get(path)
    client.force_login(supervisor)
    answer = client.get(path)

    assert before["Location"].startswith("/admin/login/")
    assert answer.content.startswith(b"# The HTTP API")


def test_the_reference_and_the_admin_lead_to_the_guide(
    schema: Schema, client: Client, supervisor: User
) -> None:
    client.force_login(supervisor)

    page = client.get("/admin/").content.decode()

    assert schema["externalDocs"]["url"] == "/api/guide"
    assert 'href="/api/guide"' in page
    assert 'href="/api/docs"' in page
