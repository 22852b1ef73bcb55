"""The rows of the review: what was decided about versions, and what was started upon it."""

from review.models.retake import Retake
from review.models.review import Review

__all__ = ["Retake", "Review"]
