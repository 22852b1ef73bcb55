"""The addresses of the review, added to the API's."""

from generation.api.route_builders import CREATE, IDS, LIST, ONE, ROUTES, both
from review.api.link_views import ReviewLinkViewSet
from review.api.reason_views import RetakeReasonsView
from review.api.views import RetakeViewSet, ReviewViewSet


def _add() -> None:
    link = f"review-links/<{IDS}>"
    revoke = ReviewLinkViewSet.as_view({"post": "revoke"})
    for patterns in (
        both("reviews", ReviewViewSet.as_view(LIST | CREATE), "reviews"),
        both("retakes", RetakeViewSet.as_view(LIST | CREATE), "retakes"),
        both(
            "projects/<str:project_id>/retake-reasons",
            RetakeReasonsView.as_view(),
            "retake-reasons",
        ),
        both("review-links", ReviewLinkViewSet.as_view(LIST | CREATE), "review-links"),
        both(link, ReviewLinkViewSet.as_view(ONE), "review-links-one"),
        both(f"{link}/revoke", revoke, "review-links-revoke"),
    ):
        for pattern in patterns:
            ROUTES.add(pattern)


_add()
