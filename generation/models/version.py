"""One published file of a plan."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from generation.models.attempt import Attempt
from generation.models.batch import Batch
from generation.models.plan_run import PlanRun
from generation.models.production import Plan
from generation.models.sentence_fields import SentenceField
from generation.models.style import Style
from generation.states import STANDING, ReviewState, VersionState
from nomenclature.rules import AI_CONCEPT, EXTRACTED_RAW
from wording import to_say

#: How many pictures one prompt may make. They are published together.
PICTURES_MAX = 16
#: In place of the SHA-256 of what is served: the file is no image that can be shown.
NOT_SHOWABLE = "-"
UNKNOWN_SERVED = frozenset({"", NOT_SHOWABLE})
#: The tasks whose versions somebody decides on.
REVIEWED_TASKS = (AI_CONCEPT,)


def first_review_state(task: str) -> str:
    """Return the review state of a new version of a task; empty where nobody decides on it."""
    return ReviewState.TO_REVIEW.value if task in REVIEWED_TASKS else ""


class Derived(models.TextChoices):
    """How far what is made of a version's file behind everybody's back is: its small pictures."""

    PENDING = "pending", "pending"
    MADE = "made", "made"
    NONE = "none", "none can be made"


class VersionQuerySet(models.QuerySet["Version"]):
    """Versions by how far they have come, and by what they are to their plan."""

    def published(self) -> Self:
        """Return those that readers may see."""
        return self.filter(state=VersionState.PUBLISHED)

    def unpublished(self) -> Self:
        """Return those that readers may not see yet, or never."""
        return self.exclude(state=VersionState.PUBLISHED)

    def reserved(self) -> Self:
        """Return those whose number is taken and whose file is still to get its name."""
        return self.filter(state=VersionState.RESERVED)

    def held_up(self) -> Self:
        """Return the reserved ones whose file could not get its name."""
        return self.reserved().exclude(held_up="")

    def derivable(self) -> Self:
        """Return those that readers may see and whose small pictures are still to be made."""
        return self.published().filter(derived=Derived.PENDING)

    def panels(self) -> Self:
        """Return the panels that are published: a plan's newest, the first, is the one it has."""
        return self.published().filter(task=EXTRACTED_RAW).order_by("-number")

    def images(self) -> Self:
        """Return what is published of plans beside their panels."""
        return self.published().exclude(task=EXTRACTED_RAW)

    def reviewed(self) -> Self:
        """Return what is published of the tasks that somebody decides on."""
        return self.published().exclude(review_state="")

    def to_review(self) -> Self:
        """Return those that nobody has decided on."""
        return self.published().filter(review_state=ReviewState.TO_REVIEW)

    def approved(self) -> Self:
        """Return those that are approved: of a plan one at most, which locks it."""
        return self.filter(review_state=ReviewState.APPROVED)

    def retakes(self) -> Self:
        """Return those that are to be made again."""
        return self.filter(review_state=ReviewState.RETAKE)

    def deciding(self) -> Self:
        """Return those that decide their plans' state, the first of a plan its own.

        That is the approved one, else the newest that nothing supersedes.
        """
        is_approved = Q(review_state=ReviewState.APPROVED)
        standing = self.published().filter(review_state__in=STANDING)
        return standing.annotate(is_approved=is_approved).order_by("-is_approved", "-number")

    def beside_panels(self) -> Self:
        """Return them, each with `made_from_panel` and `newest_panel`.

        They are the numbers of the panel that it was made from, and of the newest that its plan
        has; None where there is none.
        """
        newest = Version.objects.panels().filter(plan=OuterRef("plan")).values("number")[:1]
        made_from = F("attempt__panel__number")
        return self.annotate(made_from_panel=made_from, newest_panel=Subquery(newest))


