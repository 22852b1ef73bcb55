"""The rows of the review: what was decided about versions."""

from review.models.review import Review

__all__ = ["Review"]
