"""What the name of a workflow stands for today: requests look it up here, and freeze it."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.models.sentence_fields import SentencesField
from wording import to_say


class NamedWorkflow(models.Model):
    """The current graph of a name, the document that it came from, and what was chosen for it.

    All machines share it. `graph` is null where the document cannot be used: `error` says why.
    `file_sha256` and `file_changed_at` tell which file of the workflows folder was read last.
    """

    name = models.CharField(_("name"), max_length=128)
    folded = models.CharField(
        max_length=400, unique=True, help_text="The name without regard to case."
    )
    document = models.TextField(blank=True, help_text="The text as it was given.")
    graph: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    remarks = SentencesField(
        default=list,
        blank=True,
        help_text='What of the document is not in the graph: [{"code", "detail", "node"}]',
    )
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the graph.")
    error = SentencesField(null=True, blank=True, help_text='{"code", "detail", "node"}')
    choices = models.JSONField(
        "answers and choices", default=dict, blank=True, help_text="See workflows.contract_choices."
    )
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_changed_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("changed by"),
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["folded"]
        default_permissions = ("view", "delete")
        permissions: ClassVar = [
            (
                "give_workflow",
                to_say("Can give and change workflows: they run nodes on the GPU hosts"),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_stored(self) -> bool:
        """Whether it is as it is in the database: not what a file says beyond it."""
        return not self._state.adding

    def unstored_copy(self) -> "NamedWorkflow":
        """Return a copy that can be changed without being stored."""
        fields = [field.attname for field in self._meta.fields]
        return NamedWorkflow(**{name: getattr(self, name) for name in fields})
