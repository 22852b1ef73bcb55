"""The filters of the supervisors' lists."""

from collections.abc import Iterator
from copy import copy
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generation.models import Episode, Project, Sequence
from generation.selectors import admin_overviews, batches
from generation.state_words import in_words
from generation.states import BatchState, RunState
from wording import say

if TYPE_CHECKING:
    from django.contrib.admin import ChoicesFieldListFilter as _Choices
    from django.contrib.admin import DateFieldListFilter as _Dates
    from django.contrib.admin import RelatedFieldListFilter as RelatedFilter
    from django.contrib.admin import SimpleListFilter as Choice
else:
    from unfold.contrib.filters.admin import ChoicesDropdownFilter as _Choices
    from unfold.contrib.filters.admin import DropdownFilter as Choice
    from unfold.contrib.filters.admin import RangeDateFilter as _Dates
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFilter

Words = list[tuple[str, str]]


class _PlaceFilter(Choice):
    """One level of the production tree; offers what lies below the levels already chosen."""

    path: ClassVar[str] = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{f"{self.path}code": value}) if value else queryset


class _ProjectFilter(_PlaceFilter):
    title = _("project")
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return _words(Project.objects.all())


class _EpisodeFilter(_PlaceFilter):
    title = _("episode")
    parameter_name = "episode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return _words(Episode.objects.filter(**_chosen(request, project="project__code")))


class _SequenceFilter(_PlaceFilter):
    title = _("sequence")
    parameter_name = "sequence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        chosen = _chosen(request, project="episode__project__code", episode="episode__code")
        return _words(Sequence.objects.filter(**chosen))


def _chosen(request: HttpRequest, **lookups: str) -> dict[str, str]:
    return {lookup: request.GET[name] for name, lookup in lookups.items() if request.GET.get(name)}


def _words(found: QuerySet[Any]) -> Words:
    return [
        (code, code) for code in found.order_by("code").values_list("code", flat=True).distinct()
    ]


def place_filters(sequence: str) -> tuple[type[_PlaceFilter], ...]:
    """Filters by project, episode and sequence; `sequence` leads from the row to its sequence."""
    paths = (
        (_ProjectFilter, f"{sequence}episode__project__"),
        (_EpisodeFilter, f"{sequence}episode__"),
        (_SequenceFilter, sequence),
    )
    return tuple(type(kind.__name__, (kind,), {"path": path}) for kind, path in paths)


def episode_filters(episode: str) -> tuple[type[_PlaceFilter], ...]:
    """Filters by project and episode; `episode` leads from the row to its episode."""
    paths = ((_ProjectFilter, f"{episode}project__"), (_EpisodeFilter, episode))
    return tuple(type(kind.__name__, (kind,), {"path": path}) for kind, path in paths)


def titled_filter(kind: type[Any], title: str) -> type[Any]:
    """A filter of a field under another title than the field's name."""
    fixed = property(lambda _filter: title, lambda _filter, _name: None)
    return type(kind.__name__, (kind,), {"title": fixed})


class ChoicesFilter(_Choices):
    """By the values that a column may have, in words."""

    in_words = staticmethod(in_words)

    def choices(self, changelist: Any) -> Iterator[Any]:
        known = self.field.flatchoices
        told = [
            (value, text if isinstance(text, Promise) else self.in_words(str(value)))
            for value, text in known
        ]
        self.field = copy(self.field)
        self.field.choices = told
        yield from super().choices(changelist)


class DatesFilter(_Dates):
    """From one day to another, both whole, in the studio's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start, end = self._midnight("from", days=0), self._midnight("to", days=1)
        if start:
            queryset = queryset.filter(**{f"{self.field_path}__gte": start})
        if end:
            queryset = queryset.filter(**{f"{self.field_path}__lt": end})
        return queryset

    def _midnight(self, end: str, *, days: int) -> datetime | None:
        given = str(self.used_parameters.get(f"{self.field_path}_{end}", ""))
        try:
            day = date.fromisoformat(given) + timedelta(days=days)
        except (ValueError, OverflowError):
            return None
        return timezone.make_aware(datetime.combine(day, time.min))


class BatchStateFilter(Choice):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return [(state.value, in_words(state.value)) for state in BatchState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {state.value: condition for state, condition in batches.IN_STATE.items()}
        return queryset.filter(known.get(self.value() or "", Q()))


class PlanStateFilter(Choice):
    title = _("status of the latest run")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return [
            *((state.value, in_words(state.value)) for state in RunState),
            ("none", say("never asked for")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(run_state=None if value == "none" else value)


class AttentionFilter(Choice):
    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return [("yes", say("failed, and not asked for again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(admin_overviews.needing_attention()) if self.value() else queryset


class PanelFilter(Choice):
    title = _("panel")
    parameter_name = "panel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Words:
        return [("no", say("without panel")), ("yes", say("with panel"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(panel_id__isnull=value == "no") if value else queryset


__all__ = [
    "AttentionFilter",
    "BatchStateFilter",
    "Choice",
    "ChoicesFilter",
    "DatesFilter",
    "PanelFilter",
    "PlanStateFilter",
    "RelatedFilter",
    "Words",
    "episode_filters",
    "place_filters",
    "titled_filter",
]
