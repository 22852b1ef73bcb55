"""What a guest's browser keeps of a link: a signed cookie, sent to the link's own pages alone."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from review.models import ReviewLink

NAME = "madsea_guest"
#: So much of the token's hash ties a cookie to its link.
_HASH_LENGTH = 32


@dataclass(frozen=True)
class GuestEntry:
    """How far a guest has come in: past the password, where the link has one, and under a name."""

    is_unlocked: bool = False
    name: str = ""


def read(request: HttpRequest, link: ReviewLink) -> GuestEntry | None:
    """Return how far the guest of a request has come in by a link; None: not at all."""
    try:
        signed_entry: dict[str, Any] = signing.loads(
            request.COOKIES.get(NAME, ""), salt=_salt(link)
        )
    except signing.BadSignature:
        return None
    if signed_entry["hash"] != link.token_hash[:_HASH_LENGTH]:
        return None
    return GuestEntry(signed_entry["is_unlocked"] or not link.password, signed_entry["name"])


def write(response: HttpResponse, link: ReviewLink, entry: GuestEntry) -> None:
    """Have the browser keep how far its guest has come in, as long as the link is good."""
    kept = {
        "hash": link.token_hash[:_HASH_LENGTH],
        "is_unlocked": entry.is_unlocked,
        "name": entry.name,
    }
    response.set_cookie(
        NAME,
        signing.dumps(kept, salt=_salt(link), compress=True),
        max_age=max(0, int((link.expires_at - timezone.now()).total_seconds())),
        path=reverse("guest-cards", args=[link.pk]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # Not strict: whoever comes from a mail is led on from there.
        samesite="Lax",
    )


def _salt(link: ReviewLink) -> str:
    return f"review.guest.{link.pk}"
