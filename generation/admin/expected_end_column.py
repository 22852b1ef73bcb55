"""The column of a list that says when each row is expected to end: one forecast for all of it."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import html
from generation.selectors import expected_ends
from generation.selectors.expected_ends import Expected, Forecast

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Admin = ModelAdmin[Any]
else:
    _Admin = object


class ExpectedEndColumn(_Admin):
    """A list of rows of which some are unfinished, with the column `expected_end`."""

    def is_unfinished(self, row: Any) -> bool:
        raise NotImplementedError

    def end_of(self, row: Any, told: Forecast) -> Expected | None:
        raise NotImplementedError

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        # Kept by the list, which is asked for no second time.
        unfinished = [row for row in listed.result_list if self.is_unfinished(row)]
        told = expected_ends.forecast() if unfinished else Forecast()
        for row in unfinished:
            row.expected_end = self.end_of(row, told)
        return listed

    @admin.display(description=_("expected end"))
    def expected_end(self, row: Any) -> SafeString:
        return html.live_piece(
            f"end-{row.pk}", html.expected_end(getattr(row, "expected_end", None))
        )
