"""What people did: one row for each act that changed something, in the act's own transaction.

A library that listens to `save` would miss what is changed by an UPDATE of many rows.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from generation.models import Act

CONSOLE = "the console"


def record(
    verb: str,
    target: Model,
    *,
    by: User | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Act:
    """Write down that somebody did something, where it is done."""
    act = unsaved_act(verb, target, by=by, before=before, after=after, reason=reason)
    act.save()
    return act


def unsaved_act(
    verb: str,
    target: Model,
    *,
    by: User | None,
    guest: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Act:
    """Return an act that is to be written together with others; `guest` is who has no account."""
    return Act(
        actor=by,
        actor_name=guest or (by.get_username() if by else CONSOLE),
        verb=verb,
        target_kind=str(target._meta.model_name),  # noqa: SLF001 - how Django names what it is
        target_id=target.pk,
        target=str(target)[:255],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
    )
