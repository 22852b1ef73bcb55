"""A link by which somebody without an account sees and judges some versions, and nothing else."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generation.models import Episode, Version
from generation.models import Sequence as SequenceRow
from wording import say, to_say

#: How many characters the name of a link may have, and how many guests may use one.
LABEL_MAX, GUESTS_MAX = 100, 50


class ReviewLinkQuerySet(models.QuerySet["ReviewLink"]):
    """Links by whether they lead anywhere."""

    def valid(self, now: datetime) -> Self:
        """Return those that are good at a moment: not revoked, not expired."""
        return self.filter(revoked_at=None, expires_at__gt=now)


class ReviewLink(models.Model):
    """Who has its token sees the versions that were chosen when it was made.

    Only the token's hash is kept. `password` is a hash like a user's, empty without one. `guests`
    are the names that those who used it gave. A link is never changed but by being revoked.
    """

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(max_length=LABEL_MAX, blank=True, help_text="For whom, or what for.")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="review_links")
    sequence = models.ForeignKey(
        SequenceRow, models.PROTECT, null=True, blank=True, related_name="review_links"
    )
    password = models.CharField(max_length=128, blank=True, editable=False)
    may_decide = models.BooleanField(
        default=False, help_text="Whether what guests say decides; else it is advice."
    )
    may_download = models.BooleanField(default=False)
    guests: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="review_links"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link for guests")
        verbose_name_plural = _("links for guests")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("share", to_say("Can give links by which guests judge pictures"))]

    def __str__(self) -> str:
        return self.label or str(say("link {pk}", pk=self.pk))

    @property
    def key(self) -> str:
        """What the reviews that came by it call it."""
        return str(self.pk)

    @property
    def state(self) -> str:
        """Whether it leads anywhere: `open`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"


class LinkedVersion(models.Model):
    """A version that a link shows, with the panel that its plan had when the link was made."""

    link = models.ForeignKey(ReviewLink, models.CASCADE, related_name="linked")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    panel = models.ForeignKey(Version, models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["link", "version"], name="review_link_shows_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} by link {self.link_id}"
