"""The words in which a project asks for retakes."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.models import Project

#: So many can be chosen by a digit each; and how many characters one has.
REASONS_MAX, REASON_MAX = 9, 200


class RetakeReasons(models.Model):
    """A project's vocabulary of reasons, in the order in which they are offered."""

    project = models.OneToOneField(
        Project, models.CASCADE, related_name="retake_reasons", verbose_name=_("project")
    )
    reasons: "models.JSONField[Any, Any]" = models.JSONField(_("reasons"), default=list, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["project"]
        verbose_name = _("reasons for retakes")
        verbose_name_plural = _("reasons for retakes")

    def __str__(self) -> str:
        return str(self.project)
