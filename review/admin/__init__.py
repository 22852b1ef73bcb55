"""The supervisors' door to the review: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from review.admin import light_tables, links, reviews

GROUPS.add(
    (
        "Review",
        (
            ("To review", "rule", "review.review:tables"),
            ("Decisions", "gavel", "review.review"),
            ("Links for guests", "link", "review.reviewlink"),
        ),
    )
)

__all__ = ["light_tables", "links", "reviews"]
