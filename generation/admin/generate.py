"""The page that asks for plans: what is chosen, what it would do, and one press that starts it."""

from collections.abc import Iterable
from functools import partial
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from generation.admin import generate_forecast, generate_form, html, id_ranges
from generation.admin.actions import counted
from generation.admin.generate_forecast import PICTURES, PLANS
from generation.admin.generate_form import GenerateForm
from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Batch, Plan, PlanRun
from generation.selectors import admin_overviews, production
from generation.services import plan_locks, requests_from_plans
from generation.services.requests_from_plans import Rehearsed
from generation.states import UNFINISHED, Mode, RunState
from wording import say

TEMPLATE = "admin/generation/generate.html"
NAME = "generation_plan_generate"
LABEL = say("Generate")


def url(**chosen: Iterable[int]) -> str:
    """Return the address of the page for the plans of `episodes` and `sequences`, and `plans`."""
    query = {name: id_ranges.as_ranges(ids) for name, ids in chosen.items()}
    return f"{reverse(f'admin:{NAME}')}?{urlencode(query, safe=',')}"


def button(address: str, text: str = LABEL, *, is_main: bool = True) -> SafeString:
    """A link to the page that looks like the buttons beside it."""
    return format_html(
        '<a class="madsea-act{}" href="{}">{}</a>', " is-main" if is_main else "", address, text
    )


def again_link(run: PlanRun) -> SafeString:
    """A link to the page for an ended run's plan, filled in as that run was asked for."""
    if run.state in UNFINISHED:
        return SafeString("")
    text = say("Another version") if run.state == RunState.DONE else say("Again with…")
    address = url(plans=[run.plan_id], like=[run.pk])
    return button(address, text, is_main=run.state == RunState.DONE)


def urls(admin: Any) -> list[URLPattern]:
    view = admin.admin_site.admin_view(require_http_methods(["GET", "POST"])(partial(_view, admin)))
    return [path("generate/", view, name=NAME)]


