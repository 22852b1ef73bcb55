"""One file that came in as an episode's storyboard."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models.sentence_fields import SentencesField
from storyboards.states import ImportState


class StoryboardImportQuerySet(models.QuerySet["StoryboardImport"]):
    """Imports by how far they have come."""

    def reading(self) -> Self:
        """Return those that are still to be read."""
        return self.filter(state=ImportState.READING)

    def waiting(self, now: datetime) -> Self:
        """Return those that nobody reads now, the oldest first."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.reading().filter(free).order_by("pk")

    def drafts(self) -> Self:
        """Return those that a person looks over."""
        return self.filter(state=ImportState.DRAFT)

    def confirmed(self) -> Self:
        """Return those whose plans are made."""
        return self.filter(state=ImportState.CONFIRMED)


class StoryboardImport(models.Model):
    """A storyboard's file, and what was read of it; the tree is named as the request named it."""

    STATES: ClassVar = [(state.value, state.value) for state in ImportState]

    public_id = models.CharField("id", max_length=32, unique=True)
    project_code = models.CharField(_("project"), max_length=64)
    season = models.CharField(max_length=8)
    episode_code = models.CharField(_("episode"), max_length=12)
    file_name = models.CharField(max_length=255)
    n_bytes = models.PositiveBigIntegerField("bytes")
    sha256 = models.CharField(max_length=64)
    pictures = models.CharField(
        max_length=8,
        default="first",
        help_text="Of several pictures of a plan: first, last or all.",
    )

    state = models.CharField(_("state"), max_length=10, choices=STATES, default=ImportState.READING)
    progress_pct = models.PositiveSmallIntegerField("progress", default=0)
    error = SentencesField(
        null=True, blank=True, help_text="Why it cannot be read: code, detail and data."
    )
    kind = models.CharField(max_length=16, blank=True)
    title = models.CharField(max_length=255, blank=True)
    doubts = models.JSONField(default=list, blank=True)
    made = models.JSONField(
        default=dict, blank=True, help_text="What its confirmation has made, by counts."
    )
    revision = models.PositiveBigIntegerField(default=1)

    n_tries = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(_("came"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = StoryboardImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("storyboard")
        verbose_name_plural = _("storyboards")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"],
                name="storyboard_reading",
                condition=Q(state=ImportState.READING),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ImportState]),
                name="storyboard_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=ImportState.CONFIRMED, confirmed_at__isnull=False)
                | (~Q(state=ImportState.CONFIRMED) & Q(confirmed_at=None)),
                name="storyboard_confirmed_when",
            ),
            models.CheckConstraint(
                condition=Q(state=ImportState.FAILED, error__isnull=False)
                | (~Q(state=ImportState.FAILED) & Q(error__isnull=True)),
                name="storyboard_failed_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.episode_code} · {self.file_name}"

    @property
    def is_draft(self) -> bool:
        """Whether it can be changed and confirmed."""
        return self.state == ImportState.DRAFT

    @property
    def folder(self) -> str:
        """Where its files lie, relative to the projects root."""
        return f"{FOLDER}/{self.public_id}"


#: The hidden folder of all storyboards that came in.
FOLDER = ".storyboards"
