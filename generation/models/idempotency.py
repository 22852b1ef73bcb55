"""What a client's own key stood for, so that a request sent twice makes one batch."""

from django.conf import settings
from django.db import models

from generation.models.batch import Batch


class IdempotencyKey(models.Model):
    """One user's key: the request that it came with, and the batch that this made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    payload = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    # None only inside the transaction that makes the batch: the key is taken first.
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "idempotency key"
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_of_user"),
        ]

    def __str__(self) -> str:
        return self.key
