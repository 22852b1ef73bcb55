"""Pages of long lists: what is beyond is found by filters and search, and is not counted."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core import paginator

if TYPE_CHECKING:
    _Paginator = paginator.Paginator[Any]
else:
    _Paginator = paginator.Paginator

#: More rows than these are neither counted nor paged through: counting grows with the past.
ROWS_COUNTED_MAX = 10_000


class BoundedPaginator(_Paginator):
    """Counts so many rows at the most."""

    @cached_property
    def count(self) -> int:
        """How many rows are paged through."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:ROWS_COUNTED_MAX].count())
