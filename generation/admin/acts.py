"""Acts: who did what to what, and when."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import filters, html
from generation.admin.act_words import act_in_words
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page
from generation.models import Act
from wording import say


class _CodeFilter(filters.Choice):
    """By what stands in a column of codes, in words."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> filters.Words:
        codes = Act.objects.order_by(self.column).values_list(self.column, flat=True)
        return [(code, act_in_words(code)) for code in codes.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.column: value}) if value else queryset


class _VerbFilter(_CodeFilter):
    title = _("what was done")
    parameter_name = column = "verb"


class _KindFilter(_CodeFilter):
    title = _("to what")
    parameter_name = column = "target_kind"


@admin.register(Act)
class ActAdmin(RecordAdmin):
    list_display = ("when", "who", "done", "kind", "what", "changed", "why")
    list_display_links = ("what",)
    show_full_result_count = False
    list_filter = (
        _VerbFilter,
        _KindFilter,
        ("at", filters.DatesFilter),
    )
    search_fields = ("target", "actor_name", "reason")
    search_help_text = _("a file's name, a batch's id, a user or words of the reason")

    @admin.display(description=_("when"), ordering="id")
    def when(self, act: Act) -> SafeString:
        return html.timestamp(act.at)

    @admin.display(description=_("by"), ordering="actor_name")
    def who(self, act: Act) -> str:
        return act_in_words(act.actor_name)

    @admin.display(description=_("what was done"), ordering="verb")
    def done(self, act: Act) -> str:
        return act_in_words(act.verb)

    @admin.display(description=_("to what"), ordering="target_kind")
    def kind(self, act: Act) -> str:
        return act_in_words(act.target_kind)

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

    def name_of(self, act: Act) -> str:
        return f"{act.target} · {act_in_words(act.verb)}"

    def page(self, request: HttpRequest, act: Act) -> Page:
        return Page(
            name=self.name_of(act),
            facts=[
                (say("When"), self.when(act)),
                (say("By"), self.who(act)),
                (say("What"), f"{act_in_words(act.target_kind)} {act.target_id} · {act.target}"),
                (say("Changed"), _changes(act) or html.NOTHING),
                (say("Why"), act.reason or html.NOTHING),
            ],
        )


def _changes(act: Act) -> str:
    names = list(dict.fromkeys([*act.before, *act.after]))
    told_ones = (
        say("{label}: {value}", label=act_in_words(name), value=_value(act, name)) for name in names
    )
    return ", ".join(map(str, told_ones))


def _value(act: Act, name: str) -> str:
    after = act_in_words(str(act.after.get(name, "–")))
    return f"{act_in_words(str(act.before[name]))} → {after}" if name in act.before else after
