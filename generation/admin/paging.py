"""Pages of long lists: what is beyond is found by filters and search, and is not counted."""

from functools import cached_property

from django.core.paginator import Paginator

#: More rows than these are neither counted nor paged through: counting grows with the past.
ROWS_COUNTED_MAX = 10_000


class BoundedPaginator(Paginator):
    """Counts so many rows at the most."""

    @cached_property
    def count(self) -> int:
        """How many rows are paged through."""
        found = self.object_list.order_by().values("pk")[:ROWS_COUNTED_MAX]
        return int(found.count())
