"""Storyboards over HTTP: given, looked at, corrected, confirmed; and their pictures."""

import re
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from generation import image_decoding, safe_open, signed_urls, storage, thumbnails
from generation.api import filters, request_serializers, responses
from generation.api.filters import Filter, Filters
from generation.api.mime_types import CONTENT_TYPES
from generation.api.parsers import FORM_OVERHEAD_BYTES, StrictJSONParser
from generation.api.permission_classes import Takes
from generation.errors import NotFound
from storyboards.api import descriptions, storyboard_serializers
from storyboards.models import StoryboardImport
from storyboards.selectors import documents, drafts
from storyboards.services import confirmation, editing, intake, reading_queue
from wording import say

FORM_BYTES = intake.MAX_BYTES + FORM_OVERHEAD_BYTES
_PICTURE = re.compile(r"([0-9a-f]{1,32})\.([0-9a-f]{64}\.[a-z]{2,4})\.([0-9]{1,4})")


@descriptions.STORYBOARDS
class StoryboardViewSet(GenericViewSet[StoryboardImport]):
    """`/api/storyboards` and what is below it."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {
        "create": [intake.TO_SEND],
        "change_boards": [editing.TO_CORRECT],
        "confirm": [confirmation.TO_CONFIRM],
        "destroy": [intake.TO_DELETE],
    }
    max_body_bytes: int | None = None
    query_parameters: ClassVar[dict[str, tuple[str, ...]]] = {
        "change_boards": ("boards",),
        "confirm": ("boards",),
    }
    filter_backends = [Filters]
    filters: ClassVar[dict[str, Filter]] = {
        "project_id": filters.text("project_code"),
        "season": filters.text("season"),
        "episode": filters.text("episode_code"),
        "state": filters.text("state"),
    }

    def get_queryset(self) -> QuerySet[StoryboardImport]:
        return StoryboardImport.objects.select_related("created_by", "confirmed_by")

    def list(self, _request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([documents.listed(each) for each in page or []])

    def create(self, request: Request) -> Response:
        asked = request_serializers.checked(storyboard_serializers.NewStoryboard, request)
        file = asked.pop("file")
        made = intake.take(
            file.chunks(), filename=file.name, actor=responses.actor(request), **asked
        )
        place = reverse("storyboards-one", args=[made.public_id])
        return Response(
            documents.listed(made),
            HTTPStatus.ACCEPTED,
            headers={"Location": f"{responses.origin(request)}{place}"},
        )

    def retrieve(self, request: Request, storyboard_id: str) -> Response:
        return self._shown(request, drafts.find(storyboard_id))

    @action(detail=True, methods=["patch"])
    def change_boards(self, request: Request, storyboard_id: str) -> Response:
        asked = request_serializers.checked(storyboard_serializers.Boards, request)
        storyboard_serializers.positions(request.query_params.get("boards"))
        found = drafts.find(storyboard_id)
        editing.change(
            found, asked["boards"], revision=asked.get("revision"), actor=responses.actor(request)
        )
        return self._shown(request, drafts.find(storyboard_id))

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, storyboard_id: str) -> Response:
        asked = request_serializers.checked(storyboard_serializers.Confirm, request)
        storyboard_serializers.positions(request.query_params.get("boards"))
        confirmed = confirmation.confirm(
            drafts.find(storyboard_id),
            revision=asked.get("revision"),
            actor=responses.actor(request),
        )
        return self._shown(request, confirmed)

    def destroy(self, request: Request, storyboard_id: str) -> Response:
        intake.delete(drafts.find(storyboard_id), actor=responses.actor(request))
        return Response(status=HTTPStatus.NO_CONTENT)

    def _shown(self, request: Request, of: StoryboardImport) -> Response:
        positions = storyboard_serializers.positions(request.query_params.get("boards"))
        origin = responses.origin(request)
        return Response(documents.import_with_boards(of, origin=origin, positions=positions))


@descriptions.PICTURE
class PictureView(APIView):
    """A board's picture, by an address that was signed for a while."""

    http_method_names = ["get", "head", "options"]
    permission_classes = [AllowAny]

    def perform_content_negotiation(self, request: Request, *_: Any, **__: Any) -> Any:
        # A browser asks for images; the answer is one, whatever else it would rather have.
        return super().perform_content_negotiation(request, force=True)

    def get(self, _request: Request, signed: str) -> HttpResponse:
        parts = _PICTURE.fullmatch(signed_urls.verified(signed, documents.PICTURES))
        if parts is None:
            raise NotFound(say("There is no such picture."), code="unknown_picture")
        of, name, width_px = drafts.find(parts[1]), parts[2], int(parts[3])
        content, content_type = _content(of, name, width_px)
        headers = {
            "Cache-Control": f"private, max-age={settings.MADSEA_FILE_LINK_S}, immutable",
            "X-Content-Type-Options": "nosniff",
            # Whatever a file is, it is no page that does anything.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return HttpResponse(content, content_type=content_type, headers=headers)


def _content(of: StoryboardImport, name: str, width_px: int) -> tuple[bytes, str]:
    try:
        with safe_open.open_file(storage.root(), reading_queue.picture_file(of, name)) as handle:
            content = handle.read(settings.MADSEA_IMAGE_MAX_BYTES)
    except FileNotFoundError:
        raise NotFound(say("The picture is no longer on disk."), code="file_missing") from None
    if width_px:
        return image_decoding.reduce(content, width_px)[0], thumbnails.CONTENT_TYPE
    return content, CONTENT_TYPES[name.rpartition(".")[2]]
