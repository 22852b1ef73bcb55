"""Projects, episodes and sequences: the way down to the plans."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import drops, filters, html, tables
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page, Table
from generation.models import Batch, Episode, Plan, Project, Sequence
from generation.selectors import admin_overviews, production
from wording import say

CHILDREN_MAX = 200


@admin.register(Project)
class ProjectAdmin(RecordAdmin):
    list_display = ("code", "episodes", "created")
    search_fields = ("code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return production.projects()

    @admin.display(description=_("episodes"), ordering="n_episodes")
    def episodes(self, project: Any) -> SafeString:
        return html.link(html.list_url(Episode, project=project.code), project.n_episodes)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, project: Project) -> SafeString:
        return html.ago(project.created_at)

    def page(self, request: HttpRequest, project: Project) -> Page:
        children: Any = production.episodes().filter(project=project)[:CHILDREN_MAX]
        rows = [
            (
                html.link_to(child),
                child.season,
                str(child.n_sequences),
                html.ago(child.created_at),
            )
            for child in children
        ]
        batches = admin_overviews.batches().filter(episode__project=project).order_by("-pk")[:10]
        return Page(
            name=project.code,
            facts=[(say("Created"), html.timestamp(project.created_at))],
            tables=[
                Table(
                    say("Episodes"),
                    (say("Episode"), say("Season"), say("Sequences"), say("Created")),
                    rows,
                ),
                tables.batches(say("Latest batches"), batches),
            ],
        )


@admin.register(Episode)
class EpisodeAdmin(RecordAdmin):
    generates = "episodes"
    list_display = ("code", "project_link", "season", "sequences", "created")
    list_filter = (*filters.episode_filters("")[:1],)
    search_fields = ("code", "project__code")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return production.episodes()

    @admin.display(description=_("project"), ordering="project__code")
    def project_link(self, episode: Episode) -> SafeString:
        return html.link_to(episode.project)

    @admin.display(description=_("sequences"), ordering="n_sequences")
    def sequences(self, episode: Any) -> SafeString:
        return html.link(
            html.list_url(Sequence, episode__id__exact=episode.pk), episode.n_sequences
        )

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, episode: Episode) -> SafeString:
        return html.ago(episode.created_at)

    def page(self, request: HttpRequest, episode: Episode) -> Page:
        children: Any = production.sequences().filter(episode=episode)[:CHILDREN_MAX]
        rows = [
            (
                html.link_to(child),
                html.link(html.list_url(Plan, sequence__id__exact=child.pk), child.n_plans),
                html.ago(child.created_at),
            )
            for child in children
        ]
        batches = admin_overviews.batches().filter(episode=episode).order_by("-pk")[:10]
        more = html.link(html.list_url(Batch, episode__id__exact=episode.pk), say("All batches"))
        return Page(
            name=f"{episode.project} · {episode.code}",
            facts=[
                (say("Project"), html.link_to(episode.project)),
                (say("Season"), episode.season),
            ],
            tables=[
                Table(say("Sequences"), (say("Sequence"), say("Plans"), say("Created")), rows),
                tables.batches(say("Latest batches"), batches, more=more),
            ],
            episode_id=episode.pk,
        )


@admin.register(Sequence)
class SequenceAdmin(RecordAdmin):
    generates = "sequences"
    list_display = ("code", "episode_link", "plans", "created")
    list_filter = filters.episode_filters("episode__")
    search_fields = ("code", "episode__code", "episode__project__code")

    def get_urls(self) -> list[URLPattern]:
        return [*drops.sequence_urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return production.sequences()

    @admin.display(description=_("episode"), ordering="episode__code")
    def episode_link(self, sequence: Sequence) -> SafeString:
        return html.link_to(sequence.episode, f"{sequence.episode.project} · {sequence.episode}")

    @admin.display(description=_("plans"), ordering="n_plans")
    def plans(self, sequence: Any) -> SafeString:
        return html.link(html.list_url(Plan, sequence__id__exact=sequence.pk), sequence.n_plans)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, sequence: Sequence) -> SafeString:
        return html.ago(sequence.created_at)

    def page(self, request: HttpRequest, sequence: Sequence) -> Page:
        episode = sequence.episode
        plans = list(admin_overviews.plans().filter(sequence=sequence)[:CHILDREN_MAX])
        more = html.link(html.list_url(Plan, sequence__id__exact=sequence.pk), say("All plans"))
        return Page(
            name=f"{episode.code} · {sequence.code}",
            facts=[
                (say("Project"), html.link_to(episode.project)),
                (say("Episode"), html.link_to(episode)),
            ],
            tables=[tables.plans(say("Plans"), plans, more=more)],
            episode_id=episode.pk,
            drops=[drops.sequence_drop(sequence)] if drops.may_give(request) else [],
        )
