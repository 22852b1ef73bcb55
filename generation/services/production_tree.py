"""The production tree: what a valid request names and is not there yet is created."""

from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from typing import Any

from generation.errors import InvalidRequest, Problem
from generation.models import Episode, Plan, Project, Sequence
from generation.selectors.selection import similar_words
from generation.services import episode_changes
from wording import say

Tree = Mapping[str, Ordered[str]]


@dataclass(frozen=True)
class News:
    """What a request names and is not there yet: a typing error makes it as well as a new job.

    Empty: it is there already. `like`: projects of a similar name, the most similar first.
    """

    project: str = ""
    episode: str = ""
    like: tuple[str, ...] = ()


def what_would_be_new(project_id: str, *episodes: str) -> News:
    """Return which of a project and its episodes would be made new."""
    same = Project.objects.filter(code__iexact=project_id)
    known = set(same.values_list("episodes__code", flat=True))
    new = ", ".join(episode for episode in episodes if episode not in known)
    if known:
        return News(episode=new)
    codes = Project.objects.order_by("code").values_list("code", flat=True)
    return News(project_id, new, tuple(similar_words(project_id, codes)))


def ensure_plans(
    project_id: str, season: str, episode: str, sequences: Tree
) -> dict[tuple[str, str], Plan]:
    """Return the plans of `sequences` (sequence_id → plans), creating whatever is missing.

    The names must have been checked by the nomenclature.

    Raises:
        InvalidRequest: the project exists in another spelling (case).
    """
    parent = _ensure_episode(ensure_project(project_id), season, episode)
    by_code = _ensure_sequences(parent, list(sequences))
    wanted = [(by_code[code], plan) for code, plans in sequences.items() for plan in plans]
    plans_by_key = _plans(by_code)
    missing = [(of, plan) for of, plan in wanted if (of.code, plan) not in plans_by_key]
    # In one order, or two requests for the same new plans could wait for each other.
    missing.sort(key=lambda each: (each[0].pk, each[1]))
    rows = [Plan(sequence_id=of.pk, code=plan) for of, plan in missing]
    Plan.objects.bulk_create(rows, **_ours_or_theirs("sequence"))
    if rows:
        episode_changes.record(parent.pk, plan_ids=[row.pk for row in rows])
    for row, (of, plan) in zip(rows, missing, strict=True):
        row.sequence = of
        plans_by_key[of.code, plan] = row
    return {(of.code, plan): plans_by_key[of.code, plan] for of, plan in wanted}


def ensure_project(project_id: str) -> Project:
    """Return the project, creating it if no project has this name in any case.

    Raises:
        InvalidRequest: it exists in another spelling.
    """
    project = check_spelling(project_id)
    if project is None:
        Project.objects.bulk_create([Project(code=project_id)], ignore_conflicts=True)
        project = check_spelling(project_id)
    assert project is not None  # noqa: S101 - it was there, or is now
    return project


def check_spelling(project_id: str) -> Project | None:
    """Return the project of this name; None if no project has it in any case.

    Raises:
        InvalidRequest: it exists in another spelling.
    """
    project = Project.objects.filter(code__iexact=project_id).first()
    if project is not None and project.code != project_id:
        detail = say(
            "This project exists as {found!r}: names that differ in case alone are one.",
            found=project.code,
        )
        raise InvalidRequest([Problem("project_id", "project_spelling", detail)])
    return project


def _ensure_episode(project: Project, season: str, code: str) -> Episode:
    episode = project.episodes.filter(code=code).first()
    if episode is None:
        episode = Episode(project=project, season=season, code=code)
        Episode.objects.bulk_create([episode], **_ours_or_theirs("project"))
    return episode


def _ensure_sequences(episode: Episode, codes: list[str]) -> dict[str, Sequence]:
    by_code = {row.code: row for row in episode.sequences.filter(code__in=codes)}
    rows = [Sequence(episode=episode, code=code) for code in sorted(set(codes) - by_code.keys())]
    Sequence.objects.bulk_create(rows, **_ours_or_theirs("episode"))
    return by_code | {row.code: row for row in rows}


def _ours_or_theirs(parent: str) -> dict[str, Any]:
    """Return how to insert rows of a parent, some of which another request may insert too.

    Writing the code that is there already has the database say each row's id, whoever made it.
    """
    same = [parent, "code"]
    return {"update_conflicts": True, "unique_fields": same, "update_fields": ["code"]}


def _plans(sequences: Mapping[str, Sequence]) -> dict[tuple[str, str], Plan]:
    of = {sequence.pk: sequence for sequence in sequences.values()}
    plans_by_key: dict[tuple[str, str], Plan] = {}
    for row in Plan.objects.filter(sequence__in=of):
        row.sequence = of[row.sequence_id]
        plans_by_key[row.sequence.code, row.code] = row
    return plans_by_key
