"""One decision about one version: append-only."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models import Version
from generation.states import ReviewState
from review.states import ADVICE, UNDOABLE, UNMOVING, Decision, Door
from wording import say, to_say

#: How many characters a comment may have, and a guest's name.
COMMENT_MAX, GUEST_MAX = 2_000, 100


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews by what they still mean."""

    def undoable(self) -> Self:
        """Return the decisions that nobody has undone, the newest first."""
        return self.filter(decision__in=UNDOABLE, undone_by=None).order_by("-pk")

    def advice(self) -> Self:
        """Return what was advised, the newest first."""
        return self.filter(decision__in=list(ADVICE)).order_by("-pk")


class Review(models.Model):
    """What somebody decided about a version, having seen it in a state.

    `became` is the state since; `changed` are the plan's other versions that the decision has
    changed with it, each as `{"version": id, "was": state, "became": state}`.
    """

    DECISIONS: ClassVar = [(decision.value, decision.value) for decision in Decision]
    STATES: ClassVar = [(state.value, state.value.replace("_", " ")) for state in ReviewState]
    DOORS: ClassVar = [(door.value, door.value) for door in Door]

    version = models.ForeignKey(Version, models.PROTECT, related_name="reviews")
    decision = models.CharField(_("decision"), max_length=16, choices=DECISIONS)
    comment = models.TextField(max_length=COMMENT_MAX, blank=True)
    seen = models.CharField(max_length=12, choices=STATES)
    became = models.CharField(max_length=12, choices=STATES)
    changed: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    follows = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="followed_by",
        help_text="The advice that was taken over.",
    )
    pin_x = models.FloatField(
        null=True, blank=True, help_text="Where on the picture, from its left edge (0) on to 1."
    )
    pin_y = models.FloatField(null=True, blank=True, help_text="And from its upper edge on.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="reviews"
    )
    guest = models.CharField(
        max_length=GUEST_MAX, blank=True, help_text="The name that a guest gave."
    )
    link = models.CharField(max_length=32, blank=True, help_text="The link that a guest used.")
    door = models.CharField(max_length=8, choices=DOORS)
    made_at = models.DateTimeField(_("when"), auto_now_add=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("decide", to_say("Can approve pictures, ask for retakes and reopen")),
            ("comment", to_say("Can comment on pictures")),
        ]
        indexes = [
            models.Index(fields=["version", "-id"], name="review_of_version"),
            models.Index(fields=["made_at"], name="review_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=[decision.value for decision in Decision]),
                name="review_decision_known",
            ),
            models.CheckConstraint(
                condition=Q(decision=Decision.UNDO.value, undoes__isnull=False)
                | (~Q(decision=Decision.UNDO.value) & Q(undoes=None)),
                name="review_undo_of_what",
            ),
            models.CheckConstraint(
                condition=Q(pin_x=None, pin_y=None)
                | Q(pin_x__gte=0, pin_x__lte=1, pin_y__gte=0, pin_y__lte=1),
                name="review_pin_on_the_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.pk}"

    @property
    def changes_something(self) -> bool:
        """Whether it is more than words."""
        return self.decision not in UNMOVING

    @property
    def author(self) -> str:
        """Who decided: a user's name, a guest's, or the console."""
        return self.guest or (self.by.get_username() if self.by else str(say("the console")))
