"""The production tree as clients browse it, with what each plan has published."""

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from generation.errors import NotFound
from generation.models import (
    Episode,
    Plan,
    PlanRun,
    PlanTextChange,
    Project,
    Sequence,
    Version,
)
from generation.selectors import findings
from generation.states import PlanStatus
from nomenclature.rules import EXTRACTED_RAW
from wording import say

#: What of a plan words are looked for in.
_SEARCHED = ("label", "dialogue", "action", "place", "camera", "description", "notes")
#: More words than this change nothing about what is found.
_WORDS_MOST = 12


def projects() -> QuerySet[Project]:
    """Return all projects, each with `n_episodes`."""
    return Project.objects.annotate(n_episodes=Count("episodes")).order_by("code")


def episodes() -> QuerySet[Episode]:
    """Return all episodes with their project, each with `n_sequences`."""
    rows = Episode.objects.select_related("project").annotate(n_sequences=Count("sequences"))
    return rows.order_by("project__code", "code")


def episode(episode_id: int) -> Episode:
    """Return an episode.

    Raises:
        NotFound: there is none.
    """
    row = Episode.objects.filter(pk=episode_id).first()
    if row is None:
        detail = say("There is no episode {episode_id}.", episode_id=str(episode_id))
        raise NotFound(detail, code="unknown_episode", attr="episode_id")
    return row


def sequences() -> QuerySet[Sequence]:
    """Return all sequences with their episode and project, each with `n_plans`."""
    rows = Sequence.objects.select_related("episode__project").annotate(n_plans=Count("plans"))
    return rows.order_by("episode__project__code", "episode__code", "code")


def plans() -> QuerySet[Plan]:
    """Return all plans with their published versions and the state of their last run.

    Each has `shown_versions` (newest first within a task), `last_state` and `last_batch_id`; both
    are None for a plan that no batch has asked for. `review_state` and `in_render`: see
    `with_review_state`.
    """
    last = PlanRun.objects.filter(plan=OuterRef("pk")).order_by("-id")
    related = Plan.objects.select_related("sequence__episode__project", "style")
    rows = with_review_state(related).annotate(
        last_state=Subquery(last.values("state")[:1]),
        last_batch_id=Subquery(last.values("batch__public_id")[:1]),
    )
    shown = Prefetch("versions", queryset=_shown_versions(), to_attr="shown_versions")
    order = ("sequence__episode__project__code", "sequence__episode__code", "sequence__code")
    return rows.prefetch_related(shown).order_by(*order, "code")


def with_review_state(plans: QuerySet[Plan]) -> QuerySet[Plan]:
    """Return plans with their `review_state`, and whether they are `in_render`.

    A plan's state is that of its approved version, else of the newest that nothing supersedes; None
    where it has none. It is in render while a run of it is unfinished, whoever makes its picture.
    """
    standing = Version.objects.deciding().filter(plan=OuterRef("pk")).values("review_state")
    unfinished = PlanRun.objects.unfinished().filter(plan=OuterRef("pk"))
    return plans.annotate(review_state=Subquery(standing[:1]), in_render=Exists(unfinished))


def newest_image(versions: Iterable[Version]) -> Version | None:
    """Return the picture of a plan, among its published versions, that was made last."""
    images = (version for version in versions if version.task != EXTRACTED_RAW)
    return max(images, key=lambda version: version.pk, default=None)


def text_changes(plan_id: int) -> QuerySet[PlanTextChange]:
    """Return what was changed of a plan's texts, the newest first.

    Raises:
        NotFound: there is no such plan.
    """
    if not Plan.objects.filter(pk=plan_id).exists():
        raise NotFound(say("There is no plan {plan_id}.", plan_id=plan_id), code="unknown_plan")
    changes = PlanTextChange.objects.filter(plan=plan_id).select_related("changed_by")
    return changes.order_by("-revision")


def texts_condition(text: str, prefix: str = "") -> Q:
    """Return the condition on plans that each of some words stands in what is known of them."""
    condition = Q()
    for word in text.split()[:_WORDS_MOST]:
        condition &= word_condition(word, prefix)
    return condition


def word_condition(word: str, prefix: str = "") -> Q:
    """Return the condition on plans, at `prefix`, that a word stands in what is known of them."""
    condition = Q(**{f"{prefix}code": word}) | Q(**{f"{prefix}sequence__code": word})
    for name in _SEARCHED:
        condition |= Q(**{f"{prefix}{name}__icontains": word})
    return condition


def plans_of(
    project_id: str, episode: str, sequences: Iterable[str]
) -> dict[tuple[str, str], Plan]:
    """Return the plans of some sequences of an episode, by their sequences and codes."""
    rows = Plan.objects.select_related("sequence__episode").filter(
        sequence__code__in=list(sequences),
        sequence__episode__code=episode,
        sequence__episode__project__code=project_id,
    )
    return {(plan.sequence.code, plan.code): plan for plan in rows}


def set_apart(project_id: str, episode: str) -> dict[tuple[str, str], PlanStatus]:
    """Return which plans of an episode are on hold or omitted, by their sequences and codes."""
    of_episode = Plan.objects.set_apart().filter(
        sequence__episode__code=episode, sequence__episode__project__code=project_id
    )
    rows = of_episode.order_by("sequence__code", "code")
    columns = ("sequence__code", "code", "production_status")
    return {
        (sequence, plan): PlanStatus(status)
        for sequence, plan, status in rows.values_list(*columns)
    }


def locked_plans(project_id: str, episode: str) -> frozenset[tuple[str, str]]:
    """Return which plans of an episode are locked, by their sequences and codes."""
    of_episode = Plan.objects.locked().filter(
        sequence__episode__code=episode, sequence__episode__project__code=project_id
    )
    return frozenset(of_episode.values_list("sequence__code", "code"))


def locked_ids(plans: Iterable[Plan]) -> frozenset[int]:
    """Return which of some plans are locked, by their ids."""
    given = {plan.pk: plan.sequence_id for plan in plans}
    rows = Plan.objects.locked().filter(sequence__in=set(given.values()))
    return frozenset(given) & frozenset(rows.values_list("pk", flat=True))


def _shown_versions() -> QuerySet[Version]:
    related = Version.objects.published().select_related(
        "plan__sequence", "run", "created_by", *findings.RELATED
    )
    return related.beside_panels().order_by("task", "-number")


def chosen_plans(
    *, episodes: Iterable[int] = (), sequences: Iterable[int] = (), plans: Iterable[int] = ()
) -> QuerySet[Plan]:
    """Return the plans of these episodes and sequences, and these plans, in production order.

    Those that are set apart are among them.
    """
    meant = Q(sequence__episode__in=list(episodes)) | Q(sequence__in=list(sequences))
    rows = Plan.objects.filter(meant | Q(pk__in=list(plans)))
    order = ("sequence__episode__project__code", "sequence__episode__code", "sequence__code")
    return rows.select_related("style", "sequence__episode__project").order_by(*order, "code")
