"""Retrying a plan with another workflow, from its run's page: such as with the corrected file."""

from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from generation.admin import html
from generation.admin.detail_pages import Form
from generation.errors import InvalidRequest, MadseaError
from generation.models import PlanRun
from generation.services import runs, workflow_library
from generation.states import Mode

_NAME = "workflow_json"
_FORM = "retry-with-form"
_URL = "generation_planrun_retry_with"


def field(run: PlanRun, *, may_change: bool) -> SafeString:
    """What a run is made with; where it can be retried, a choice of what it could be instead."""
    workflow = run.workflow
    if workflow is None:
        return html.text("–")
    own = " (instead of its batch's)" if run.own_workflow_id is not None else ""
    shown = format_html("{}{}", html.link_to(workflow), own)
    if not (may_change and _is_offered(run)):
        return shown
    options = format_html_join(
        "", "<option{}>{}</option>", _options(workflow.name, workflow_library.available())
    )
    return format_html(
        '{} <select name="{}" form="{}" aria-label="Another workflow">{}</select>'
        ' <button type="submit" form="{}" class="madsea-act">Retry with it</button>',
        shown,
        _NAME,
        _FORM,
        options,
        _FORM,
    )


def _options(present: str, names: list[str]) -> list[tuple[SafeString, str]]:
    return [(SafeString(" selected" if name == present else ""), name) for name in names]


def forms(run: PlanRun) -> list[Form]:
    """The form of the field; none where nothing is offered."""
    url = reverse(f"admin:{_URL}", args=[run.pk])
    return [Form(_FORM, url)] if _is_offered(run) else []


def _is_offered(run: PlanRun) -> bool:
    return run.can_be_retried and run.batch.mode == Mode.AUTO


def urls(admin: Any) -> list[URLPattern]:
    """Where the field's value is sent."""
    view = admin.admin_site.admin_view(require_POST(partial(_retry, admin)))
    return [path("<path:object_id>/retry_with/", view, name=_URL)]


def _retry(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Retry with what the field says, and go back to the run's page."""
    run = admin.get_object(request, object_id)
    if run is None:
        raise Http404
    if not admin.has_change_permission(request, run):
        raise PermissionDenied
    name = request.POST.get(_NAME, "")
    try:
        runs.retry(run, actor=cast(User, request.user), workflow_json=name)
    except InvalidRequest as refused:
        messages.error(request, " ".join(problem.detail for problem in refused.problems))
    except MadseaError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"Queued again, with {name}.")
    return HttpResponseRedirect(reverse("admin:generation_planrun_change", args=[run.pk]))
