"""The addresses of the API; each is good with and without a slash at its end."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import IntConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from generation.api import guide, viewsets
from generation.api.errors import nowhere
from generation.api.files import FileView
from generation.api.filters import ID
from generation.api.generate_ai_concept import GenerateViewSet
from generation.api.panels import PanelViewSet
from generation.api.parsers import BoundedMultiPartParser
from generation.api.tokens import TokenViewSet
from generation.api.workflows import WorkflowViewSet

View = Callable[..., HttpResponseBase]
_LIST: dict[str, Any] = {"get": "list"}
_ONE: dict[str, Any] = {"get": "retrieve"}
_CREATE: dict[str, Any] = {"post": "create"}
_GENERATE = "generate_ai_concept"
_IDS = "id:pk"
_HOOKS = {"PREPROCESSING_HOOKS": ["generation.api.schema_descriptions.one_of_each"]}


class IdConverter(IntConverter):
    """A number that a row can have; a larger one leads nowhere, as no row has it."""

    regex = ID


register_converter(IdConverter, "id")


def _both(route: str, view: View, name: str) -> list[URLPattern]:
    return [path(f"api/{route}", view, name=name), path(f"api/{route}/", view)]


def _rows(route: str, views: type[Any], key: str) -> list[URLPattern]:
    return [
        *_both(route, views.as_view(_LIST), route),
        *_both(f"{route}/<{key}>", views.as_view(_ONE), f"{route}-one"),
    ]


def _verb(name: str, **options: Any) -> View:
    return GenerateViewSet.as_view({"post": name}, **options)


_schema = SpectacularAPIView.as_view(permission_classes=[IsAuthenticated], custom_settings=_HOOKS)
_swagger = login_required(SpectacularSwaggerView.as_view(url_name="schema"))
_redoc = login_required(SpectacularRedocView.as_view(url_name="schema"))

urlpatterns: list[URLPattern] = [
    *_both(_GENERATE, GenerateViewSet.as_view(_CREATE), "generate"),
    *_both(f"{_GENERATE}/status", GenerateViewSet.as_view({"get": "status"}), "status"),
    *_both(f"{_GENERATE}/retry", _verb("retry", max_body_bytes=2**20), "retry"),
    *_both(f"{_GENERATE}/cancel", _verb("cancel", max_body_bytes=8 * 2**10), "cancel"),
    *_both(
        f"{_GENERATE}/upload", _verb("upload", parser_classes=[BoundedMultiPartParser]), "upload"
    ),
    *_both("panels", PanelViewSet.as_view(_CREATE), "panels"),
    *_both("token", TokenViewSet.as_view(_CREATE), "token"),
    *_rows("projects", viewsets.ProjectViewSet, "str:project_id"),
    *_rows("episodes", viewsets.EpisodeViewSet, _IDS),
    *_rows("sequences", viewsets.SequenceViewSet, _IDS),
    *_rows("plans", viewsets.PlanViewSet, _IDS),
    *_both("batches", viewsets.BatchViewSet.as_view(_LIST), "batches"),
    *_both(
        "batches/<str:batch_id>",
        viewsets.BatchViewSet.as_view(_ONE | {"patch": "partial_update"}),
        "batches-one",
    ),
    *_both("batches/<str:batch_id>/logs", viewsets.LogViewSet.as_view(_LIST), "logs"),
    *_both(f"versions/<{_IDS}>", viewsets.VersionViewSet.as_view(_ONE), "version"),
    *_both("queue", viewsets.QueueViewSet.as_view(_LIST), "queue"),
    *_rows("styles", viewsets.StyleViewSet, "str:style"),
    *_rows("servers", viewsets.ServerViewSet, _IDS),
    *_rows("workflows", WorkflowViewSet, "str:name"),
    *_both("workflows/<str:name>/graph", WorkflowViewSet.as_view({"get": "graph"}), "graph"),
    *_both("schema", _schema, "schema"),
    *_both("docs", _swagger, "docs"),
    *_both("redoc", _redoc, "redoc"),
    *_both("guide", login_required(guide.show), "guide"),
    path("files/<str:signed>/<str:filename>", FileView.as_view(), name="file"),
    # Also with DEBUG on, where Django would answer a page of its own.
    re_path(r"^(api|files)(/.*)?$", nowhere),
]
