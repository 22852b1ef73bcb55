"""Acts: who did what to what, and when."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import filters, html
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page
from generation.models import Act
from wording import say


@admin.register(Act)
class ActAdmin(RecordAdmin):
    list_display = ("when", "actor_name", "verb", "target_kind", "what", "changed", "why")
    list_display_links = ("what",)
    show_full_result_count = False
    list_filter = (
        "verb",
        "target_kind",
        ("at", filters.DatesFilter),
    )
    search_fields = ("target", "actor_name", "reason")
    search_help_text = _("a file's name, a batch's id, a user or words of the reason")

    @admin.display(description=_("when"), ordering="id")
    def when(self, act: Act) -> SafeString:
        return html.timestamp(act.at)

    @admin.display(description=_("what"), ordering="target")
    def what(self, act: Act) -> str:
        return act.target

    @admin.display(description=_("changed"))
    def changed(self, act: Act) -> str:
        return _changes(act)

    @admin.display(description=_("why"))
    def why(self, act: Act) -> str:
        return act.reason

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Act.objects.order_by("-pk")

    def page(self, request: HttpRequest, act: Act) -> Page:
        return Page(
            name=str(act),
            facts=[
                (say("When"), self.when(act)),
                (say("By"), act.actor_name),
                (say("What"), f"{act.target_kind} {act.target_id}: {act.target}"),
                (say("Changed"), _changes(act) or html.NOTHING),
                (say("Why"), act.reason or html.NOTHING),
            ],
        )


def _changes(act: Act) -> str:
    names = list(dict.fromkeys([*act.before, *act.after]))
    return ", ".join(f"{name}: {_told(act, name)}" for name in names)


def _told(act: Act, name: str) -> str:
    after = act.after.get(name, "–")
    return f"{act.before[name]} → {after}" if name in act.before else str(after)
