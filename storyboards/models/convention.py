"""How a project's storyboards tell styles and sequences."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.models import Project
from wording import say


def default_words() -> dict[str, Any]:
    """Return what is meant where a project says nothing: the word at the head, and its style."""
    return {"LABO": "labo"}


class Convention(models.Model):
    """A project's own habit; projects without a row have the defaults."""

    class SequencesBy(models.TextChoices):
        STYLE = "style", _("where the style changes")
        SHOT = "shot", _("with each shot")

    project = models.OneToOneField(
        Project, models.CASCADE, verbose_name=_("project"), related_name="storyboard_convention"
    )
    style_words = models.JSONField(
        _("style words"),
        default=default_words,
        blank=True,
        help_text=_(
            'The word at the head of a board\'s action, and the style it means: {"LABO": "labo"}.'
        ),
    )
    default_style = models.CharField(
        _("default style"),
        max_length=64,
        default="ombres_chinoises",
        validators=[RegexValidator(r"^[A-Za-z0-9_-]{1,64}$")],
        help_text=_("The style of boards that begin with none of these words."),
    )
    sequences_by = models.CharField(
        _("sequences begin"),
        max_length=8,
        choices=SequencesBy,
        default=SequencesBy.STYLE,
        help_text=_("Where a new sequence begins."),
    )

    class Meta:
        verbose_name = _("convention")
        verbose_name_plural = _("conventions")
        ordering = ["project_id"]

    def __str__(self) -> str:
        return str(say("Storyboards of {project}", project=self.project))
