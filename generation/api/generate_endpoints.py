"""The specification's endpoints: ask for plans, follow them, retry, cancel, upload."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation import selectors
from generation.api import (
    filters,
    query_parameters,
    request_serializers,
    responses,
    schema_descriptions,
)
from generation.api.parsers import StrictJSONParser, content_of
from generation.api.permission_classes import Takes
from generation.api.serializers import VersionShape
from generation.errors import InvalidRequest, Problem
from generation.models import Batch, PlanRun
from generation.selectors import results
from generation.services import (
    batches,
    dry_runs,
    idempotency,
    permissions,
    plan_runs,
    request_validation,
)
from wording import say, words_of


@schema_descriptions.GENERATE
class GenerateViewSet(ViewSet):
    """`/api/generate_ai_concept` and what follows it."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {
        "create": [permissions.TO_ASK],
        "retry": [permissions.TO_RETRY],
        "cancel": [permissions.TO_CANCEL],
        "upload": [permissions.TO_UPLOAD],
    }
    #: Of the verbs that take less than a request for plans.
    max_body_bytes: int | None = None
    query_parameters = {"create": ("dry_run",)}

    def create(self, request: Request) -> Response:
        if query_parameters.flag(request, "dry_run"):
            return Response(dry_runs.rehearse(request_validation.read(request.data)))
        key = request.headers.get(idempotency.HEADER)
        made = idempotency.create_once(request.data, key=key, requester=responses.actor(request))
        return responses.created(request, made)

    @action(detail=False, methods=["get"])
    def status(self, request: Request) -> HttpResponse:
        public_id, since = _followed(request)
        return responses.status(request, public_id, since)

    @action(detail=False, methods=["post"])
    def retry(self, request: Request) -> HttpResponse:
        asked = request_serializers.checked(request_serializers.Retry, request)
        batch = selectors.batch(asked["batch_id"])
        given = {key: asked[key] for key in ("params", "workflow_json") if key in asked}
        if "plan" in asked:
            plan_runs.retry_all(_runs(batch, asked), actor=responses.actor(request), **given)
        else:
            batches.retry(batch, actor=responses.actor(request), **given)
        return responses.status(request, batch.public_id)

    @action(detail=False, methods=["post"])
    def cancel(self, request: Request) -> HttpResponse:
        asked = request_serializers.checked(request_serializers.Cancel, request)
        batch = selectors.batch(asked["batch_id"])
        if "plan" in asked:
            plan_runs.cancel_all(_runs(batch, asked), actor=responses.actor(request))
        else:
            batches.cancel(batch, actor=responses.actor(request))
        return responses.status(request, batch.public_id)

    @action(detail=False, methods=["post"])
    def upload(self, request: Request) -> Response:
        asked = request_serializers.checked(request_serializers.Upload, request)
        batch = selectors.batch(asked["batch_id"])
        run = _runs(batch, asked)[0]
        content = content_of(asked["file"])
        version = plan_runs.upload(
            run, content, filename=asked["file"].name, actor=responses.actor(request)
        )
        shown = results.version(version.pk)
        shape = VersionShape(shown, context={"origin": responses.origin(request)})
        return Response(shape.data, HTTPStatus.CREATED)


def _runs(batch: Batch, asked: Mapping[str, Any]) -> list[PlanRun]:
    return plan_runs.find(batch, asked["sequence_id"], asked["plan"], asked.get("variation"))


def _followed(request: Request) -> tuple[str, int | None]:
    given = request.query_params
    problems = [
        Problem(
            f"{name:.64}", "unknown_parameter", say("Unknown parameter. Known: batch_id, since.")
        )
        for name in given
        if name not in {"batch_id", "since"}
    ]
    if not given.get("batch_id"):
        problems.insert(0, Problem("batch_id", "required", say("batch_id is required.")))
    since: int | None = None
    try:
        since = filters.whole_number(given["since"]) if "since" in given else None
    except filters.UnusableValue as error:
        problems.append(Problem("since", "invalid", words_of(error)))
    if problems:
        raise InvalidRequest(problems)
    return given["batch_id"], since
