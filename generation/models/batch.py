"""A request, and the passage of each of its plans."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber

from generation.models.capability import Needs
from generation.models.production import Episode, Plan
from generation.models.workflow import Style, Workflow
from generation.states import (
    RETRYABLE,
    UNFINISHED,
    BatchState,
    Mode,
    RunState,
    WaitReason,
    batch_state,
    is_unfinished,
)

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
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="batches")
    style = models.ForeignKey(Style, models.PROTECT, related_name="batches")
    workflow = models.ForeignKey(
        Workflow, models.PROTECT, related_name="batches", null=True, blank=True
    )
    mode = models.CharField(max_length=8, choices=MODES, default=Mode.AUTO)
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
    priority = models.SmallIntegerField(default=0)
    max_tries = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How often each plan may fail; empty: MADSEA_TRIES."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="batches"
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
    created_at = models.DateTimeField(auto_now_add=True)
    served_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"
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


class RunGroupQuerySet(models.QuerySet["RunGroup"]):
    """Groups by their turn, and by what is to be rendered of them."""

    def of(
        self, batch: Batch, needs: Needs | None, own_workflow: Workflow | None = None
    ) -> "RunGroup":
        """Return the group of a batch's runs that need this, made when there is none.

        `own_workflow` is what they are made with instead of the batch's. Whoever calls it has made
        the batch, or holds its lock.
        """
        same: dict[str, Any] = {"batch": batch, "needs": needs, "own_workflow": own_workflow}
        return self.filter(**same).order_by("pk").first() or self.create(**same)

    def in_turn(self, within: Any = "pk") -> Self:
        """Return them in the order in which servers take from them.

        Of their batches: priority, then the fewest running, then the least recently served. What
        the order of their plans is as long as nothing ends, `PlanRunQuerySet.in_turn` says: change
        both together. `within` orders the groups of one batch.
        """
        served_at = F("batch__served_at").asc(nulls_first=True)
        turn = ("-batch__priority", "batch__n_running", served_at, "batch_id")
        return self.order_by(*turn, within, "pk")

    def ready(self) -> Self:
        """Return those with a run that waits for nothing but its turn."""
        return self.filter(Exists(PlanRun.objects.ready().filter(group=OuterRef("pk"))))

    def queued_with_own_needs(self) -> Self:
        """Return those to be rendered that need something else of a server than their batch.

        Or that are made with a workflow of their own, for which other servers may be blocked.
        """
        unlike = Q(batch__needs=None) | ~Q(needs=F("batch__needs"))
        own = Q(unlike, needs__isnull=False) | Q(own_workflow__isnull=False)
        queued = PlanRun.objects.queued().filter(group=OuterRef("pk"))
        return self.filter(own, Exists(queued))


class RunGroup(models.Model):
    """Those runs of a batch that need the same of a server: a claim chooses among groups.

    All of them are made with the same workflow.
    """

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="groups")
    needs = models.ForeignKey(
        Needs,
        models.PROTECT,
        related_name="groups",
        null=True,
        blank=True,
        help_text="Empty: it is not known, and every server counts as capable.",
    )
    own_workflow = models.ForeignKey(
        Workflow,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="That of its runs, where a retry named another than their batch's.",
    )
    n_passed_over = models.PositiveSmallIntegerField(
        default=0, help_text="Since it was served last, for models that servers held."
    )

    objects = RunGroupQuerySet.as_manager()

    def __str__(self) -> str:
        return f"group {self.pk} of {self.batch_id}"


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

    def retried_with(self, batches: Sequence[Batch]) -> Self:
        """Return what a retry of whole batches takes: the failed, of a cancelled batch all."""
        cancelled = [batch.pk for batch in batches if batch.status == BatchState.CANCELLED]
        is_taken = Q(state=RunState.ERROR) | Q(batch__in=cancelled)
        return self.retryable().filter(is_taken, batch__in=[batch.pk for batch in batches])


class PlanRun(models.Model):
    """One plan's passage through one batch, or one variation of it."""

    STATES: ClassVar = [(state.value, state.value) for state in RunState]
    REASONS: ClassVar = [(reason.value, reason.value or "its turn") for reason in WaitReason]

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="runs")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="runs")
    variation = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=STATES)
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
        RunGroup,
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
    error_message = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = PlanRunQuerySet.as_manager()

    class Meta:
        ordering = ["batch_id", "position"]
        verbose_name = "plan run"
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
