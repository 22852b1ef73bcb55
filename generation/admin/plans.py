"""Plans: panel, latest image, and how the latest run of each is going."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import (
    confirmation,
    drops,
    filters,
    generate,
    html,
    plan_texts,
    search,
    tables,
)
from generation.admin.actions import CANCELLED, Act, Question, Targets
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import DropPlace, Page, PagePicture
from generation.admin.runs import cancel_run, retry_run
from generation.errors import Conflict
from generation.extension_points import Registry
from generation.models import Plan, PlanRun, Version
from generation.selectors import admin_overviews
from generation.states import RETRYABLE, UNFINISHED
from wording import say

SHOWN = 20
#: What apps above the engine add to a plan's page: facts, pictures, tables.
PLAN_PAGE: Registry[Callable[[HttpRequest, Plan, Page], None]] = Registry()
_PLACE = ("sequence__episode__project__code", "sequence__episode__code", "sequence__code")


def _latest_run(plan: Plan) -> PlanRun:
    run = admin_overviews.runs().filter(plan=plan).order_by("-pk").first()
    if run is None:
        raise Conflict(say("No batch has ever asked for it."))
    return run


def _retry(plan: Plan, user: User) -> object:
    return retry_run(_latest_run(plan), user)


def _cancel(plan: Plan, user: User) -> object:
    return cancel_run(_latest_run(plan), user)


def _can_retry(plan: Any) -> bool:
    return plan.run_state in RETRYABLE


def _can_cancel(plan: Any) -> bool:
    return plan.run_state in UNFINISHED


def _runs_if(fits: Callable[[Any], bool]) -> Callable[[Sequence[Any]], Targets]:
    """Find the latest run of each plan: a batch that asks for it meanwhile makes another one."""
    return lambda plans: {plan.pk: frozenset([plan.run_id]) for plan in plans if fits(plan)}


class PlanChangeList(ChangeList):
    """Fetches what the page's plans have, once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        latest = admin_overviews.latest_of(self.result_list)
        for plan in self.result_list:
            plan.latest = latest[plan.pk]


@admin.register(Plan)
class PlanAdmin(RecordAdmin):
    acts = (
        Act(
            "retry",
            say("Retry"),
            say("queued again"),
            "replay",
            _retry,
            _can_retry,
            Question(confirmation.RETRY, _runs_if(_can_retry), of_one=False),
            is_main=True,
        ),
        Act(
            "cancel",
            say("Cancel"),
            CANCELLED,
            "cancel",
            _cancel,
            _can_cancel,
            Question(confirmation.CANCEL, _runs_if(_can_cancel)),
        ),
    )
    generates = "plans"
    ordering = (*_PLACE, "code")
    list_display = ("name", "label", "project", "panel", "image", "status", "progress", "batch")
    list_filter = (
        *filters.place_filters("sequence__"),
        filters.PlanStateFilter,
        filters.PanelFilter,
        ("production_status", filters.ChoicesFilter),
        "style",
    )
    search_fields = ("code",)
    search_help_text = _("E202_SQ0010-0010, SQ0010, 0010, a file's name, a project or words")

    def links(self, plan: Any) -> SafeString:
        run = admin_overviews.latest_of([plan])[plan.pk].run
        asking = (generate.again_link(run) if run else SafeString("")) or super().links(plan)
        return asking + plan_texts.button(plan)

    def get_urls(self) -> list[URLPattern]:
        own = [*generate.urls(self), *drops.plan_urls(self), *plan_texts.urls(self)]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.plans()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlanChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_plans(search_term)), False

    def name_of(self, plan: Plan) -> str:
        return html.plan_name(plan)

    @admin.display(description=_("plan"), ordering="code")
    def name(self, plan: Plan) -> str:
        return html.plan_name(plan)

    @admin.display(description=_("project"), ordering="sequence__episode__project__code")
    def project(self, plan: Plan) -> SafeString:
        return html.link_to(plan.sequence.episode.project)

    @admin.display(description=_("panel"))
    def panel(self, plan: Any) -> SafeString:
        return html.thumbnail(plan.latest.panel)

    @admin.display(description=_("latest image"))
    def image(self, plan: Any) -> SafeString:
        said = plan_texts.made_from(plan.latest.image)
        sign = (
            format_html('<br><small class="madsea-older">{}</small>', said)
            if said
            else SafeString("")
        )
        return html.live_piece(f"image-{plan.pk}", html.thumbnail(plan.latest.image) + sign)

    @admin.display(description=_("status"), ordering="run_state")
    def status(self, plan: Any) -> SafeString:
        run = plan.latest.run
        content = html.label(run.state) if run else html.NOTHING
        return html.live_piece(f"status-{plan.pk}", content, unfinished=_can_cancel(plan))

    @admin.display(description=_("progress"))
    def progress(self, plan: Any) -> SafeString:
        run = plan.latest.run
        return html.live_piece(f"progress-{plan.pk}", html.run_bar(run) if run else html.NOTHING)

    @admin.display(description=_("batch"))
    def batch(self, plan: Any) -> SafeString:
        return html.batch_link(plan.latest.run.batch) if plan.latest.run else html.NOTHING

    def page(self, request: HttpRequest, plan: Any) -> Page:
        latest = admin_overviews.latest_of([plan])[plan.pk]
        runs = list(admin_overviews.runs().filter(plan=plan).order_by("-pk")[:SHOWN])
        versions = admin_overviews.versions().filter(plan=plan).order_by("-pk")[:SHOWN]
        sequence = plan.sequence
        page = Page(
            name=html.plan_name(plan),
            status=html.label(latest.run.state) if latest.run else SafeString(""),
            alert=tables.alert(latest.run) if latest.run else None,
            pictures=_pictures(latest),
            facts=[
                (say("Project"), html.link_to(sequence.episode.project)),
                (say("Episode"), html.link_to(sequence.episode)),
                (say("Sequence"), html.link_to(sequence)),
            ],
            tables=[
                tables.versions(
                    say("Versions"), versions, more=_all(Version, plan, say("All versions"))
                ),
                tables.without(
                    tables.runs(say("Runs"), runs, more=_all(PlanRun, plan, say("All runs"))),
                    say("Plan"),
                ),
            ],
            unfinished=_can_cancel(plan),
            episode_id=sequence.episode_id,
            drops=_drops(plan) if drops.may_give(request) else [],
        )
        plan_texts.add_to(page, plan, latest.image)
        for add_to in PLAN_PAGE:
            add_to(request, plan, page)
        return page


def _drops(plan: Plan) -> list[DropPlace]:
    waiting = drops.waiting_run(plan)
    return [*([drops.image_of(waiting)] if waiting else []), drops.panel_of(plan)]


def _pictures(latest: admin_overviews.LatestOfPlan) -> list[PagePicture]:
    return [
        PagePicture(caption, html.thumbnail(version, html.PICTURE_PX), html.link_to(version))
        for caption, version in ((say("Panel"), latest.panel), (say("Latest image"), latest.image))
        if version
    ]


def _all(model: Any, plan: Plan, text: str) -> SafeString:
    return html.link(html.list_url(model, plan__id__exact=plan.pk), text)
