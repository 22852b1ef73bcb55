"""The passage of each plan through a batch."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext_lazy as _

from generation.models.batch import VARIATIONS_MAX, Batch
from generation.models.capability import Needs
from generation.models.frozen_workflow import Workflow
from generation.models.production import Plan
from generation.models.sentence_fields import SentenceField
from generation.states import RETRYABLE, UNFINISHED, BatchState, RunState, WaitReason


class PlanRunQuerySet(models.QuerySet["PlanRun"]):
    """Runs by what may become of them."""

    def queued(self) -> Self:
        """Return those that are to be rendered."""
        return self.filter(state=RunState.QUEUED)

    def ready(self) -> Self:
        """Return those that are to be rendered and wait for nothing but their turn."""
        return self.filter(state=RunState.QUEUED, wait_reason=WaitReason.TURN)

    def waiting_for_panel(self) -> Self:
        """Return those that go on once their plan has a panel."""
        return self.filter(state=RunState.QUEUED, wait_reason=WaitReason.PANEL)

    def in_turn(self) -> Self:
        """Return them in the order in which servers would take them if nothing ended meanwhile.

        Each that is taken makes its batch run one more, and be the one that was served last: the
        n-th of a batch comes after all those whose batches have fewer running by then, and, of as
        many, after those of which fewer were taken. See `RunGroupQuerySet.in_turn`.
        """
        nth = Window(RowNumber(), partition_by="batch", order_by="position")
        served_at = F("batch__served_at").asc(nulls_first=True)
        return self.annotate(nth=nth).order_by(
            "-batch__priority", F("batch__n_running") + F("nth"), "nth", served_at, "batch_id"
        )

    def unfinished(self) -> Self:
        """Return those that are neither done nor failed nor cancelled."""
        return self.filter(state__in=UNFINISHED)

    def stoppable(self) -> Self:
        """Return the unfinished that nobody has asked to stop."""
        return self.unfinished().filter(cancel_requested_at=None)

    def retryable(self) -> Self:
        """Return those that a retry may queue again."""
        return self.filter(state__in=RETRYABLE)

    def of_locked_plans(self) -> Self:
        """Return those whose plan is approved: nothing new is made of it."""
        return self.filter(plan__in=Plan.objects.locked())

    def of_unlocked_plans(self) -> Self:
        """Return those whose plan is not approved."""
        return self.exclude(plan__in=Plan.objects.locked())

    def of_set_apart_plans(self) -> Self:
        """Return those whose plan is on hold or omitted: nothing new is made of it."""
        return self.filter(plan__in=Plan.objects.set_apart())

    def of_plans_to_make(self) -> Self:
        """Return those whose plan is neither approved nor set apart."""
        return self.of_unlocked_plans().exclude(plan__in=Plan.objects.set_apart())

    def retried_with(self, batches: Sequence[Batch]) -> Self:
        """Return what a retry of whole batches takes: the failed, of a cancelled batch all."""
        cancelled = [batch.pk for batch in batches if batch.status == BatchState.CANCELLED]
        is_taken = Q(state=RunState.ERROR) | Q(batch__in=cancelled)
        return self.retryable().filter(is_taken, batch__in=[batch.pk for batch in batches])


class PlanRun(models.Model):
    """One plan's passage through one batch, or one variation of it."""

    STATES: ClassVar = [(state.value, state.value) for state in RunState]
    REASONS: ClassVar = [(reason.value, reason.value or "its turn") for reason in WaitReason]

    batch = models.ForeignKey(Batch, models.PROTECT, verbose_name=_("batch"), related_name="runs")
    plan = models.ForeignKey(Plan, models.PROTECT, verbose_name=_("plan"), related_name="runs")
    variation = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField()
    state = models.CharField(_("status"), max_length=10, choices=STATES)
    wait_reason = models.CharField(max_length=16, choices=REASONS, default="", blank=True)
    progress_pct = models.PositiveSmallIntegerField(default=0)
    own_workflow = models.ForeignKey(
        Workflow,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Where a retry named another than its batch's: then all values are its own.",
    )
    params = models.JSONField("own values", default=dict, blank=True)
    sources = models.JSONField(
        default=dict, blank=True, help_text="Where each value of its own came from, its seed too."
    )
    texts = models.JSONField(
        default=dict,
        blank=True,
        help_text="What its plan told, when it was asked for, for the fields of its prompt texts.",
    )
    group = models.ForeignKey(
        "generation.RunGroup",
        models.PROTECT,
        related_name="runs",
        null=True,
        blank=True,
        help_text="Those of its batch that need the same of a server; empty in mode manuel.",
    )
    seed = models.CharField(max_length=20, blank=True)
    n_attempts = models.PositiveIntegerField(default=0)
    n_tries = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts that failed and count, since it was requested or retried."
    )
    tried_from = models.PositiveIntegerField(
        default=0, help_text="How many attempts there had been when it was retried last."
    )
    current_attempt = models.ForeignKey(
        "generation.Attempt", models.PROTECT, null=True, blank=True, related_name="+"
    )
    result = models.ForeignKey(
        "generation.Version", models.PROTECT, null=True, blank=True, related_name="+"
    )
    error_code = models.CharField(max_length=48, blank=True)
    error_message = SentenceField(blank=True)
    error_remedy = SentenceField(blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(_("date of the request"), auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = PlanRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan run")
        verbose_name_plural = _("plan runs")
        ordering = ["batch_id", "position"]
        indexes = [
            models.Index(
                fields=["group", "position"],
                name="run_next_of_group",
                condition=Q(state=RunState.QUEUED, wait_reason=""),
            ),
            models.Index(fields=["batch", "state"], name="run_by_state"),
            models.Index(fields=["batch", "revision"], name="run_by_revision"),
            models.Index(fields=["state", "-id"], name="run_of_state"),
            models.Index(
                fields=["plan"],
                name="run_waits_for_panel",
                condition=Q(wait_reason=WaitReason.PANEL),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "plan", "variation"], name="run_unique_in_batch"
            ),
            models.CheckConstraint(
                condition=Q(variation__gte=1, variation__lte=VARIATIONS_MAX),
                name="run_variation_bounds",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in RunState]), name="run_state_known"
            ),
            models.CheckConstraint(condition=Q(progress_pct__lte=100), name="run_progress_bounds"),
            # Invariant 6: no plan is done without a file.
            models.CheckConstraint(
                condition=~Q(state=RunState.DONE) | Q(result__isnull=False),
                name="run_done_has_a_result",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.ERROR) | ~Q(error_code=""),
                name="run_error_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.RUNNING) | Q(current_attempt__isnull=False),
                name="run_running_has_an_attempt",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def can_be_retried(self) -> bool:
        """Whether a retry may queue it again: the rule of `PlanRunQuerySet.retryable`."""
        return self.state in RETRYABLE

    @property
    def can_be_stopped(self) -> bool:
        """Whether a cancel has something to do: the rule of `PlanRunQuerySet.stoppable`."""
        return self.state in UNFINISHED and self.cancel_requested_at is None

    @property
    def workflow(self) -> Workflow | None:
        """The workflow that it is made with: the one that a retry named, else its batch's."""
        return self.batch.workflow if self.own_workflow_id is None else self.own_workflow

    @property
    def workflow_id(self) -> int | None:
        """The id of its `workflow`."""
        return self.own_workflow_id or self.batch.workflow_id

    @property
    def values(self) -> dict[str, Any]:
        """All values that it is made with: its own, over those of its batch for its workflow."""
        own: dict[str, Any] = self.params
        return own if self.own_workflow_id is not None else self.batch.params | own

    @property
    def value_sources(self) -> dict[str, str]:
        """Where each of its `values`, and its seed, came from."""
        own: dict[str, str] = self.sources
        return own if self.own_workflow_id is not None else self.batch.sources | own

    @property
    def needed(self) -> Needs | None:
        """What it needs of a server; None when that is not known."""
        return self.group.needs if self.group else None
