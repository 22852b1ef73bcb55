"""A request: its plans' style, workflow and values, and how many of them are in each state."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from generation.models.capability import Needs
from generation.models.frozen_workflow import Workflow
from generation.models.production import Episode
from generation.models.style import Style
from generation.states import (
    BatchState,
    Mode,
    RunState,
    batch_state,
    is_unfinished,
)
from wording import to_say

#: How long a batch's name and the reason for it may be, in characters.
NAME_MAX, REASON_MAX = 200, 2000
#: What goes first: the higher.
PRIORITY_LOW, PRIORITY_HIGH = -100, 100
#: How many runs of each plan a batch may have.
VARIATIONS_MAX = 16


class Batch(models.Model):
    """One request: plans, style, workflow, params, mode; counters per state and a revision."""

    MODES: ClassVar = [(mode.value, mode.value) for mode in Mode]

    public_id = models.CharField("batch_id", max_length=32, unique=True)
    episode = models.ForeignKey(
        Episode, models.PROTECT, verbose_name=_("episode"), related_name="batches"
    )
    style = models.ForeignKey(
        Style, models.PROTECT, verbose_name=_("style"), related_name="batches"
    )
    workflow = models.ForeignKey(
        Workflow,
        models.PROTECT,
        verbose_name=_("workflow"),
        related_name="batches",
        null=True,
        blank=True,
    )
    mode = models.CharField(_("mode"), max_length=8, choices=MODES, default=Mode.AUTO)
    name = models.CharField(max_length=NAME_MAX, blank=True, help_text="What people call it.")
    reason = models.TextField(blank=True, help_text="Why it was asked for, as the request says.")
    variations = models.PositiveSmallIntegerField(
        default=1, help_text="How many runs each plan has, each with a seed of its own."
    )
    params = models.JSONField(default=dict, blank=True)
    sources = models.JSONField(
        default=dict, blank=True, help_text="Where each value of all its plans came from."
    )
    needs_panel = models.BooleanField(default=False)
    needs = models.ForeignKey(Needs, models.PROTECT, related_name="batches", null=True, blank=True)
    rerun_of = models.ForeignKey(
        "generation.Version",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reruns",
        help_text="The version whose recipe it follows: its graph is posted as it was.",
    )
    priority = models.SmallIntegerField(_("priority"), default=0)
    max_tries = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How often each plan may fail; empty: MADSEA_TRIES."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("requested by"),
        null=True,
        blank=True,
        related_name="batches",
    )

    revision = models.PositiveBigIntegerField(default=1)
    has_started = models.BooleanField(default=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    n_total = models.PositiveIntegerField(default=0)
    n_queued = models.PositiveIntegerField(default=0)
    n_waiting = models.PositiveIntegerField(default=0)
    n_running = models.PositiveIntegerField(default=0)
    n_done = models.PositiveIntegerField(default=0)
    n_error = models.PositiveIntegerField(default=0)
    n_cancelled = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("date of the request"), auto_now_add=True)
    served_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        permissions: ClassVar = [
            ("ask_for_plans", to_say("Can ask for plans; retry, cancel and steer batches")),
        ]
        indexes = [
            models.Index(
                fields=["-priority", "n_running", "served_at"],
                name="batch_next_to_serve",
                condition=Q(n_queued__gt=0),
            ),
            models.Index(fields=["episode", "-id"], name="batch_of_episode"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    n_total=F("n_queued")
                    + F("n_waiting")
                    + F("n_running")
                    + F("n_done")
                    + F("n_error")
                    + F("n_cancelled")
                ),
                name="batch_counters_add_up",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=[mode.value for mode in Mode]), name="batch_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=-100, priority__lte=100), name="batch_priority_bounds"
            ),
            models.CheckConstraint(
                condition=Q(max_tries=None) | Q(max_tries__gte=1, max_tries__lte=20),
                name="batch_max_tries_bounds",
            ),
            models.CheckConstraint(
                condition=Q(variations__gte=1, variations__lte=VARIATIONS_MAX),
                name="batch_variations_bounds",
            ),
            models.CheckConstraint(
                condition=Q(mode=Mode.MANUEL) | Q(workflow__isnull=False),
                name="batch_auto_has_workflow",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def counts(self) -> dict[RunState, int]:
        """How many runs are in each state."""
        return {state: getattr(self, f"n_{state.value}") for state in RunState}

    @property
    def is_unfinished(self) -> bool:
        """Whether something of it is still to come."""
        return is_unfinished(self.counts)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether a cancel of the whole has something to do."""
        return self.is_unfinished and self.cancel_requested_at is None

    @property
    def can_be_retried(self) -> bool:
        """Whether a retry of the whole may take something: see `PlanRunQuerySet.retried_with`."""
        return self.n_error > 0 or self.status == BatchState.CANCELLED

    @property
    def status(self) -> BatchState:
        """What the batch says of itself, from its counters."""
        return batch_state(
            self.counts,
            has_started=self.has_started,
            cancel_requested=self.cancel_requested_at is not None,
        )
