"""The supervisors' door to the review: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from review.admin import reviews

GROUPS.add(("Review", (("Decisions", "gavel", "review.review"),)))

__all__ = ["reviews"]
