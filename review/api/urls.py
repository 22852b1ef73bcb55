"""The addresses of the review, added to the API's."""

from generation.api.url_patterns import CREATE, LIST, ROUTES, both
from review.api.views import ReviewViewSet


def _add() -> None:
    for pattern in both("reviews", ReviewViewSet.as_view(LIST | CREATE), "reviews"):
        ROUTES.add(pattern)


_add()
