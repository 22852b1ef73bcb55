"""One act that changed something, whoever did it and whatever was changed: append-only."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Act(models.Model):
    """Who did what to what, when; `before` and `after` hold what was changed of it.

    `target` names it in words, `target_kind` and `target_id` are its model's name and its id.
    """

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="acts"
    )
    actor_name = models.CharField(
        _("by"), max_length=150, help_text="As it was then: a user's, a guest's, or the console."
    )
    verb = models.CharField(_("what was done"), max_length=32)
    target_kind = models.CharField(_("to what"), max_length=32)
    target_id = models.PositiveBigIntegerField()
    target = models.CharField(max_length=255)
    before: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    after: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("act")
        verbose_name_plural = _("acts")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-id"], name="act_on_what"),
            models.Index(fields=["at"], name="act_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.target}"
