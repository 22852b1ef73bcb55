"""The addresses of the review, added to the API's."""

from generation.api.parsers import FORM_OVERHEAD_BYTES, BoundedMultiPartParser
from generation.api.route_builders import CREATE, IDS, LIST, ONE, ROUTES, both
from review.api.exports import ContactSheetPdf, DecisionsCsv, PicturesZip
from review.api.link_views import ReviewLinkViewSet
from review.api.reason_views import RetakeReasonsView
from review.api.summary_views import SummaryView
from review.api.views import RetakeViewSet, ReviewViewSet
from review.services import review_tables


def _add() -> None:
    link = f"review-links/<{IDS}>"
    revoke = ReviewLinkViewSet.as_view({"post": "revoke"})
    read = ReviewViewSet.as_view(
        {"post": "read_table"},
        parser_classes=[BoundedMultiPartParser],
        max_body_bytes=review_tables.MAX_BYTES + FORM_OVERHEAD_BYTES,
    )
    for patterns in (
        both("reviews", ReviewViewSet.as_view(LIST | CREATE), "reviews"),
        both("reviews/table", read, "reviews-table"),
        both("exports/pictures.zip", PicturesZip.as_view(), "export-zip"),
        both("exports/contact_sheet.pdf", ContactSheetPdf.as_view(), "export-sheet"),
        both("exports/decisions.csv", DecisionsCsv.as_view(), "export-csv"),
        both("summary", SummaryView.as_view(), "summary"),
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
