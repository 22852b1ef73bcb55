"""Files and thumbnails: for who is signed in, or by an address that was signed for a while."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from generation import showable_files, signed_urls, storage, thumbnails
from generation.api import responses, schema_descriptions
from generation.api.filters import ID, UnusableValue, whole_number
from generation.api.mime_types import CONTENT_TYPES
from generation.errors import NotFound, Refusal
from generation.models import Version
from generation.selectors import results
from generation.services import volumes
from wording import say, words_of


@schema_descriptions.FILES
class FileView(APIView):
    """`/files/<version id or signed>/<filename>`; `?w=` asks for a thumbnail."""

    http_method_names = ["get", "head", "options"]

    def get_permissions(self) -> list[BasePermission]:
        return [IsAuthenticated() if _is_id(self.kwargs.get("signed", "")) else AllowAny()]

    def perform_content_negotiation(
        self, request: Request, *_: object, **__: object
    ) -> tuple[BaseRenderer, str]:
        # A browser asks for images; the answer is one, whatever else it would rather have.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, signed: str, filename: str) -> HttpResponse:
        version_id, width_px = _asked(request, signed)
        version = results.version(version_id)
        if str(version) != filename:
            raise NotFound(
                say("File {version_id} has another name.", version_id=version_id),
                code="unknown_version",
            )
        return answer(request, version, width_px, max_age_s=settings.MADSEA_FILE_LINK_S)


def _is_id(text: str) -> bool:
    """Tell an id, for which one has to be signed in, from what was signed."""
    return re.fullmatch(ID, text, re.ASCII) is not None


def _asked(request: Request, signed: str) -> tuple[int, int | None]:
    version_id, width_px = (int(signed), None) if _is_id(signed) else signed_urls.verify(signed)
    wanted = request.query_params.get("w")
    if width_px is not None or wanted is None:
        return version_id, width_px
    try:
        return version_id, whole_number(wanted)
    except UnusableValue as error:
        raise Refusal(words_of(error), attr="w") from None


def answer(
    request: Request | HttpRequest, version: Version, width_px: int | None, *, max_age_s: int
) -> HttpResponse:
    """Answer a version's file, or its small picture of that width; browsers keep it so long.

    Raises:
        Refusal: no small pictures of this width are made.
        NotFound: it is gone, or cannot be shown.
        Busy: it is not made yet, or the file cannot be read at this moment.
    """
    suffix = f"-{width_px}-{thumbnails.SERIES}" if width_px else ""
    headers = {
        "ETag": f'"{version.shown_sha256}{suffix}"',
        # A published file never changes; its address is what expires.
        "Cache-Control": f"private, max-age={max_age_s}, immutable",
        "X-Content-Type-Options": "nosniff",
        # Whatever a file is, it is no page that does anything.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f'inline; filename="{version}"',
    }
    if _has_it(request, headers["ETag"]):
        return responses.not_modified(headers)
    try:
        content, content_type = _content(version, width_px)
    except NotFound:
        # What is not mounted is not gone.
        volumes.check(version.path)
        raise
    return HttpResponse(content, content_type=content_type, headers=headers)


def _has_it(request: Request | HttpRequest, tag: str) -> bool:
    seen = request.headers.get("If-None-Match", "")
    return tag in (one.strip().removeprefix("W/") for one in seen.split(","))


def _content(version: Version, width_px: int | None) -> tuple[bytes, str]:
    # Whole, not streamed: under ASGI a synchronous stream would be gathered in memory anyway.
    try:
        if width_px is not None:
            return thumbnails.thumbnail(version, width_px), thumbnails.CONTENT_TYPE
        return showable_files.content(version), CONTENT_TYPES[version.extension]
    except showable_files.NotShowable as error:
        raise NotFound(error.detail, code=error.code) from None
    except storage.FolderGone:
        # A share that is away comes back.
        raise
    except storage.FileGone:
        raise NotFound(
            say("{version} is no longer on disk.", version=version), code="file_missing"
        ) from None
