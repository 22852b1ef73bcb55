"""`/api/guide`: the guide to the API, as it stands in the documentation."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_FILE = settings.BASE_DIR / "docs" / "api.md"


def show(_request: HttpRequest) -> HttpResponse:
    """Answer it as text that every browser shows."""
    return HttpResponse(_FILE.read_bytes(), content_type="text/plain; charset=utf-8")
