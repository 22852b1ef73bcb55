"""Steering batches from the admin: pause, resume and priority as acts, numbers as fields."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from generation.admin import html
from generation.admin.actions import Act
from generation.admin.detail_pages import Form
from generation.errors import Conflict, MadseaError
from generation.models import Batch
from generation.models.batch import NAME_MAX, PRIORITY_HIGH, PRIORITY_LOW
from generation.services import batch_controls
from wording import say

STEP = 10
NAME = "name"


def _pause(batch: Batch, user: User) -> None:
    if not batch_controls.pause(batch, actor=user):
        raise Conflict(say("It is paused already."))


def _resume(batch: Batch, user: User) -> None:
    if not batch_controls.resume(batch, actor=user):
        raise Conflict(say("It is not paused."))


def _raise(batch: Batch, user: User) -> None:
    _move(batch, STEP, user)


def _lower(batch: Batch, user: User) -> None:
    _move(batch, -STEP, user)


def _move(batch: Batch, by: int, user: User) -> None:
    if not batch_controls.move_priority(batch, by, actor=user):
        raise Conflict(
            say("Its priority is {priority} already, and goes no further.", priority=batch.priority)
        )


def _nowhere(_batch: Batch) -> bool:
    """For acts on chosen rows of the list alone: a batch's page has a field for the priority."""
    return False


ACTS = (
    Act(
        "pause",
        say("Pause"),
        say("paused: what runs is finished, nothing more is taken"),
        "pause",
        _pause,
        lambda batch: batch.is_unfinished and batch.paused_at is None,
    ),
    Act(
        "resume",
        say("Resume"),
        say("resumed"),
        "play_arrow",
        _resume,
        lambda batch: batch.paused_at is not None,
        is_main=True,
    ),
    Act(
        "raise",
        say("Priority +{step}", step=STEP),
        say("raised in priority"),
        "arrow_upward",
        _raise,
        _nowhere,
    ),
    Act(
        "lower",
        say("Priority −{step}", step=STEP),
        say("lowered in priority"),
        "arrow_downward",
        _lower,
        _nowhere,
    ),
)


@dataclass(frozen=True)
class NumberControl:
    """A number of a batch that its page lets change; `name` is the service's and the field's."""

    name: str
    label: str
    low: int
    high: int


PRIORITY = NumberControl("priority", say("Priority"), PRIORITY_LOW, PRIORITY_HIGH)
TRIES = NumberControl(
    "max_tries", say("Tries of each plan"), batch_controls.TRIES_LOW, batch_controls.TRIES_HIGH
)
NUMBERS = (PRIORITY, TRIES)


def number_field(number: NumberControl, value: int, *, may_change: bool) -> SafeString:
    """A number of a batch, to be changed where that is allowed."""
    if not may_change:
        return html.escaped(value)
    return format_html(
        '<input type="number" name="{}" form="{}" class="madsea-number" value="{}"'
        ' min="{}" max="{}" step="1" required aria-label="{}">'
        ' <button type="submit" form="{}" class="madsea-act">{}</button>',
        number.name,
        f"{number.name}-form",
        value,
        number.low,
        number.high,
        number.label,
        f"{number.name}-form",
        say("Set"),
    )


def name_field(batch: Batch, *, may_change: bool) -> SafeString:
    """What a batch is called, to be changed where that is allowed."""
    if not may_change:
        return html.escaped(batch.name or batch.public_id)
    return format_html(
        '<input type="text" name="name" form="name-form" class="madsea-input madsea-name"'
        ' value="{}" maxlength="{}" required aria-label="{}">'
        ' <button type="submit" form="name-form" class="madsea-act">{}</button>',
        batch.name,
        NAME_MAX,
        say("Name"),
        say("Rename"),
    )


def forms(batch: Batch) -> list[Form]:
    """The forms of the fields: each is sent alone, by Enter too."""
    return [
        Form(f"{name}-form", reverse(f"admin:generation_batch_{name}", args=[batch.pk]))
        for name in (NAME, *(number.name for number in NUMBERS))
    ]


#: Takes what a field says.
_Take = Callable[[HttpRequest, Batch], None]


def urls(admin: Any) -> list[URLPattern]:
    """Where the fields' values are sent."""
    views: dict[str, _Take] = {NAME: _rename}
    views |= {number.name: partial(_set_number, number) for number in NUMBERS}
    return [
        path(
            f"<path:object_id>/{name}/",
            admin.admin_site.admin_view(require_POST(partial(_set, admin, view))),
            name=f"generation_batch_{name}",
        )
        for name, view in views.items()
    ]


def _set(admin: Any, take: _Take, request: HttpRequest, object_id: str) -> HttpResponse:
    """Take what the field says, and go back to the batch's page."""
    batch = admin.get_object(request, object_id)
    if batch is None:
        raise Http404
    if not admin.has_change_permission(request, batch):
        raise PermissionDenied
    try:
        take(request, batch)
    except MadseaError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(reverse("admin:generation_batch_change", args=[batch.pk]))


def _set_number(number: NumberControl, request: HttpRequest, batch: Batch) -> None:
    try:
        value = int(request.POST.get(number.name, ""))
    except ValueError:
        messages.error(request, say("{label} must be a whole number.", label=number.label))
        return
    change: dict[str, Any] = {number.name: value}
    batch_controls.steer(batch, actor=cast(User, request.user), **change)
    told = say("{label}: {value}.", label=number.label, value=value)
    messages.success(request, told)


def _rename(request: HttpRequest, batch: Batch) -> None:
    name = request.POST.get(NAME, "").strip()
    batch_controls.steer(batch, actor=cast(User, request.user), name=name)
    messages.success(request, say("It is called “{name}” now.", name=name))
