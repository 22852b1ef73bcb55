"""The supervisors' door to the review: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from review.admin import light_tables, reviews

GROUPS.add(
    (
        "Review",
        (
            ("To review", "rule", "review.review:tables"),
            ("Decisions", "gavel", "review.review"),
        ),
    )
)

__all__ = ["light_tables", "reviews"]
