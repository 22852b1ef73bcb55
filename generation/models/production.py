"""The production tree: project, episode, sequence, plan; and what a plan shows."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from generation.models.style import Style
from generation.states import PlanStatus, ReviewState
from wording import to_say

#: How many characters a short text of a plan may have, and a long one.
LABEL_MAX = 32
UID_MAX = 64
LINE_MAX = 500
TEXT_MAX = 10_000
SOURCE_MAX = 64


class Project(models.Model):
    """A production, known by the identifier that the frontend uses."""

    code = models.CharField("project_id", max_length=64)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["code"]
        constraints = [
            # Two projects that differ in case alone would share a folder on many file systems.
            models.UniqueConstraint(Lower("code"), name="project_code_unique_without_case"),
        ]

    def __str__(self) -> str:
        return self.code


class Episode(models.Model):
    """An episode of a season, such as E202 of S02."""

    project = models.ForeignKey(
        Project, models.PROTECT, verbose_name=_("project"), related_name="episodes"
    )
    season = models.CharField(_("season"), max_length=8)
    code = models.CharField(_("episode"), max_length=12)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        ordering = ["project_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="episode_unique_in_project"),
        ]

    def __str__(self) -> str:
        return self.code


class Sequence(models.Model):
    """A sequence of an episode, such as SQ0010."""

    episode = models.ForeignKey(
        Episode, models.PROTECT, verbose_name=_("episode"), related_name="sequences"
    )
    code = models.CharField("sequence_id", max_length=6)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")
        ordering = ["episode_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["episode", "code"], name="sequence_unique_in_episode"),
        ]

    def __str__(self) -> str:
        return self.code


class PlanQuerySet(models.QuerySet["Plan"]):
    """Plans by whether they are still to be made."""

    def set_apart(self) -> Self:
        """Return those on hold or omitted: nothing new is rendered of them."""
        return self.exclude(production_status=PlanStatus.ACTIVE)

    def locked(self) -> Self:
        """Return those of which a version is approved: a batch takes them if it is forced to."""
        return self.filter(versions__review_state=ReviewState.APPROVED)


class Plan(models.Model):
    """A storyboard plan of a sequence, such as 0010, and what it shows.

    `label` and `storyboard_uid` are what its board is called in the storyboard; `position` is its
    place in the episode; `style` is its own, None where whoever asks for it says one.
    """

    STATUSES: ClassVar = [(status.value, status.value.replace("_", " ")) for status in PlanStatus]

    sequence = models.ForeignKey(
        Sequence, models.PROTECT, verbose_name=_("sequence"), related_name="plans"
    )
    code = models.CharField(_("plan"), max_length=4)
    label = models.CharField(_("label"), max_length=LABEL_MAX, blank=True)
    storyboard_uid = models.CharField(max_length=UID_MAX, blank=True)
    dialogue = models.TextField(max_length=TEXT_MAX, blank=True)
    action = models.TextField(max_length=TEXT_MAX, blank=True)
    place = models.CharField(max_length=LINE_MAX, blank=True)
    camera = models.CharField(max_length=LINE_MAX, blank=True)
    description = models.TextField(max_length=TEXT_MAX, blank=True)
    notes = models.TextField(max_length=TEXT_MAX, blank=True)
    duration_ms = models.PositiveIntegerField("duration (ms)", null=True, blank=True)
    position = models.PositiveIntegerField("position in the episode", null=True, blank=True)
    style = models.ForeignKey(Style, models.PROTECT, null=True, blank=True, related_name="plans")
    production_status = models.CharField(
        _("in production"), max_length=8, choices=STATUSES, default=PlanStatus.ACTIVE
    )
    text_revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["sequence_id", "code"]
        permissions: ClassVar = [
            ("write_plans", to_say("Can change what is known of plans; make them of storyboards")),
        ]
        indexes = [
            models.Index(fields=["label"], name="plan_by_label", condition=~Q(label="")),
            models.Index(
                fields=["storyboard_uid"],
                name="plan_by_storyboard_uid",
                condition=~Q(storyboard_uid=""),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sequence", "code"], name="plan_unique_in_sequence"),
            models.CheckConstraint(
                condition=Q(production_status__in=[status.value for status in PlanStatus]),
                name="plan_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_set_apart(self) -> bool:
        """Whether nothing new is rendered of it: the rule of `PlanQuerySet.set_apart`."""
        return self.production_status != PlanStatus.ACTIVE


class PlanTextChange(models.Model):
    """One change of what is known of a plan: append-only.

    `before` and `after` hold the changed fields alone; `source` says by which door it came.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="text_changes")
    revision = models.PositiveIntegerField()
    source = models.CharField(max_length=SOURCE_MAX)
    before: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    after: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["plan_id", "-revision"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "revision"], name="plan_text_change_once"),
        ]

    def __str__(self) -> str:
        return f"change {self.revision} of {self.plan_id}"
