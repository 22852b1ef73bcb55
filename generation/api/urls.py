"""The addresses of the API; each is good with and without a slash at its end."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from generation.api import guide, viewsets
from generation.api.errors import no_such_address
from generation.api.event_streams import EventsView
from generation.api.files import FileView
from generation.api.generate_endpoints import GenerateViewSet
from generation.api.panels import PanelViewSet
from generation.api.parsers import BoundedMultiPartParser
from generation.api.recipes import RecipeViewSet, RerunViewSet, VersionRecipeViewSet
from generation.api.route_builders import CREATE, IDS, LIST, ONE, ROUTES, View, both, rows
from generation.api.tokens import TokenViewSet
from generation.api.workflows import WorkflowViewSet

_GENERATE = "generate_ai_concept"
_HOOKS = {"PREPROCESSING_HOOKS": ["generation.api.schema_descriptions.one_of_each"]}


def _verb(name: str, **options: Any) -> View:
    return GenerateViewSet.as_view({"post": name}, **options)


_schema = SpectacularAPIView.as_view(permission_classes=[IsAuthenticated], custom_settings=_HOOKS)
_swagger = login_required(SpectacularSwaggerView.as_view(url_name="schema"))
_redoc = login_required(SpectacularRedocView.as_view(url_name="schema"))

urlpatterns: list[URLPattern | URLResolver] = [
    *both(_GENERATE, GenerateViewSet.as_view(CREATE), "generate"),
    *both(f"{_GENERATE}/status", GenerateViewSet.as_view({"get": "status"}), "status"),
    *both(f"{_GENERATE}/retry", _verb("retry", max_body_bytes=2**20), "retry"),
    *both(f"{_GENERATE}/cancel", _verb("cancel", max_body_bytes=8 * 2**10), "cancel"),
    *both(
        f"{_GENERATE}/upload", _verb("upload", parser_classes=[BoundedMultiPartParser]), "upload"
    ),
    *both("panels", PanelViewSet.as_view(CREATE), "panels"),
    *both("token", TokenViewSet.as_view(CREATE), "token"),
    *rows("projects", viewsets.ProjectViewSet, "str:project_id"),
    *rows("episodes", viewsets.EpisodeViewSet, IDS),
    *rows("sequences", viewsets.SequenceViewSet, IDS),
    *both("plans", viewsets.PlanViewSet.as_view(LIST), "plans"),
    *both(
        f"plans/<{IDS}>",
        viewsets.PlanViewSet.as_view(ONE | {"patch": "partial_update"}),
        "plans-one",
    ),
    *both(f"plans/<{IDS}>/texts", viewsets.PlanTextsViewSet.as_view(LIST), "plan-texts"),
    *both("batches", viewsets.BatchViewSet.as_view(LIST), "batches"),
    *both(
        "batches/<str:batch_id>",
        viewsets.BatchViewSet.as_view(ONE | {"patch": "partial_update"}),
        "batches-one",
    ),
    *both("batches/<str:batch_id>/logs", viewsets.LogViewSet.as_view(LIST), "logs"),
    *both("versions", viewsets.VersionViewSet.as_view(LIST), "versions"),
    *both(f"versions/<{IDS}>", viewsets.VersionViewSet.as_view(ONE), "version"),
    *both(f"versions/<{IDS}>/recipe", VersionRecipeViewSet.as_view(ONE), "recipe"),
    *both(f"versions/<{IDS}>/rerun", RerunViewSet.as_view(CREATE), "rerun"),
    *both(
        "recipes/lookup",
        RecipeViewSet.as_view(CREATE, parser_classes=[BoundedMultiPartParser]),
        "recipe-lookup",
    ),
    *both("recipes/<str:sha256>", RecipeViewSet.as_view(ONE), "recipe-by-hash"),
    *both("events", EventsView.as_view(), "events"),
    *both("queue", viewsets.QueueViewSet.as_view(LIST), "queue"),
    *rows("styles", viewsets.StyleViewSet, "str:style"),
    *rows("servers", viewsets.ServerViewSet, IDS),
    *both(
        "workflows",
        WorkflowViewSet.as_view(LIST | CREATE, parser_classes=[BoundedMultiPartParser]),
        "workflows",
    ),
    *both(
        "workflows/<str:name>",
        WorkflowViewSet.as_view(ONE | {"patch": "partial_update"}),
        "workflows-one",
    ),
    *both("workflows/<str:name>/graph", WorkflowViewSet.as_view({"get": "graph"}), "graph"),
    *both("schema", _schema, "schema"),
    *both("docs", _swagger, "docs"),
    *both("redoc", _redoc, "redoc"),
    *both("guide", login_required(guide.show), "guide"),
    path("files/<str:signed>/<str:filename>", FileView.as_view(), name="file"),
    path("", include(ROUTES)),
    # Also with DEBUG on, where Django would answer a page of its own.
    re_path(r"^(api|files)(/.*)?$", no_such_address),
]
