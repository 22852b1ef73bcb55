"""The production tree as clients browse it, with what each plan has published."""

from collections.abc import Iterable

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery

from generation.models import Episode, Plan, PlanRun, Project, Sequence, Version


def projects() -> QuerySet[Project]:
    """Return all projects, each with `n_episodes`."""
    return Project.objects.annotate(n_episodes=Count("episodes")).order_by("code")


def episodes() -> QuerySet[Episode]:
    """Return all episodes with their project, each with `n_sequences`."""
    rows = Episode.objects.select_related("project").annotate(n_sequences=Count("sequences"))
    return rows.order_by("project__code", "code")


def sequences() -> QuerySet[Sequence]:
    """Return all sequences with their episode and project, each with `n_plans`."""
    rows = Sequence.objects.select_related("episode__project").annotate(n_plans=Count("plans"))
    return rows.order_by("episode__project__code", "episode__code", "code")


def plans() -> QuerySet[Plan]:
    """Return all plans with their published versions and the state of their last run.

    Each has `shown_versions` (newest first within a task), `last_state` and `last_batch_id`; both
    are None for a plan that no batch has asked for.
    """
    last = PlanRun.objects.filter(plan=OuterRef("pk")).order_by("-id")
    rows = Plan.objects.select_related("sequence__episode__project").annotate(
        last_state=Subquery(last.values("state")[:1]),
        last_batch_id=Subquery(last.values("batch__public_id")[:1]),
    )
    shown = Prefetch("versions", queryset=_shown_versions(), to_attr="shown_versions")
    order = ("sequence__episode__project__code", "sequence__episode__code", "sequence__code")
    return rows.prefetch_related(shown).order_by(*order, "code")


def _shown_versions() -> QuerySet[Version]:
    related = Version.objects.published().select_related(
        "plan__sequence", "batch", "run", "created_by"
    )
    return related.order_by("task", "-number")


def chosen_plans(
    *, episodes: Iterable[int] = (), sequences: Iterable[int] = (), plans: Iterable[int] = ()
) -> QuerySet[Plan]:
    """Return the plans of these episodes and sequences, and these plans, in production order."""
    meant = Q(sequence__episode__in=list(episodes)) | Q(sequence__in=list(sequences))
    rows = Plan.objects.filter(meant | Q(pk__in=list(plans)))
    order = ("sequence__episode__project__code", "sequence__episode__code", "sequence__code")
    return rows.select_related("sequence__episode__project").order_by(*order, "code")
