"""What a client's own key stood for, so that a request sent twice does once what it asks for."""

from django.conf import settings
from django.db import models

from generation.models.batch import Batch


class IdempotencyKey(models.Model):
    """One user's key: the request that it came with, and what came of it.

    That is the batch that it made or, of another `kind`, what was answered.
    """

    BATCH = "batch"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    payload = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, default=BATCH)
    # None only inside the transaction that makes the batch: the key is taken first.
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, related_name="+")
    answer = models.JSONField(null=True, help_text="Of what makes no batch.")
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