class Version(models.Model):
    """A file named by the nomenclature; readers see it once it is published."""

    class Origin(models.TextChoices):
        RENDER = "render", _("rendered")
        UPLOAD = "upload", _("uploaded")
        IMPORT = "import", _("imported")
        FOUND = "found", _("found on disk")

    STATES: ClassVar = [(state.value, state.value) for state in VersionState]
    REVIEW_STATES: ClassVar = [
        (state.value, state.value.replace("_", " ")) for state in ReviewState
    ]

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    task = models.CharField(_("task"), max_length=32)
    number = models.PositiveSmallIntegerField(_("version"))
    extension = models.CharField(max_length=8)
    path = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=STATES, default=VersionState.RESERVED)
    review_state = models.CharField(
        _("review"),
        max_length=12,
        choices=REVIEW_STATES,
        blank=True,
        help_text="Empty: nobody decides on versions of its task.",
    )
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices)
    staging_path = models.CharField(max_length=255, blank=True)
    held_up = SentenceField(
        blank=True, help_text="Why its file could not get its name yet: a cancel still counts."
    )
    sha256 = models.CharField(max_length=64)
    served_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Empty: what is served of it is not known yet."
    )
    pixels_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of what it shows; empty: not known yet, or no image."
    )
    n_bytes = models.PositiveBigIntegerField("bytes")
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    batch = models.ForeignKey(
        Batch,
        models.PROTECT,
        verbose_name=_("batch"),
        null=True,
        blank=True,
        related_name="versions",
    )
    run = models.ForeignKey(
        PlanRun,
        models.PROTECT,
        verbose_name=_("plan run"),
        null=True,
        blank=True,
        related_name="versions",
    )
    attempt = models.ForeignKey(
        Attempt, models.PROTECT, null=True, blank=True, related_name="versions"
    )
    image = models.PositiveSmallIntegerField(
        _("picture"), default=1, help_text="Which of its attempt's pictures it is: from 1."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="versions"
    )
    derived = models.CharField(
        "small pictures", max_length=7, choices=Derived.choices, default=Derived.PENDING
    )
    revision = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["plan_id", "task", "-number"]
        permissions: ClassVar = [("upload_images", to_say("Can give panels and images"))]
        indexes = [
            models.Index(fields=["batch", "revision"], name="version_by_revision"),
            models.Index(fields=["sha256"], name="version_by_sha256"),
            models.Index(fields=["served_sha256"], name="version_by_served"),
            models.Index(fields=["pixels_sha256"], name="version_by_pixels"),
            models.Index(
                fields=["created_at"],
                name="version_reserved",
                condition=Q(state=VersionState.RESERVED),
            ),
            models.Index(
                fields=["-id"],
                name="version_to_review",
                condition=Q(state=VersionState.PUBLISHED, review_state=ReviewState.TO_REVIEW),
            ),
            models.Index(
                fields=["plan"],
                name="version_retake",
                condition=Q(review_state=ReviewState.RETAKE),
            ),
            models.Index(
                fields=["id"],
                name="version_not_yet_served",
                condition=Q(state=VersionState.PUBLISHED, served_sha256=""),
            ),
            models.Index(
                fields=["-id"],
                name="version_derivable",
                condition=Q(state=VersionState.PUBLISHED, derived=Derived.PENDING),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(derived__in=Derived.values), name="version_derived_known"
            ),
            models.UniqueConstraint(
                fields=["plan", "task", "number"], name="version_number_used_once"
            ),
            models.UniqueConstraint(fields=["path"], name="version_path_used_once"),
            models.UniqueConstraint(fields=["attempt", "image"], name="version_picture_once"),
            models.UniqueConstraint(
                fields=["plan"],
                name="version_one_approved_of_plan",
                condition=Q(review_state=ReviewState.APPROVED),
            ),
            models.CheckConstraint(
                condition=Q(
                    task__in=REVIEWED_TASKS, review_state__in=[state.value for state in ReviewState]
                )
                | (~Q(task__in=REVIEWED_TASKS) & Q(review_state="")),
                name="version_review_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.PUBLISHED)
                | Q(review_state__in=["", ReviewState.TO_REVIEW.value]),
                name="version_decided_is_published",
            ),
            models.CheckConstraint(
                condition=Q(image__gte=1, image__lte=PICTURES_MAX), name="version_picture_bounds"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=9999), name="version_number_bounds"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in VersionState]),
                name="version_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.PUBLISHED, published_at__isnull=False)
                | (Q(state=VersionState.RESERVED, published_at=None) & ~Q(staging_path=""))
                | Q(state=VersionState.OPEN, published_at=None, staging_path="", run=None),
                name="version_published_staged_or_open",
            ),
        ]

    def __str__(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def style(self) -> Style | None:
        """The style that it was asked for in, else its plan's; None: neither names one."""
        return self.batch.style if self.batch else self.plan.style

    @property
    def shown_sha256(self) -> str:
        """The SHA-256 of what is served and sent; the file's own while that is not known."""
        return self.served_sha256 if self.is_showable else self.sha256

    @property
    def is_served_as_it_is(self) -> bool:
        """Whether every byte of the file is served: a render, or nothing but a picture."""
        return self.origin == self.Origin.RENDER or self.served_sha256 == self.sha256

    @property
    def is_showable(self) -> bool:
        """Whether it is known what is served of it."""
        return self.served_sha256 not in UNKNOWN_SERVED
