"""The reads behind the supervisors' lists and home page: a fixed number of queries per page."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    Case,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from generation.models import Attempt, Batch, Capability, LogEntry, Plan, PlanRun, Server, Version
from generation.selectors import batch_waits, wait_reasons
from generation.selectors import batches as selectors
from generation.states import RunState


def batches() -> QuerySet[Batch]:
    """Return batches with all that their line shows: for `batches.progress`, and for `awaited`."""
    related = ("episode__project", "style", "requested_by")
    return (
        selectors.with_running_pct().select_related(*related).annotate(**batch_waits.annotations())
    )


def runs() -> QuerySet[PlanRun]:
    """Return plan runs with all that their line shows, and the servers' situation."""
    related = (
        "batch__style",
        "group",
        "plan__sequence__episode__project",
        "current_attempt__server",
        "result",
    )
    rows = PlanRun.objects.select_related(*related).defer("current_attempt__graph")
    return rows.annotate(**wait_reasons.situation_annotations("batch__", "group__needs"))


@dataclass
class LatestOfPlan:
    """The newest of everything of a plan; None where there is nothing yet."""

    panel: Version | None
    image: Version | None
    run: PlanRun | None


def plans() -> QuerySet[Plan]:
    """Return plans with the ids of their newest panel, image and run, for `latest_of`."""
    versions = Version.objects.filter(plan=OuterRef("pk"))
    panels = versions.panels()
    images = versions.images().order_by("-pk")
    newest_run = PlanRun.objects.filter(plan=OuterRef("pk")).order_by("-pk")
    return Plan.objects.select_related("sequence__episode__project", "style").annotate(
        panel_id=Subquery(panels.values("pk")[:1]),
        image_id=Subquery(images.values("pk")[:1]),
        run_id=Subquery(newest_run.values("pk")[:1]),
        run_state=Subquery(newest_run.values("state")[:1]),
    )


def latest_of(found: Iterable[Plan]) -> dict[int, LatestOfPlan]:
    """Return the newest panel, image and run of each plan (from `plans()`), by the plan's id."""
    rows = [
        (plan.pk, *(_annotated(plan, name) for name in ("panel", "image", "run"))) for plan in found
    ]
    versions = Version.objects.beside_panels().in_bulk(
        {pk for row in rows for pk in row[1:3] if pk}
    )
    newest = runs().in_bulk({row[3] for row in rows if row[3]})
    return {
        plan_id: LatestOfPlan(versions.get(panel), versions.get(image), newest.get(run))
        for plan_id, panel, image, run in rows
    }


def _annotated(plan: Plan, name: str) -> int:
    value: int | None = getattr(plan, f"{name}_id")
    return value or 0


def versions() -> QuerySet[Version]:
    """Return published versions with all that their line shows."""
    related = ("plan__sequence__episode__project", "created_by", "batch", "run")
    return Version.objects.published().select_related(*related)


def pictures_of(batch: Batch, limit: int) -> list[Version]:
    """Return the newest pictures that were made for a batch."""
    made = Version.objects.images().filter(batch=batch).order_by("-pk")
    return list(made.select_related("plan__sequence__episode")[:limit])


def attempts(run: PlanRun) -> QuerySet[Attempt]:
    """Return the attempts of a run, newest first."""
    return run.attempts.select_related("server").defer("graph").order_by("-number")


def panel_of(run: PlanRun) -> Version | None:
    """Return the panel that the current attempt started from, else the plan's newest panel."""
    attempt = run.current_attempt
    if attempt is not None and attempt.panel_id:
        return attempt.panel
    return Version.objects.panels().filter(plan=run.plan_id).first()


_ATTENTION = (RunState.ERROR, RunState.RUNNING, RunState.WAITING, RunState.QUEUED)


def runs_by_attention(batch: Batch, limit: int) -> list[PlanRun]:
    """Return the runs of a batch to look at first: failed, running, waiting, then the others."""
    ranks = [When(state=state, then=Value(rank)) for rank, state in enumerate(_ATTENTION)]
    rank = Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    return list(runs().filter(batch=batch).order_by(rank, "position")[:limit])


def servers() -> QuerySet[Server]:
    """Return servers, each with `is_driven` and `open_attempts`: what it is doing now."""
    attempts = (
        Attempt.objects.under_way()
        .select_related("run__plan__sequence__episode__project", "run__batch")
        .defer("graph")
        .order_by("pk")
    )
    return Server.objects.with_driver().prefetch_related(
        Prefetch("attempts", queryset=attempts, to_attr="open_attempts")
    )


def lacking(server: Server) -> list[tuple[str, str]]:
    """Return what queued plans a server cannot run: each workflow's name, and what it lacks."""
    unmet = Capability.objects.filter(server=server, is_capable=False).order_by()
    queued = unmet.filter(needs__groups__runs__state=RunState.QUEUED)
    groups = "needs__groups"
    name = Coalesce(f"{groups}__own_workflow__name", f"{groups}__batch__workflow__name")
    rows = queued.values_list(name, "missing").distinct()
    return sorted({(name, wait_reasons.lacks(missing)) for name, missing in rows})


def log() -> QuerySet[LogEntry]:
    """Return log entries with all that their line shows, newest first."""
    related = ("batch", "actor", "run__plan__sequence__episode")
    return LogEntry.objects.select_related(*related).order_by("-pk")


def unfinished_batches(limit: int) -> list[Batch]:
    """Return the newest batches that are not finished."""
    return list(batches().filter(finished_at=None).order_by("-pk")[:limit])


def finished_batches(limit: int) -> list[Batch]:
    """Return the batches that finished last."""
    return list(batches().filter(finished_at__isnull=False).order_by("-finished_at")[:limit])


def needing_attention() -> Q:
    """Return the condition on failed runs that nobody has asked for again since, in the same style.

    A plan that a later batch takes up needs no attention for its old failure; one that was asked
    for in another style still lacks its image in this one, and a later request that was cancelled
    made none.
    """
    later = PlanRun.objects.filter(
        plan=OuterRef("plan"), batch__style=OuterRef("batch__style"), batch__gt=OuterRef("batch")
    )
    return Q(~Exists(later.exclude(state=RunState.CANCELLED)), state=RunState.ERROR)


def failed_runs(limit: int) -> list[PlanRun]:
    """Return the newest failed runs that need attention."""
    return list(runs().filter(needing_attention()).order_by("-pk")[:limit])
