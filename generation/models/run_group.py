"""Those runs of a batch that need the same of a server."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from generation.models.batch import Batch
from generation.models.capability import Needs
from generation.models.frozen_workflow import Workflow
from generation.models.plan_run import PlanRun


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

        That is the order of their batches: priority, then the fewest running, then the least
        recently served. `PlanRunQuerySet.in_turn` gives the order of their plans as long as nothing
        ends: change both together. `within` orders the groups of one batch.
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
