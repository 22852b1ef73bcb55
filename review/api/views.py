"""Decisions about versions over HTTP, taken and read; and the retakes that follow from them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from generation.api import filters, query_parameters, request_serializers, responses
from generation.api.filters import Filter, Filters
from generation.api.parsers import StrictJSONParser
from generation.api.permission_classes import Takes
from generation.models import Version
from generation.services import idempotency
from review.api import descriptions, review_serializers, table_documents
from review.models import Review
from review.selectors import retakes, reviews
from review.services import decisions, retake_preview, review_tables
from review.services import retakes as retake_batches
from review.services.decisions import Reviewer
from review.states import Decision, Door

#: What keys stand for.
REVIEWS, RETAKES = "reviews", "retakes"


@descriptions.REVIEWS
class ReviewViewSet(GenericViewSet[Review]):
    """`/api/reviews`."""

    parser_classes = [StrictJSONParser]
    max_body_bytes = 4 * 2**20
    takes: ClassVar[Takes] = {
        "create": [decisions.TO_DECIDE, decisions.TO_COMMENT],
        "read_table": [decisions.TO_DECIDE],
    }
    filter_backends = [Filters]
    filters: ClassVar[dict[str, Filter]] = {
        "version": filters.number("version"),
        "plan_id": filters.number("version__plan"),
        "episode_id": filters.number("version__plan__sequence__episode"),
        "decision": filters.choice({each.value: Q(decision=each.value) for each in Decision}),
        "by": filters.words(lambda name: Q(by__username=name, guest="") | Q(guest=name)),
        "date": filters.day("made_at"),
        "date_from": filters.from_day("made_at"),
        "date_to": filters.to_day("made_at"),
    }

    query_parameters: ClassVar[dict[str, tuple[str, ...]]] = {"read_table": ("dry_run",)}

    def get_queryset(self) -> QuerySet[Review]:
        return reviews.listed()

    def list(self, _request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([reviews.document(each) for each in page or []])

    def create(self, request: Request) -> Response:
        sent = request_serializers.checked(review_serializers.Reviews, request)
        asked = [review_serializers.asked_decision(each) for each in sent["reviews"]]
        user = responses.actor(request)

        def answer() -> dict[str, Any]:
            made = decisions.decide(asked, by=Reviewer(user), door=_door(request))
            return {"reviews": [reviews.document(each) for each in made]}

        return _once(request, REVIEWS, answer)

    @action(detail=False, methods=["post"])
    def read_table(self, request: Request) -> Response:
        sent = request_serializers.checked(review_serializers.DecisionTable, request)
        content = sent["file"].read(review_tables.MAX_BYTES + 1)
        is_dry = query_parameters.flag(request, "dry_run")
        act = review_tables.read if is_dry else review_tables.take
        found = act(content, by=Reviewer(responses.actor(request)))
        return Response(table_documents.document(found, dry_run=is_dry))


@descriptions.RETAKES
class RetakeViewSet(GenericViewSet[Version]):
    """`/api/retakes`."""

    parser_classes = [StrictJSONParser]
    max_body_bytes = 16 * 2**20
    takes: ClassVar[Takes] = {"create": [retake_batches.TO_START]}
    filter_backends = [Filters]
    filters: ClassVar[dict[str, Filter]] = {
        "project_id": filters.text("plan__sequence__episode__project__code"),
        "season": filters.text("plan__sequence__episode__season"),
        "episode": filters.text("plan__sequence__episode__code"),
        "episode_id": filters.number("plan__sequence__episode"),
        "sequence_id": filters.text("plan__sequence__code"),
        "plan": filters.text("plan__code"),
    }

    def get_queryset(self) -> QuerySet[Version]:
        return retakes.to_make()

    def list(self, _request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(retake_preview.documents(page or []))

    def create(self, request: Request) -> Response:
        sent = request_serializers.checked(review_serializers.Retakes, request)
        user = responses.actor(request)

        def answer() -> dict[str, Any]:
            made = retake_batches.start(
                [review_serializers.wanted_retake(each) for each in sent["retakes"]],
                variations=sent.get("variations", 1),
                name=sent.get("name", ""),
                requester=user,
            )
            return {"batches": [retake_preview.started_document(batch) for batch in made]}

        return _once(request, RETAKES, answer)


def _once(request: Request, kind: str, answer: Callable[[], dict[str, Any]]) -> Response:
    """Answer 201 with what was done, or was by a request with the same key before."""
    done = idempotency.answer_once(
        request.data,
        answer,
        kind=kind,
        key=request.headers.get(idempotency.HEADER),
        requester=responses.actor(request),
    )
    headers = {"Idempotent-Replayed": "true"} if done.replayed else {}
    return Response(done.answer, HTTPStatus.CREATED, headers=headers)


def _door(request: Request) -> Door:
    """Return where a decision comes in: a session is that of a page, which is the light table."""
    is_page = isinstance(request.successful_authenticator, SessionAuthentication)
    return Door.TABLE if is_page else Door.API
