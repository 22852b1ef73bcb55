"""One board of a storyboard that came in, and the plan that it is proposed as."""

from django.db import models
from django.db.models import Q

from storyboards.models.storyboard_import import StoryboardImport


class DraftBoard(models.Model):
    """A board as it was read, as it was corrected, and the plan that it is to become."""

    of = models.ForeignKey(StoryboardImport, models.CASCADE, related_name="boards")
    position = models.PositiveIntegerField(help_text="From 1, in the order of the story.")
    page = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=64, blank=True)
    uid = models.CharField(max_length=64, blank=True)
    start_ms = models.PositiveBigIntegerField(null=True, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    dialogue = models.TextField(blank=True)
    action = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    picture_sha256 = models.CharField(max_length=64, blank=True)
    picture_suffix = models.CharField(max_length=8, blank=True)
    width_px = models.PositiveIntegerField(null=True, blank=True)
    height_px = models.PositiveIntegerField(null=True, blank=True)
    is_blank = models.BooleanField(default=False)
    doubts = models.JSONField(default=list, blank=True)
    is_checked = models.BooleanField(
        default=False, help_text="Somebody has looked at its doubts, and left or corrected it."
    )

    sequence_code = models.CharField("sequence_id", max_length=6, blank=True)
    plan_code = models.CharField("plan", max_length=4, blank=True)
    style_code = models.CharField("style", max_length=64, blank=True)
    is_selected = models.BooleanField("selected", default=False)

    class Meta:
        ordering = ["of_id", "position"]
        verbose_name = "board"
        constraints = [
            models.UniqueConstraint(fields=["of", "position"], name="board_position_used_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="board_position_from_1"),
        ]

    def __str__(self) -> str:
        return self.label or str(self.position)

    @property
    def picture_name(self) -> str:
        """The name of its picture's file; empty when it has none."""
        return f"{self.picture_sha256}.{self.picture_suffix}" if self.picture_sha256 else ""
