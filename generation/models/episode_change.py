"""What has changed of an episode, for those who listen to it."""

from typing import Any

from django.db import models
from django.db.models import Q

from generation.models.production import Episode


class EpisodeChange(models.Model):
    """That something visible of an episode has changed, written by what changed it.

    `number` is its place in the stream, given after the commit (`services.episode_changes`); none
    is left out. `touched` holds the ids of `plans` and `versions`, as far as it names any; or
    `everything`: more than it names.
    """

    number = models.PositiveBigIntegerField(null=True, unique=True)
    # Looked up by nobody; and to check them, drivers of different batches would lock one row.
    episode = models.ForeignKey(Episode, models.DO_NOTHING, db_constraint=False, db_index=False)
    batch_id = models.PositiveBigIntegerField(null=True)
    touched: "models.JSONField[Any, Any]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["number", "id"]
        indexes = [
            models.Index(fields=["id"], name="change_unnumbered", condition=Q(number=None)),
        ]

    def __str__(self) -> str:
        return f"change {self.number} of episode {self.episode_id}"


class Sequencer(models.Model):
    """The last number that was given, and the last that was thrown away; one row.

    Whoever numbers holds its lock.
    """

    last_number = models.PositiveBigIntegerField(default=0)
    pruned_to = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="sequencer_is_one"),
            models.CheckConstraint(
                condition=Q(pruned_to__lte=models.F("last_number")), name="sequencer_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"numbered to {self.last_number}"
