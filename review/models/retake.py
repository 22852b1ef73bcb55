"""What was started to answer a decision that asked for a retake."""

from typing import Any

from django.conf import settings
from django.db import models

from generation.models import Batch
from review.models.review import Review


class Retake(models.Model):
    """One try to make a version's plan better: the batch that was asked for, and with what else.

    `number` counts the tries at one decision; `asked` is what was changed: `seed` (`new`, `same`
    or a number), `prompt_addition`, `params`.
    """

    review = models.ForeignKey(Review, models.PROTECT, related_name="retakes")
    number = models.PositiveSmallIntegerField()
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")
    asked: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="retake_number_once"),
            models.UniqueConstraint(fields=["review", "batch"], name="retake_once_in_a_batch"),
        ]

    def __str__(self) -> str:
        return f"retake {self.number} of {self.review_id}"
