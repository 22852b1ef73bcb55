"""Versions: every published file, and what made it."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import confirmation, filters, html, recipe_tables, search, tables
from generation.admin.actions import Act, Question
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page, PagePicture
from generation.models import Version
from generation.selectors import admin_overviews
from generation.services import batches, recipe_lookup, recipe_reruns
from wording import say


def _again(version: Version, user: User) -> object:
    return batches.create(recipe_reruns.read(version.pk), requester=user)


def _with_new_seed(version: Version, user: User) -> object:
    return batches.create(recipe_reruns.read(version.pk, seed=recipe_reruns.NEW), requester=user)


def _was_rendered(version: Version) -> bool:
    return version.attempt_id is not None


def _has_seed(version: Version) -> bool:
    return _was_rendered(version) and version.run is not None and bool(version.run.seed)


@admin.register(Version)
class VersionAdmin(RecordAdmin):
    acts = (
        Act(
            "again",
            say("Make again"),
            say("asked for again, as it was"),
            "replay",
            _again,
            _was_rendered,
            Question(confirmation.AGAIN),
        ),
        Act(
            "new_seed",
            say("Another seed"),
            say("asked for again, with another seed"),
            "casino",
            _with_new_seed,
            _has_seed,
            Question(confirmation.NEW_SEED),
        ),
    )
    ordering = ("-id",)
    list_display = (
        "image",
        "name",
        "project",
        "task",
        "number",
        "review",
        "size",
        "made_by",
        "published",
    )
    list_display_links = ("name",)
    list_filter = (
        *filters.place_filters("plan__sequence__"),
        ("review_state", filters.ChoicesFilter),
        ("origin", filters.ChoicesFilter),
        ("published_at", filters.DatesFilter),
    )
    search_fields = ("path",)
    search_help_text = _("E202_SQ0010-0010, 0010 or a file's name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.versions()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_plans(search_term, "plan__")), False

    @admin.display(description=_("image"))
    def image(self, version: Version) -> SafeString:
        return html.thumbnail(version)

    @admin.display(description=_("file"), ordering="path")
    def name(self, version: Version) -> str:
        return str(version)

    @admin.display(description=_("project"))
    def project(self, version: Version) -> SafeString:
        return html.link_to(version.plan.sequence.episode.project)

    @admin.display(description=_("review"), ordering="review_state")
    def review(self, version: Version) -> SafeString:
        return tables.review(version)

    @admin.display(description=_("size"))
    def size(self, version: Version) -> str:
        return f"{version.width_px} × {version.height_px}"

    @admin.display(description=_("made by"), ordering="origin")
    def made_by(self, version: Version) -> str:
        return tables.made_by(version)

    @admin.display(description=_("published"), ordering="published_at")
    def published(self, version: Version) -> SafeString:
        return html.ago(version.published_at)

    def page(self, request: HttpRequest, version: Version) -> Page:
        image = html.thumbnail(version, html.PICTURE_PX)
        recipe = recipe_lookup.read(version.pk)
        return Page(
            name=str(version),
            pictures=[PagePicture(f"{version.width_px} × {version.height_px}", image)],
            facts=[
                (say("Plan"), html.link_to(version.plan, html.plan_name(version.plan))),
                (say("Task"), version.task),
                (say("Version"), str(version.number)),
                (say("Path"), html.code(version.path)),
                (say("Size"), f"{version.width_px} × {version.height_px}, {_bytes(version)}"),
                ("SHA-256", html.code(version.sha256)),
                (say("Review"), tables.review(version)),
                (say("Made by"), tables.made_by(version)),
                (say("Batch"), html.batch_link(version.batch)),
                (say("Plan run"), html.link_to(version.run, _run_name(version))),
                (say("Published"), html.timestamp(version.published_at)),
                *recipe_tables.facts(version, recipe),
            ],
            tables=recipe_tables.tables(version, recipe),
            episode_id=version.plan.sequence.episode_id,
        )


def _run_name(version: Version) -> str:
    name, run = html.plan_name(version.plan), version.run
    return f"{name} · {run.variation}" if run and run.variation > 1 else name


def _bytes(version: Version) -> str:
    return filesizeformat(version.n_bytes)
