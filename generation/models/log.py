"""One thing that happened to a batch or to one of its plans."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.events import LEVELS
from generation.models.batch import Batch
from generation.models.plan_run import PlanRun
from generation.models.sentence_fields import SentencesField


class LogEntry(models.Model):
    """When, level, event code and data; `generation.events` makes the sentence."""

    LEVEL_CHOICES: ClassVar = [(level, level) for level in LEVELS]

    batch = models.ForeignKey(Batch, models.PROTECT, verbose_name=_("batch"), related_name="logs")
    run = models.ForeignKey(
        PlanRun,
        models.PROTECT,
        verbose_name=_("plan run"),
        null=True,
        blank=True,
        related_name="logs",
    )
    at = models.DateTimeField(_("when"), auto_now_add=True)
    level = models.CharField(_("level"), max_length=8, choices=LEVEL_CHOICES)
    event = models.CharField(max_length=48)
    data = SentencesField(default=dict, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revision = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["batch", "revision", "id"], name="log_in_order"),
            models.Index(fields=["run", "-id"], name="log_of_run"),
        ]

    def __str__(self) -> str:
        return self.event
