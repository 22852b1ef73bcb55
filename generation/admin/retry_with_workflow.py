"""Retrying with another workflow, such as the corrected one, from the page of a run or a batch.

As with any retry, a page asks first where several plans are concerned.
"""

from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from generation.admin import confirmation, html
from generation.admin.actions import PLANS, Act, Question, counted
from generation.admin.detail_pages import Form
from generation.errors import InvalidRequest, Refusal, first_problems
from generation.models import Batch, PlanRun
from generation.selectors import batches as reads
from generation.services import batches, plan_runs, workflow_library
from generation.states import Mode
from wording import in_turn, say

_NAME = "workflow_json"
_FORM = "retry-with-form"
_ACT = "retry_with"


def field(row: PlanRun | Batch, *, may_change: bool) -> SafeString:
    """What a row is made with; where it can be retried, a choice of what it could be instead."""
    if row.workflow is None:
        return html.escaped("–")
    shown = format_html("{}{}", html.link_to(row.workflow), _own(row))
    if not (may_change and _is_offered(row)):
        return shown
    options = format_html_join(
        "", "<option{}>{}</option>", _options(row.workflow.name, workflow_library.available())
    )
    return format_html(
        '{} <select name="{}" form="{}" aria-label="{}">{}</select>'
        ' <button type="submit" form="{}" class="madsea-act">{}</button>',
        shown,
        _NAME,
        _FORM,
        say("Another workflow"),
        options,
        _FORM,
        say("Retry with it"),
    )


def _own(row: PlanRun | Batch) -> str:
    """Say which of the row's plans are made with another workflow than its batch."""
    if isinstance(row, PlanRun):
        return say(" (instead of its batch's)") if row.own_workflow_id is not None else ""
    others = [
        say("{plans} with {workflow}", plans=counted(n, PLANS), workflow=name)
        for name, n in reads.own_workflows(row)
    ]
    return say(" ({others} instead)", others=in_turn(others, ", ")) if others else ""


def _options(present: str, names: list[str]) -> list[tuple[SafeString, str]]:
    return [(SafeString(" selected" if name == present else ""), name) for name in names]


def forms(row: PlanRun | Batch) -> list[Form]:
    """The form of the field; none where nothing is offered."""
    model = row._meta.model_name
    url = reverse(f"admin:generation_{model}_{_ACT}", args=[row.pk])
    return [Form(_FORM, url)] if _is_offered(row) else []


def _is_offered(row: PlanRun | Batch) -> bool:
    mode = row.mode if isinstance(row, Batch) else row.batch.mode
    return row.can_be_retried and mode == Mode.AUTO


def urls(admin: Any) -> list[URLPattern]:
    """Where the field's value is sent, and the answer to what is asked then."""
    name = f"generation_{admin.opts.model_name}_{_ACT}"
    wrap = admin.admin_site.admin_view
    do, answer = (require_POST(partial(view, admin)) for view in (_retry, _answer))
    return [
        path(f"answer/{_ACT}/", wrap(answer), name=f"{name}_answer"),
        path(f"<path:object_id>/{_ACT}/", wrap(do), name=name),
    ]


def _retry(admin: Any, request: HttpRequest, object_id: str) -> HttpResponseBase:
    response: HttpResponseBase = admin.act_view(_act(admin, request), request, object_id)
    return response


def _answer(admin: Any, request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = admin.answer_view(_act(admin, request), request)
    return response


def _act(admin: Any, request: HttpRequest) -> Act:
    """The act that a form asks for: a retry with the workflow that it names."""
    name = request.POST.get(_NAME, "")
    is_batch = admin.model is Batch
    return Act(
        _ACT,
        say("Retry with {name}", name=name),
        say("queued again, with {name}", name=name),
        "replay",
        partial(_retry_batch if is_batch else _retry_run, name),
        question=Question(confirmation.RETRY_WITH, reads.to_retry, PLANS, of_one=False)
        if is_batch
        else None,
        carries={_NAME: name},
    )


def _retry_batch(name: str, batch: Batch, user: User) -> None:
    try:
        batches.retry(batch, actor=user, workflow_json=name)
    except InvalidRequest as refused:
        raise _in_words(refused) from refused


def _retry_run(name: str, run: PlanRun, user: User) -> None:
    try:
        plan_runs.retry(run, actor=user, workflow_json=name)
    except InvalidRequest as refused:
        raise _in_words(refused) from refused


def _in_words(refused: InvalidRequest) -> Refusal:
    """Return all that is wrong as one sentence after the other, as a page says it."""
    problems = first_problems(refused.problems)
    return Refusal(in_turn(problem.detail for problem in problems), code=refused.code)
