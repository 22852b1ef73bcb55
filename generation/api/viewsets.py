"""What a frontend reads: the production tree, batches (and steers), logs, the queue, servers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from generation import selectors
from generation.api import filters, request_serializers, responses, schema_descriptions, serializers
from generation.api.filters import Filter
from generation.api.pagination import Pages
from generation.api.parsers import StrictJSONParser
from generation.api.permission_classes import Takes
from generation.events import LEVELS
from generation.models import (
    Batch,
    Episode,
    LogEntry,
    Plan,
    PlanTextChange,
    Project,
    Sequence,
    Server,
    Style,
    Version,
)
from generation.picture_checks import CHECKS
from generation.selectors import (
    batches,
    expected_ends,
    findings,
    logs,
    production,
    render_queue,
    results,
    servers,
)
from generation.selectors.logs import moment
from generation.services import batch_controls, permissions, plan_attributes
from generation.states import PlanStatus, ReviewState, RunState


class Reads(ListModelMixin, RetrieveModelMixin, GenericViewSet[Any]):
    """A list and each of its rows."""

    filter_backends = (filters.Filters,)
    filters: ClassVar[Mapping[str, Filter]] = {}

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "origin": responses.origin(self.request)}


@schema_descriptions.reads("projects", "a project")
class ProjectViewSet(Reads):
    serializer_class = serializers.ProjectShape
    lookup_field = "code"
    lookup_url_kwarg = "project_id"

    def get_queryset(self) -> QuerySet[Project]:
        return production.projects()


@schema_descriptions.reads("episodes", "an episode")
class EpisodeViewSet(Reads):
    serializer_class = serializers.EpisodeShape
    filters = {
        "project_id": filters.text("project__code"),
        "season": filters.text("season"),
        "episode": filters.text("code"),
    }

    def get_queryset(self) -> QuerySet[Episode]:
        return production.episodes()


@schema_descriptions.reads("sequences", "a sequence")
class SequenceViewSet(Reads):
    serializer_class = serializers.SequenceShape
    filters = {
        "project_id": filters.text("episode__project__code"),
        "season": filters.text("episode__season"),
        "episode": filters.text("episode__code"),
        "sequence_id": filters.text("code"),
    }

    def get_queryset(self) -> QuerySet[Sequence]:
        return production.sequences()


@schema_descriptions.PLANS
class PlanViewSet(Reads):
    """Plans with what is known of them and their published versions, newest first in a task."""

    parser_classes = [StrictJSONParser]
    max_body_bytes = 256 * 2**10
    takes: ClassVar[Takes] = {"partial_update": [permissions.TO_WRITE]}
    serializer_class = serializers.PlanShape
    filters = {
        "project_id": filters.text("sequence__episode__project__code"),
        "season": filters.text("sequence__episode__season"),
        "episode": filters.text("sequence__episode__code"),
        "sequence_id": filters.text("sequence__code"),
        "plan": filters.text("code"),
        "status": filters.choice({state.value: Q(last_state=state.value) for state in RunState}),
        "production_status": filters.choice(
            {each.value: Q(production_status=each.value) for each in PlanStatus}
        ),
        "review_state": filters.choice(
            {each.value: Q(review_state=each.value) for each in ReviewState}
        ),
        "label": filters.text("label"),
        "storyboard_uid": filters.text("storyboard_uid"),
        "style": filters.text("style__code"),
        "search": filters.words(production.texts_condition),
    }

    def get_queryset(self) -> QuerySet[Plan]:
        return production.plans()

    def partial_update(self, request: Request, **_: str) -> Response:
        asked = request_serializers.checked(request_serializers.PlanTexts, request)
        revision = asked.pop("text_revision", None)
        by = responses.actor(request)
        plan_attributes.write(self.get_object(), asked, by=by, source="api", revision=revision)
        return Response(self.get_serializer(self.get_object()).data)


@schema_descriptions.PLAN_TEXTS
class PlanTextsViewSet(ListModelMixin, GenericViewSet[PlanTextChange]):
    """What was changed of a plan, the newest first."""

    serializer_class = serializers.PlanTextChangeShape
    filter_backends = (filters.Filters,)

    def get_queryset(self) -> QuerySet[PlanTextChange]:
        return production.text_changes(int(self.kwargs["pk"]))


@schema_descriptions.VERSION
class VersionViewSet(Reads):
    """Published files, the newest first, with fresh addresses."""

    serializer_class = serializers.VersionShape
    filters = {
        "project_id": filters.text("plan__sequence__episode__project__code"),
        "season": filters.text("plan__sequence__episode__season"),
        "episode": filters.text("plan__sequence__episode__code"),
        "sequence_id": filters.text("plan__sequence__code"),
        "plan": filters.text("plan__code"),
        "plan_id": filters.number("plan"),
        "task": filters.text("task"),
        "batch_id": filters.text("batch__public_id"),
        "finding": filters.looked_up([findings.ANY, *CHECKS], findings.finding_condition),
        "review_state": filters.choice(
            {each.value: Q(review_state=each.value) for each in ReviewState}
        ),
    }

    def get_queryset(self) -> QuerySet[Version]:
        return results.versions()

    def get_object(self) -> Version:
        return results.version(int(self.kwargs["pk"]))


@schema_descriptions.BATCHES
class BatchViewSet(Reads):
    """Batches, newest first."""

    parser_classes = [StrictJSONParser]
    max_body_bytes = 8 * 2**10
    takes: ClassVar[Takes] = {"partial_update": [permissions.TO_STEER]}
    serializer_class = serializers.BatchShape
    lookup_field = "public_id"
    lookup_url_kwarg = "batch_id"
    filters = {
        "project_id": filters.text("episode__project__code"),
        "season": filters.text("episode__season"),
        "episode": filters.text("episode__code"),
        "style": filters.text("style__code"),
        "mode": filters.text("mode"),
        "status": filters.choice({state.value: q for state, q in batches.IN_STATE.items()}),
        "requested_by": filters.text("requested_by__username"),
        "date": filters.day("created_at"),
        "date_from": filters.from_day("created_at"),
        "date_to": filters.to_day("created_at"),
    }

    def get_queryset(self) -> QuerySet[Batch]:
        return batches.listed()

    def get_object(self) -> Batch:
        return batches.one(self.get_queryset(), self.kwargs["batch_id"])

    def partial_update(self, request: Request, **_: str) -> Response:
        asked = request_serializers.checked(request_serializers.Steer, request)
        batch_controls.steer(
            self.get_object(),
            actor=responses.actor(request),
            priority=asked.get("priority"),
            is_paused=asked.get("paused"),
            max_tries=asked.get("max_tries"),
            name=asked.get("name"),
        )
        return Response(self.get_serializer(self.get_object()).data)


@schema_descriptions.LOGS
class LogViewSet(ListModelMixin, GenericViewSet[LogEntry]):
    """All log entries of a batch, oldest first."""

    serializer_class = serializers.LogShape
    filter_backends = (filters.Filters,)
    filters: ClassVar[Mapping[str, Filter]] = {
        "level": filters.choice({level: Q(level=level) for level in LEVELS}),
        "event": filters.text("event"),
        "sequence_id": filters.text("run__plan__sequence__code"),
        "plan": filters.text("run__plan__code"),
        "since": filters.number("revision", "__gt"),
    }

    def get_queryset(self) -> QuerySet[LogEntry]:
        batch = selectors.batch(self.kwargs["batch_id"])
        return logs.of_batch(batch.pk).select_related("batch", "run__plan__sequence")


@schema_descriptions.QUEUE
class QueueViewSet(ViewSet):
    """Every plan that waits for a server, in the order of its turn."""

    def list(self, request: Request) -> Response:
        filters.condition(request, {"batch_id": filters.text("batch__public_id")})
        asked = request.query_params.get("batch_id")
        places: Any = selectors.queue(selectors.batch(asked) if asked else None)
        pages = Pages()
        page: Any = pages.paginate_queryset(places, request, self)
        told = expected_ends.RECENT.recent()
        ends = {pk: expected.at for pk, expected in told.runs.items()}
        shown = render_queue.lines(page, ends)
        answer = pages.get_paginated_response(shown.lines)
        answer.data["reasons"] = shown.reasons
        answer.data["expected_end"] = (
            moment(told.queue.at) if told.queue and told.queue.at else None
        )
        return answer


@schema_descriptions.reads("styles", "a style")
class StyleViewSet(Reads):
    serializer_class = serializers.StyleShape
    lookup_field = "code"
    lookup_url_kwarg = "style"
    queryset = Style.objects.filter(is_active=True)


@schema_descriptions.reads("servers", "a server")
class ServerViewSet(Reads):
    serializer_class = serializers.ServerShape

    def get_queryset(self) -> QuerySet[Server]:
        return servers.servers()
