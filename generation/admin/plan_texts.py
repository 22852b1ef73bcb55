"""What is known of a plan: shown on its page, and changed on one of its own."""

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from generation.admin import html
from generation.admin.detail_pages import Cell, Page, PagePicture, Table
from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Plan, PlanTextChange, Style, Version
from generation.selectors import production, results
from generation.services import plan_attributes
from generation.state_words import in_words
from generation.states import PlanStatus
from wording import say

NAME = "generation_plan_texts"
TEMPLATE = "admin/generation/plan_texts.html"
CHANGES_SHOWN = 10
_LABELS = {
    "label": say("Label"),
    "storyboard_uid": say("Uid in the storyboard"),
    "dialogue": say("Dialogue"),
    "action": say("Action"),
    "place": say("Place"),
    "camera": say("Camera"),
    "description": say("Description"),
    "notes": say("Notes"),
    "duration_ms": say("Duration (ms)"),
    "position": say("Position in the episode"),
    "style": say("Style"),
    "production_status": say("In production"),
}
_LONG = ("action", "description", "dialogue", "notes")
#: What the page of a plan tells, in this order.
_SHOWN = ("label", "place", "camera", "description", "dialogue", "notes")


class PlanTextsForm(forms.Form):
    """All of a plan's texts; what they may be is checked by the service, in its words."""

    text_revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, plan: Plan, sent: Any = None) -> None:
        held = plan_attributes.current(plan)
        super().__init__(sent, initial=held | {"text_revision": plan.text_revision})
        for name, most in plan_attributes.TEXTS.items():
            rows = {"rows": 3} if name in _LONG else {}
            attrs = {"maxlength": most, "class": "madsea-input", **rows}
            widget = forms.Textarea(attrs) if name in _LONG else forms.TextInput(attrs)
            self._add(name, forms.CharField(required=False, strip=False, widget=widget))
        for name in plan_attributes.NUMBERS:
            number = forms.NumberInput({"class": "madsea-input", "min": 0})
            self._add(name, forms.IntegerField(required=False, widget=number))
        styles = [(style.code, style.label) for style in Style.objects.all()]
        self._choose("style", [("", say("as whoever asks says")), *styles], is_required=False)
        known = [(status.value, in_words(status.value)) for status in PlanStatus]
        self._choose("production_status", known, is_required=True)

    def _add(self, name: str, field: forms.Field) -> None:
        field.label = _label(name)
        self.fields[name] = field

    def _choose(self, name: str, choices: list[tuple[str, str]], *, is_required: bool) -> None:
        select = forms.Select({"class": "madsea-input"})
        self._add(name, forms.ChoiceField(choices=choices, required=is_required, widget=select))

    def texts(self) -> dict[str, Any]:
        """Return what was changed in the form: the rest stays as it is."""
        return {name: self._given(name) for name in self.changed_data if name != "text_revision"}

    def _given(self, name: str) -> Any:
        value = self.cleaned_data[name]
        if name == "style":
            return value or None
        # Browsers end lines in their own way.
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def has_changed(self) -> bool:
        """Tell whether anything but how lines end is other than it was."""
        return bool(self.texts())

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Say what is wrong beside the field that it is about."""
        for problem in problems:
            self.add_error(problem.attr if problem.attr in self.fields else None, problem.detail)


def _label(name: str) -> str:
    return _LABELS[name]


# The page that changes them -------------------------------------------------------------------


def urls(admin: Any) -> list[URLPattern]:
    """Where a plan's texts are changed."""
    view = require_http_methods(["GET", "POST"])(partial(_view, admin))
    return [path("<path:object_id>/texts/", admin.admin_site.admin_view(view), name=NAME)]


def button(plan: Plan) -> SafeString:
    """A link to that page that looks like the buttons beside it."""
    address = reverse(f"admin:{NAME}", args=[plan.pk])
    return format_html('<a class="madsea-act" href="{}">{}</a>', address, say("Edit texts"))


