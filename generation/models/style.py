"""The looks that a request can ask for."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from generation import picture_checks

#: How many characters the texts of a style may have.
PROMPT_MAX = 10_000


class Style(models.Model):
    """A look that a request can ask for: its default workflow and parameters.

    The parameters hold for the workflows that the style names: its default one, and others.
    """

    code = models.SlugField(_("code"), max_length=64, unique=True)
    label = models.CharField(_("label"), max_length=128)
    workflow_name = models.CharField(_("default workflow"), max_length=128)
    more_workflows = models.JSONField(
        _("other workflows"),
        default=list,
        blank=True,
        help_text=_(
            'Names of the other workflows that the default parameters hold for: ["A.json"].'
        ),
    )
    params = models.JSONField(_("default parameters"), default=dict, blank=True)
    prompt = models.TextField(
        _("prompt"),
        max_length=PROMPT_MAX,
        blank=True,
        help_text=_(
            "What a plan is made with, instead of the workflow's own; fields in braces are"
            " filled in for each: {description}, {place}, {camera}, {notes}, {dialogue}, {label},"
            " {episode}, {sequence}, {plan}."
        ),
    )
    negative_prompt = models.TextField(
        _("negative prompt"),
        max_length=PROMPT_MAX,
        blank=True,
        help_text=_("What it must not show."),
    )
    variants: "models.JSONField[Any, Any]" = models.JSONField(
        _("light variants"),
        default=dict,
        blank=True,
        help_text=_(
            'Presets to choose from: {"blue_hour": {"label": "Blue hour", "params":'
            ' {"cfg": 8, "steps": 40}}}.'
        ),
    )
    checks: "models.JSONField[Any, Any]" = models.JSONField(
        _("checks"),
        default=dict,
        blank=True,
        help_text=_(
            "Bounds of what is checked of its pictures before anybody looks, from 0 to 1;"
            ' null switches a check off: {"composition": 0.7, "like_plan": null}. What is not named'
            " keeps its default."
        ),
    )
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("style")
        verbose_name_plural = _("styles")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.label

    @property
    def workflow_names(self) -> list[str]:
        """The workflows that the default parameters hold for, the default one first."""
        return list(dict.fromkeys([self.workflow_name, *self.more_workflows]))

    @property
    def values(self) -> dict[str, Any]:
        """What it gives the parameters of these workflows: its texts over its parameters."""
        texts = {"prompt": self.prompt, "negative_prompt": self.negative_prompt}
        params: dict[str, Any] = self.params
        return params | {name: text for name, text in texts.items() if text}

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds of the checks that are on for its pictures."""
        return picture_checks.bounds(self.checks)
