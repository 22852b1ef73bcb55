"""The ComfyUI graphs that batches froze."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.workflows import contract_choices

#: By what hash the choices of nobody are known.
NOT_CHOSEN = contract_choices.sha256({})


class Workflow(models.Model):
    """An immutable ComfyUI graph in API form with what was chosen for it, as batches froze it.

    It is known by its name and by the SHA-256 of its graph and of its contract's choices. How long
    its plans take is learnt while they are rendered.
    """

    name = models.CharField(_("name"), max_length=128)
    sha256 = models.CharField(max_length=64)
    graph = models.JSONField()
    contract_sha256 = models.CharField(
        max_length=64, default=NOT_CHOSEN, help_text="Of the answers and choices."
    )
    choices = models.JSONField(
        "answers and choices", default=dict, blank=True, help_text="See workflows.contract_choices."
    )
    longest_render_s = models.FloatField(
        null=True, blank=True, help_text="The longest that a server has worked at one of its plans."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("frozen workflow")
        verbose_name_plural = _("frozen workflows")
        ordering = ["name", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "sha256", "contract_sha256"], name="workflow_unique_content"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"
