"""The addresses of the review, added to the API's."""

from generation.api.url_patterns import CREATE, LIST, ROUTES, both
from review.api.views import RetakeViewSet, ReviewViewSet


def _add() -> None:
    for name, views in (("reviews", ReviewViewSet), ("retakes", RetakeViewSet)):
        for pattern in both(name, views.as_view(LIST | CREATE), name):
            ROUTES.add(pattern)


_add()
