"""Storyboards: dropped onto the page, looked over as a draft, confirmed."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from generation.admin import generate, html
from generation.admin.base import MadseaAdmin
from generation.models import Episode, Plan, Project
from generation.states import RunState
from storyboards.admin import draft_pages, javascript_strings
from storyboards.models import StoryboardImport
from storyboards.selectors import drafts
from storyboards.services import proposals
from storyboards.states import ImportState
from wording import say

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as _Choice
else:
    from unfold.contrib.filters.admin import DropdownFilter as _Choice

#: The words of the engine whose colours the states have.
_LIKE = {
    ImportState.READING: RunState.RUNNING,
    ImportState.DRAFT: RunState.WAITING,
    ImportState.CONFIRMED: RunState.DONE,
    ImportState.FAILED: RunState.ERROR,
}
_WORDS = {
    ImportState.READING: say("being read"),
    ImportState.DRAFT: say("to confirm"),
    ImportState.CONFIRMED: say("confirmed"),
    ImportState.FAILED: say("cannot be read"),
}
PROJECTS_SHOWN = 50


def _label(state: str) -> SafeString:
    return html.label(_LIKE[ImportState(state)], _WORDS[ImportState(state)])


class StateFilter(_Choice):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, words) for state, words in _WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(state=value) if value else queryset


@admin.register(StoryboardImport)
class StoryboardImportAdmin(MadseaAdmin):
    list_display = ("name", "project", "episode", "status", "came", "came_by")
    list_filter = (StateFilter, "project_code", "episode_code")
    search_fields = ("file_name", "project_code", "episode_code", "title")
    list_before_template = "admin/storyboards/give.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoryboardImport]:
        return StoryboardImport.objects.select_related("created_by", "confirmed_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def name_of(self, row: StoryboardImport) -> str:
        return f"{row.episode_code} · {row.file_name}"

    @admin.display(description=_("file"), ordering="file_name")
    def name(self, row: StoryboardImport) -> str:
        return row.file_name

    @admin.display(description=_("project"), ordering="project_code")
    def project(self, row: StoryboardImport) -> str:
        return row.project_code

    @admin.display(description=_("episode"), ordering="episode_code")
    def episode(self, row: StoryboardImport) -> str:
        return row.episode_code

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: StoryboardImport) -> SafeString:
        return _label(row.state)

    @admin.display(description=_("came"), ordering="created_at")
    def came(self, row: StoryboardImport) -> SafeString:
        return html.ago(row.created_at)

    @admin.display(description=_("by"))
    def came_by(self, row: StoryboardImport) -> str:
        return str(row.created_by or say("the console"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        last = Episode.objects.select_related("project").order_by("-pk").first()
        own = {
            "projects": Project.objects.order_by("-pk")[:PROJECTS_SHOWN],
            "last": last,
            "give_url": reverse("storyboards"),
            "page_url": reverse("admin:storyboards_storyboardimport_changelist"),
        }
        return super().changelist_view(request, own | (extra_context or {}))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view: Any = require_safe(self._look)
        response: HttpResponse = view(request, object_id)
        return response

    def _look(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self._row(request, object_id)
        if row is None:
            return self._gone(request, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": self.name_of(row),
            "subtitle": None,
            "row": row,
            "words": javascript_strings.script_sentences(),
            "label": _label(row.state),
            "style_choices": proposals.usable_styles(),
            "api_url": reverse("storyboards-one", args=[row.public_id]),
            "list_url": reverse("admin:storyboards_storyboardimport_changelist"),
            **draft_pages.context(drafts.draft(row), request.GET),
            **_next(row),
        }
        return TemplateResponse(request, "admin/storyboards/draft.html", context)

    def _row(self, request: HttpRequest, object_id: str) -> StoryboardImport | None:
        """Return an import by its row's id, or by the id that the API gives."""
        by_public_id = self.get_queryset(request).filter(public_id=object_id).first()
        row: StoryboardImport | None = by_public_id or self.get_object(request, unquote(object_id))
        return row


def _next(row: StoryboardImport) -> dict[str, Any]:
    """Return where somebody goes once the plans are made: to them, and to Generate."""
    episode = Episode.objects.filter(project__code=row.project_code, code=row.episode_code).first()
    if episode is None:
        return {"plans_url": html.list_url(Plan), "generate_url": ""}
    return {
        "plans_url": html.list_url(Plan, project=row.project_code, episode=row.episode_code),
        "generate_url": generate.url(episodes=[episode.pk]),
        "choose_url": generate.url(),
        "sequences": _made_sequences(row, episode) if row.state == ImportState.CONFIRMED else [],
    }


def _made_sequences(row: StoryboardImport, episode: Episode) -> list[dict[str, Any]]:
    """Return the sequences that a confirmed storyboard has plans in: their boards and styles."""
    styles = proposals.usable_styles()
    made: dict[str, dict[str, Any]] = {}
    for board in row.boards.filter(is_selected=True).order_by("position"):
        of = made.setdefault(
            board.sequence_code,
            {"code": board.sequence_code, "first": str(board), "n_plans": 0, "styles": {}},
        )
        of["n_plans"] += 1
        of["last"] = str(board)
        of["styles"][styles.get(board.style_code, board.style_code)] = True
    ids = dict(episode.sequences.filter(code__in=made).values_list("code", "pk"))
    return [{**of, "pk": ids[code]} for code, of in made.items() if code in ids]