def list_action(what: str) -> Any:
    """Return a list's action that opens the page for the chosen rows, which are `what`."""

    def open_page(_admin: Any, _request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        ids = queryset.order_by().values_list("pk", flat=True)
        return HttpResponseRedirect(url(**{what: ids}))

    return open_page, "generate", say("{label} selected", label=LABEL)


def _view(admin: Any, request: HttpRequest) -> HttpResponse:
    if not admin.has_change_permission(request):
        raise PermissionDenied
    chosen = _plans(request.GET)
    plans = [plan for plan in chosen if not plan.is_set_apart]
    if not plans or len(chosen) > settings.MADSEA_PLANS_MAX:
        return _nothing(request, len(chosen))
    form = GenerateForm(plans, _held(request, plans))
    rehearsed = _rehearsed(form)
    can_start = bool(rehearsed) and all(rehearsal.dry_run for rehearsal in rehearsed)
    if request.method == "POST" and "start" in request.POST and can_start:
        started = _start(request, form)
        if started is not None:
            return started
        form = GenerateForm(plans, request.POST.dict() | {"key": generate_form.new_key()})
    page = _page(form, plans, rehearsed, can_start=can_start)
    more = {"n_left": len(chosen) - len(plans), "address": request.get_full_path()}
    context = {**admin.admin_site.each_context(request), "opts": admin.opts, **page, **more}
    return TemplateResponse(request, TEMPLATE, context)


def _rehearsed(form: GenerateForm) -> list[Rehearsed]:
    """Return what the form's batches would be; what is wrong with them is said in the form."""
    if not form.is_valid():
        return []
    try:
        rehearsed = requests_from_plans.rehearse(form.wish())
    except InvalidRequest as refused:
        form.refuse(refused.problems)
        return []
    for rehearsal in rehearsed:
        form.refuse(rehearsal.problems)
    return rehearsed


def _plans(query: QueryDict) -> list[Plan]:
    # A form whose boxes are ticked names each by itself.
    chosen = {
        name: id_ranges.ids_in(",".join(query.getlist(name)))
        for name in ("episodes", "sequences", "plans")
    }
    return list(production.chosen_plans(**chosen)[: settings.MADSEA_PLANS_MAX + 1])


def _nothing(request: HttpRequest, n_plans: int) -> HttpResponse:
    text = (
        say(
            "At most {madsea_plans_max:,} plans can be asked for at once: choose fewer.",
            madsea_plans_max=settings.MADSEA_PLANS_MAX,
        )
        if n_plans > settings.MADSEA_PLANS_MAX
        else say("All that was chosen is on hold or omitted: nothing new is made of it.")
        if n_plans
        else say("There is no plan in what was chosen: nothing can be asked for.")
    )
    messages.warning(request, text)
    return HttpResponseRedirect(html.list_url(Plan))


def _held(request: HttpRequest, plans: list[Plan]) -> dict[str, str]:
    if request.method == "POST":
        return request.POST.dict()
    like = id_ranges.ids_in(request.GET.get("like", ""))
    run = admin_overviews.runs().select_related("batch__workflow").filter(pk__in=like[:1]).first()
    return generate_form.initial_values(plans) | (generate_form.values_like_run(run) if run else {})


def _start(request: HttpRequest, form: GenerateForm) -> HttpResponse | None:
    """Start what the form asks for; None where it cannot be: the form says why."""
    user = cast(User, request.user)
    try:
        made = requests_from_plans.start(form.wish(), key=form.key_of_start, requester=user)
    except InvalidRequest as refused:
        form.refuse(refused.problems)
        return None
    except Conflict as refused:
        if refused.code == plan_locks.CODE:
            form.refuse([Problem("force", refused.code, refused.detail)])
            return None
        text = say(
            "Nothing more was started: this page has started something already, and "
            "was changed since. Press again if you want this as well."
        )
        messages.warning(request, text)
        return None
    batches = [created.batch for created in made]
    _tell(request, batches, is_new=not all(created.replayed for created in made))
    if len(batches) == 1:
        return HttpResponseRedirect(reverse("admin:generation_batch_change", args=[batches[0].pk]))
    return HttpResponseRedirect(html.list_url(Batch))


def _tell(request: HttpRequest, batches: list[Batch], *, is_new: bool) -> None:
    if not is_new:
        messages.info(request, say("This was started before: nothing more was started now."))
        return
    n_runs = sum(batch.n_total for batch in batches)
    many = say(" in {n} batches", n=len(batches)) if len(batches) > 1 else ""
    messages.success(
        request, say("{n_runs} asked for{many}.", n_runs=counted(n_runs, PICTURES), many=many)
    )


def _page(
    form: GenerateForm, plans: list[Plan], rehearsed: list[Rehearsed], *, can_start: bool
) -> dict[str, Any]:
    """Return what the page shows."""
    return {
        "title": f"{LABEL} {counted(len(plans), PLANS)}",
        "form": form,
        "forecasts": [generate_forecast.forecast(rehearsal) for rehearsal in rehearsed],
        "names": [html.plan_name(plan) for plan in plans],
        "press": _press(plans, rehearsed),
        "can_start": can_start,
    }


def _press(plans: list[Plan], rehearsed: list[Rehearsed]) -> str:
    """Return what the button says: what one press makes."""
    told = [rehearsal.dry_run for rehearsal in rehearsed if rehearsal.dry_run]
    n_plans = sum(len(forecast["plans"]) for forecast in told) or len(plans)
    if any(forecast["mode"] == Mode.MANUEL for forecast in told):
        what = say("Ask artists for {n_plans}", n_plans=counted(n_plans, PLANS))
    else:
        pictures = [forecast["pictures"] for forecast in told]
        known = sum(n for n in pictures if n is not None)
        is_known = bool(told) and None not in pictures
        what = say(
            "{label} {known}",
            label=LABEL,
            known=counted(known, PICTURES) if is_known else counted(n_plans, PLANS),
        )
    return say("{what} in {n} batches", what=what, n=len(rehearsed)) if len(rehearsed) > 1 else what
