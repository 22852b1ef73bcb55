"""A request sent twice under the client's own key is done once, and gets one answer."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Batch, IdempotencyKey
from generation.services import batches, permissions, requested_workflows
from generation.services.request_validation import BatchRequest, read
from generation.workflows.parameters import shown
from wording import say

HEADER = "Idempotency-Key"
KEY = re.compile(r"[ -~]{1,255}")
N_DIFFERENCES = 5
#: Old keys are deleted together, once the oldest is this long over its time.
SWEEP_EVERY = timedelta(minutes=10)

_ABSENT = object()


@dataclass(frozen=True)
class Created:
    """A batch, and whether an earlier request with the same key has made it."""

    batch: Batch
    replayed: bool


@dataclass(frozen=True)
class Answered:
    """What is answered, and whether an earlier request with the same key was answered so."""

    answer: Any
    replayed: bool


def create_once(payload: object, *, key: str | None, requester: User) -> Created:
    """Make the batch that a payload asks for, unless this key of the requester has made it.

    Raises:
        InvalidRequest, Conflict: see `make_once`.
    """
    return make_once(payload, lambda: read(payload), key=key, requester=requester)


def make_once(
    payload: object, request: Callable[[], BatchRequest], *, key: str | None, requester: User
) -> Created:
    """Make the batch of a request, unless this key of the requester has made it.

    Without a key each call makes a batch. A refused request leaves no key behind. `request` reads
    the payload, which says what is asked for, and of what.

    Raises:
        Forbidden: who asks may not.
        InvalidRequest: the payload cannot be taken, or the key is no key.
        Conflict: the key came with another payload before.
    """
    permissions.require(requester, *permissions.TO_ASK)
    if key is None:
        return Created(batches.create(request(), requester=requester), replayed=False)
    wanted = _wanted(payload, IdempotencyKey.BATCH, key, requester)
    known = _remembered(wanted)
    is_new = False
    if known is None:
        # Read before the transaction begins: it opens the workflow's file.
        read_request = request()

        def make(row: IdempotencyKey) -> None:
            row.batch = batches.create(read_request, requester=requester)

        known, is_new = _take(wanted, make)
    _refuse_another(known, wanted)
    return Created(cast(Batch, known.batch), replayed=not is_new)


def answer_once(
    payload: object, answer: Callable[[], Any], *, kind: str, key: str | None, requester: User
) -> Answered:
    """Do what a request asks for, unless this key of the requester has done it.

    `answer` does it, and returns what is answered, as JSON has it; with a key in the transaction
    that keeps both. A refused request leaves no key behind.

    Raises:
        InvalidRequest: the key is no key.
        Conflict: the key came with another request before.
    """
    if key is None:
        return Answered(answer(), replayed=False)
    wanted = _wanted(payload, kind, key, requester)
    known = _remembered(wanted)
    is_new = False
    if known is None:

        def make(row: IdempotencyKey) -> None:
            row.answer = answer()

        known, is_new = _take(wanted, make)
    _refuse_another(known, wanted)
    return Answered(known.answer, replayed=not is_new)


def _wanted(payload: object, kind: str, key: str, requester: User) -> IdempotencyKey:
    _check(key)
    return IdempotencyKey(
        user=requester, key=key, payload=payload, fingerprint=fingerprint(payload), kind=kind
    )


def _check(key: str) -> None:
    if not KEY.fullmatch(key):
        detail = say("Expected 1 to 255 printable ASCII characters.")
        raise InvalidRequest([Problem(HEADER, "invalid_idempotency_key", detail)])


def fingerprint(payload: object) -> str:
    """Return the SHA-256 of a decoded JSON payload, whatever the order of its keys."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _remembered(wanted: IdempotencyKey) -> IdempotencyKey | None:
    rows = IdempotencyKey.objects.filter(user=wanted.user, key=wanted.key)
    row = rows.select_related("batch").first()
    if row and row.created_at < _oldest():
        rows.filter(pk=row.pk).delete()
        return None
    return row


def _take(
    wanted: IdempotencyKey, make: Callable[[IdempotencyKey], None]
) -> tuple[IdempotencyKey, bool]:
    """Take the key and do what it is for; or wait for who does so at this moment: return theirs."""
    with transaction.atomic():
        given = {name: getattr(wanted, name) for name in ("payload", "fingerprint", "kind")}
        row, is_new = IdempotencyKey.objects.select_related("batch").get_or_create(
            user=wanted.user, key=wanted.key, defaults=given
        )
        if is_new:
            make(row)
            row.save(update_fields=["batch", "answer"])
    return row, is_new


def _refuse_another(known: IdempotencyKey, wanted: IdempotencyKey) -> None:
    if (known.kind, known.fingerprint) == (wanted.kind, wanted.fingerprint):
        return
    found = list(islice(differences(known.payload, wanted.payload), N_DIFFERENCES + 1))
    told = [*found[:N_DIFFERENCES], *(["…"] if found[N_DIFFERENCES:] else [])]
    what = "; ".join(told) or _otherwise(known, wanted)
    raise Conflict(
        say(
            "This key came with another request before ({what}). Send this one with a "
            "new key, or that one unchanged.",
            what=what,
        ),
        code="idempotency_mismatch",
        attr=HEADER,
    )


def _otherwise(known: IdempotencyKey, wanted: IdempotencyKey) -> str:
    """Return how requests differ whose bodies do not."""
    another = say(
        "it was for {kind}, this one is for {wanted}", kind=known.kind, wanted=wanted.kind
    )
    return say("a number is written in another way") if known.kind == wanted.kind else another


def differences(first: object, second: object, place: str = "") -> Iterator[str]:
    """Yield where two decoded JSON values differ, as `params.steps: 30 → 20`, in order."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*second, *(key for key in first if key not in second)]:
            below = _below(place, requested_workflows.printable_key(key))
            yield from differences(first.get(key, _ABSENT), second.get(key, _ABSENT), below)
    elif isinstance(first, list) and isinstance(second, list):
        for index, pair in enumerate(zip_longest(first, second, fillvalue=_ABSENT)):
            yield from differences(*pair, _below(place, str(index)))
    elif type(first) is not type(second) or first != second:
        yield say(
            "{place}: {before} → {after}",
            place=place or "the body",
            before=_told(first),
            after=_told(second),
        )


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _told(value: object) -> str:
    return "absent" if value is _ABSENT else shown(value)


def forget_old() -> int:
    """Delete the keys whose time is over, many at once; return how many."""
    overdue = IdempotencyKey.objects.filter(created_at__lt=_oldest() - SWEEP_EVERY)
    if not overdue.exists():
        return 0
    return IdempotencyKey.objects.filter(created_at__lt=_oldest()).delete()[0]


def _oldest() -> datetime:
    return timezone.now() - timedelta(hours=settings.MADSEA_IDEMPOTENCY_H)
