"""One prompt on one ComfyUI server."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generation.models.plan_run import PlanRun
from generation.models.sentence_fields import SentenceField
from generation.models.server import Server
from generation.states import AttemptOutcome


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Attempts by whether they are still under way."""

    def under_way(self) -> Self:
        """Return those that have not ended."""
        return self.filter(outcome=AttemptOutcome.OPEN)

    def held(self, attempt_id: int, lease_token: Any) -> Self:
        """Return the attempt, if it has not ended and this lease may write about it."""
        return self.filter(pk=attempt_id, lease_token=lease_token, outcome=AttemptOutcome.OPEN)

    def left_behind(self) -> Self:
        """Return those whose prompts may still be on their server, to be deleted there."""
        return self.filter(is_left_behind=True)


class Attempt(models.Model):
    """Committed before its prompt is posted; its lease token fences every write about it."""

    OUTCOMES: ClassVar = [(outcome.value, outcome.value) for outcome in AttemptOutcome]

    run = models.ForeignKey(PlanRun, models.PROTECT, related_name="attempts")
    server = models.ForeignKey(
        Server, models.PROTECT, verbose_name=_("server"), related_name="attempts"
    )
    number = models.PositiveIntegerField()
    prompt_id = models.UUIDField(unique=True)
    server_prompt_id = models.CharField(
        max_length=128,
        blank=True,
        help_text="The id that its server gave the prompt, where it is not the proposed one.",
    )
    server_version = models.CharField(
        max_length=32, blank=True, help_text="Its server's ComfyUI, when the attempt began."
    )
    lease_token = models.UUIDField()
    outcome = models.CharField(max_length=10, choices=OUTCOMES, default=AttemptOutcome.OPEN)
    outcome_detail = SentenceField(blank=True)
    failure_code = models.CharField(max_length=48, blank=True)
    is_held_against = models.BooleanField(
        default=False, help_text="Its plan goes to other servers while one of them can take it."
    )
    is_left_behind = models.BooleanField(
        default=False, help_text="Its prompt may still be on the server, to be deleted first thing."
    )
    graph = models.JSONField()
    seed = models.CharField(max_length=20, blank=True)
    panel = models.ForeignKey(
        "generation.Version", models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    watched = models.JSONField(
        null=True, blank=True, help_text="How long its drivers have waited for what (durations)."
    )
    render_s = models.FloatField(
        null=True,
        blank=True,
        help_text="How long the server worked at it, by its own clock, and no longer than it had.",
    )

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["server", "-id"], name="attempt_of_server"),
            models.Index(
                fields=["server"],
                name="attempt_open_of_server",
                condition=Q(outcome=AttemptOutcome.OPEN),
            ),
            models.Index(
                fields=["server"],
                name="attempt_left_on_server",
                condition=Q(is_left_behind=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run"],
                name="attempt_one_open_per_run",
                condition=Q(outcome=AttemptOutcome.OPEN),
            ),
            models.UniqueConstraint(fields=["run", "number"], name="attempt_unique_number"),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in AttemptOutcome]),
                name="attempt_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return str(self.prompt_id)

    @property
    def id_on_server(self) -> str:
        """The prompt id that counts: its server's, or until that is known the proposed one."""
        return self.server_prompt_id or str(self.prompt_id)
