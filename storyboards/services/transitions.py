"""Every change of an import's state and lease: filtered on what it must have been before."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from generation.errors import Fenced
from storyboards.models import StoryboardImport
from storyboards.states import ImportState
from wording import say

#: So often a storyboard is tried whose reading was cut off.
TRIES_MAX = 3
#: How long the confirmation of a draft may be silent: its plans are made in one transaction.
CONFIRM_S = 120
CUT_OFF = "cut_off"


def claim_next() -> StoryboardImport | None:
    """Take the lease of the next storyboard that is to be read; None when none waits.

    One that was cut off too often is ended on the way.
    """
    while (waiting := StoryboardImport.objects.waiting(timezone.now()).first()) is not None:
        if waiting.n_tries >= TRIES_MAX:
            detail = say(
                "Its reading was cut off {tries_max} times. Save the file again, and send it.",
                tries_max=TRIES_MAX,
            )
            fail(waiting, {"code": CUT_OFF, "detail": detail, "data": {"tries": TRIES_MAX}})
        elif claim(waiting):
            return waiting
    return None


def claim(found: StoryboardImport) -> bool:
    """Take the lease of an import that is to be read; False when somebody else has it."""
    token, until = uuid4(), _lease_end()
    same = StoryboardImport.objects.waiting(timezone.now()).filter(pk=found.pk)
    if not same.update(
        lease_token=token, lease_until=until, n_tries=F("n_tries") + 1, revision=F("revision") + 1
    ):
        return False
    found.refresh_from_db()
    return found.lease_token == token


def _lease_end(seconds: int | None = None) -> datetime:
    return timezone.now() + timedelta(seconds=seconds or settings.MADSEA_LEASE_S)


def beat_draft(of: StoryboardImport, token: UUID) -> None:
    """Keep the lease of a draft that is being confirmed.

    Raises:
        Fenced: somebody else confirms it now, or it is deleted.
    """
    _write(of, token, (ImportState.DRAFT,), lease_until=_lease_end(CONFIRM_S))


def beat(of: StoryboardImport, token: UUID | None, *, progress_pct: int | None = None) -> None:
    """Keep a lease, and say how far the reading is.

    Raises:
        Fenced: somebody else has it now, or it is deleted.
    """
    wanted: dict[str, Any] = {"lease_until": _lease_end()}
    if progress_pct is not None and progress_pct != of.progress_pct:
        wanted |= {"progress_pct": progress_pct, "revision": F("revision") + 1}
        of.progress_pct = progress_pct
    _write(of, token, (ImportState.READING,), **wanted)


def release(of: StoryboardImport, token: UUID | None) -> None:
    """Give a lease back, so that others may take it; nothing where it is lost already."""
    held = StoryboardImport.objects.filter(pk=of.pk, lease_token=token)
    held.update(lease_token=None, lease_until=None)


def finish_reading(of: StoryboardImport, token: UUID | None, **fields: Any) -> None:
    """Make a draft of an import whose boards are written: in the transaction that writes them.

    Raises:
        Fenced: somebody else reads it now, or it is deleted.
    """
    _write(
        of,
        token,
        (ImportState.READING,),
        state=ImportState.DRAFT,
        progress_pct=100,
        lease_token=None,
        lease_until=None,
        revision=F("revision") + 1,
        **fields,
    )


def fail(of: StoryboardImport, error: dict[str, Any]) -> bool:
    """End an import that cannot be read; False when it is no longer being read."""
    same = StoryboardImport.objects.reading().filter(pk=of.pk, lease_token=of.lease_token)
    return bool(
        same.update(
            state=ImportState.FAILED,
            error=error,
            lease_token=None,
            lease_until=None,
            revision=F("revision") + 1,
        )
    )


def claim_draft(of: StoryboardImport) -> UUID | None:
    """Take the lease of a draft for its confirmation; None when somebody has it, or it is none."""
    token = uuid4()
    drafts = StoryboardImport.objects.drafts().filter(pk=of.pk)
    free = drafts.filter(lease_until=None) | drafts.filter(lease_until__lte=timezone.now())
    return token if free.update(lease_token=token, lease_until=_lease_end(CONFIRM_S)) else None


def confirm(of: StoryboardImport, token: UUID, made: dict[str, int], actor: Any) -> None:
    """Say that the plans of a draft are made.

    Raises:
        Fenced: somebody else confirms it now, or it is deleted.
    """
    _write(
        of,
        token,
        (ImportState.DRAFT,),
        state=ImportState.CONFIRMED,
        made=made,
        confirmed_at=Now(),
        confirmed_by=actor,
        lease_token=None,
        lease_until=None,
        revision=F("revision") + 1,
    )


def touch(of: StoryboardImport) -> bool:
    """Raise the revision of a draft that nobody confirms just now; False when it is none."""
    drafts = StoryboardImport.objects.drafts().filter(pk=of.pk)
    free = drafts.filter(lease_until=None) | drafts.filter(lease_until__lte=timezone.now())
    return bool(free.update(revision=F("revision") + 1))


def _write(
    of: StoryboardImport, token: UUID | None, states: tuple[ImportState, ...], **fields: Any
) -> None:
    held = StoryboardImport.objects.filter(pk=of.pk, lease_token=token, state__in=states)
    if not held.update(**fields):
        raise Fenced