def _view(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    plan = admin.get_object(request, object_id)
    if plan is None:
        return cast(HttpResponse, admin._gone(request, object_id))
    if not admin.has_change_permission(request, plan):
        raise PermissionDenied
    form = PlanTextsForm(plan, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _write(request, plan, form):
        address = reverse("admin:generation_plan_change", args=[plan.pk])
        return HttpResponseRedirect(address)
    title = html.plan_name(plan)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": say("Texts of {title}", title=title),
        "subtitle": None,
        "form": form,
        "long": _LONG,
        "panel": html.thumbnail(Version.objects.panels().filter(plan=plan).first()),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _write(request: HttpRequest, plan: Plan, form: PlanTextsForm) -> bool:
    """Write what the form says; False where it cannot be: the form says why."""
    by, revision = cast(User, request.user), form.cleaned_data["text_revision"]
    try:
        done = plan_attributes.write(plan, form.texts(), by=by, source="admin", revision=revision)
    except InvalidRequest as error:
        form.refuse(error.problems)
        return False
    except Conflict as error:
        form.add_error(None, error.detail)
        return False
    name = html.plan_name(plan)
    messages.success(
        request,
        say("{name} is changed.", name=name) if done else say("{name} is as it was.", name=name),
    )
    return True


# What the page of a plan shows ----------------------------------------------------------------


def add_to(page: Page, plan: Plan, image: Version | None) -> None:
    """Tell on a plan's page what is known of it, and whether its picture has an older panel."""
    held = plan_attributes.current(plan)
    page.facts += [(_label(name), html.whole_text(held[name])) for name in _SHOWN if held[name]]
    page.facts += _measures(plan)
    if plan.production_status != PlanStatus.ACTIVE:
        page.facts.append((say("In production"), html.escaped(in_words(held["production_status"]))))
    page.pictures[:] = [_with_panel(picture, image) for picture in page.pictures]
    changes = list(production.text_changes(plan.pk)[:CHANGES_SHOWN])
    if changes:
        headers = (say("When"), say("Who"), say("From"), say("What"))
        page.tables.append(
            Table(say("Changes of its texts"), headers, [_row(change) for change in changes])
        )


def _measures(plan: Plan) -> list[tuple[str, Cell]]:
    measures: list[tuple[str, Cell]] = []
    if plan.duration_ms is not None:
        measures.append((say("Duration"), f"{plan.duration_ms / 1000:g} s"))
    if plan.position is not None:
        measures.append((say("Position"), str(plan.position)))
    if plan.style is not None:
        measures.append((say("Style"), html.link_to(plan.style)))
    return measures


def made_from(version: Version | None) -> str:
    """Return what is said of a picture whose plan has a newer panel; else nothing."""
    newer = results.newer_panel(version)
    if newer is None:
        return ""
    before: int = getattr(version, "made_from_panel", 0)
    return say("made from panel v{before:04d}, v{newer:04d} exists", before=before, newer=newer)


def _with_panel(picture: PagePicture, image: Version | None) -> PagePicture:
    said = made_from(image)
    if not said or picture.caption != "Latest image":
        return picture
    note = format_html('{}<br><strong class="madsea-older">{}</strong>', picture.note, said)
    return PagePicture(picture.caption, picture.image, note)


def _row(change: PlanTextChange) -> tuple[Cell, ...]:
    after: dict[str, Any] = change.after
    told = "; ".join(
        str(say("{label}: {value}", label=_label(name), value=_said(name, value)))
        for name, value in after.items()
    )
    who = str(change.changed_by or "")
    return html.ago(change.changed_at), who, in_words(change.source), html.shortened(told)


def _said(name: str, value: object) -> str:
    """Return a text or a number as it is, a status in words."""
    return in_words(str(value)) if name == "production_status" else _told(value)


def _told(value: object) -> str:
    return "none" if value in (None, "") else str(value)
