"""Steering batches from the admin: pause, resume, and the priority as acts and as a field."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from generation.admin import cells
from generation.admin.acts import Act
from generation.errors import Conflict, MadseaError
from generation.models import Batch
from generation.services import steering

STEP = 10


def _pause(batch: Batch, user: User) -> object:
    if batch.paused_at is not None:
        raise Conflict("It is paused already.")
    return steering.pause(batch, actor=user)


def _resume(batch: Batch, user: User) -> object:
    if batch.paused_at is None:
        raise Conflict("It is not paused.")
    return steering.resume(batch, actor=user)


def _raise(batch: Batch, user: User) -> object:
    return _move(batch, min(batch.priority + STEP, steering.PRIORITY_HIGH), user)


def _lower(batch: Batch, user: User) -> object:
    return _move(batch, max(batch.priority - STEP, steering.PRIORITY_LOW), user)


def _move(batch: Batch, priority: int, user: User) -> object:
    if priority == batch.priority:
        raise Conflict(f"Its priority is {priority} already, and goes no further.")
    return steering.set_priority(batch, priority, actor=user)


def _nowhere(_batch: Batch) -> bool:
    """For acts on chosen rows of the list alone: a batch's page has a field for the priority."""
    return False


ACTS = (
    Act(
        "pause",
        "Pause",
        "paused: what runs is finished, nothing more is taken",
        "pause",
        _pause,
        lambda batch: cells.is_unfinished(batch) and batch.paused_at is None,
    ),
    Act(
        "resume",
        "Resume",
        "resumed",
        "play_arrow",
        _resume,
        lambda batch: batch.paused_at is not None,
        is_main=True,
    ),
    Act("raise", f"Priority +{STEP}", "raised in priority", "arrow_upward", _raise, _nowhere),
    Act("lower", f"Priority −{STEP}", "lowered in priority", "arrow_downward", _lower, _nowhere),
)


def priority_field(batch: Batch, *, may_change: bool) -> SafeString:
    """The priority, to be changed where that is allowed."""
    if not may_change:
        return cells.text(batch.priority)
    return format_html(
        '<input type="number" name="priority" form="acts-form" class="madsea-number" value="{}"'
        ' min="{}" max="{}" step="1" aria-label="Priority">'
        ' <button type="submit" form="acts-form" formmethod="post" formaction="{}"'
        ' class="madsea-act">Set</button>',
        batch.priority,
        steering.PRIORITY_LOW,
        steering.PRIORITY_HIGH,
        reverse("admin:generation_batch_priority", args=[batch.pk]),
    )


def set_priority(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Take what the field says, and go back to the batch's page."""
    batch = admin.get_object(request, object_id)
    if batch is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if not admin.has_change_permission(request, batch):
        raise PermissionDenied
    try:
        priority = int(request.POST.get("priority", ""))
        steering.set_priority(batch, priority, actor=cast(User, request.user))
    except ValueError:
        messages.error(request, "The priority must be a whole number.")
    except MadseaError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"The priority is {priority}.")
    return HttpResponseRedirect(reverse("admin:generation_batch_change", args=[batch.pk]))
