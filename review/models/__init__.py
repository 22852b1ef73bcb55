"""The rows of the review: what was decided, what was started upon it, and who may be a guest."""

from review.models.retake import Retake
from review.models.retake_reasons import RetakeReasons
from review.models.review import Review
from review.models.review_link import LinkedVersion, ReviewLink

__all__ = ["LinkedVersion", "Retake", "RetakeReasons", "Review", "ReviewLink"]
