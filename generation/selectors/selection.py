"""Which plans or batches somebody means who names them by what they have in common."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from generation.errors import InvalidRequest, NotFound, Problem
from generation.models import Batch, Episode, PlanRun, Project, Sequence, Style
from generation.selectors import batches
from generation.states import UNFINISHED, RunState
from wording import Sentence, any_of, say, to_say


@dataclass(frozen=True)
class Choice:
    """What plans have in common; None leaves it open. `since` and `until` are days, inclusive."""

    batch: str | None = None
    project: str | None = None
    episode: str | None = None
    sequence: str | None = None
    style: str | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_unfiltered(self) -> bool:
        """Whether it leaves everything open: it means everything there is."""
        return all(getattr(self, choice_field.name) is None for choice_field in fields(self))


#: How alike names are, from 0 to 1, one of which may be meant by the other.
ALIKE = 0.75


def check(choice: Choice) -> None:
    """Check that everything a choice names exists, and can be meant together.

    That it fits nothing is no error: there is nothing to do then.

    Raises:
        InvalidRequest: the days are in the wrong order.
        NotFound: what it names does not exist, an episode in its project for example.
    """
    if choice.since and choice.until and choice.since > choice.until:
        detail = say(
            "{since} is after {until}: no day is between them.",
            since=choice.since,
            until=choice.until,
        )
        raise InvalidRequest([Problem("since", "after_until", detail)])
    if choice.batch is not None:
        batches.batch(choice.batch)
    episodes = Episode.objects.all()
    sequences = Sequence.objects.all()
    if choice.project is not None:
        episodes = episodes.filter(project__code=choice.project)
        sequences = sequences.filter(episode__project__code=choice.project)
    if choice.episode is not None:
        sequences = sequences.filter(episode__code=choice.episode)
    _check_known("project", choice.project, Project.objects.all())
    _check_known("episode", choice.episode, episodes)
    _check_known("sequence", choice.sequence, sequences)
    _check_known("style", choice.style, Style.objects.all())


#: What is said of each kind of code that nothing has.
_NONE = {
    "project": to_say("There is no project {code!r:.80}."),
    "episode": to_say("There is no episode {code!r:.80}."),
    "sequence": to_say("There is no sequence {code!r:.80}."),
    "style": to_say("There is no style {code!r:.80}."),
}


def _check_known(what: str, code: str | None, rows: QuerySet[Any]) -> None:
    if code is None or rows.filter(code=code).exists():
        return
    similar = similar_words(code, rows.order_by("code").values_list("code", flat=True).distinct())
    detail = Sentence(_NONE[what], {"code": code})
    if similar:
        detail = say("{detail} Is {similar} meant?", detail=detail, similar=any_of(similar))
    raise NotFound(detail, code=f"unknown_{what}", attr=what)


def similar_words(word: str, known: Iterable[str]) -> list[str]:
    """Return which known words are most like this one, whatever their case; at most three."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=3, cutoff=ALIKE)
    return [by_lower[each] for each in close]


def runs(choice: Choice, states: list[RunState]) -> QuerySet[PlanRun]:
    """Return the runs in one of these states that a choice means; days are those of their end.

    Raises:
        NotFound: the batch that it names does not exist.
    """
    rows = PlanRun.objects.filter(_batches(choice, "batch__"), state__in=states)
    if choice.sequence is not None:
        rows = rows.filter(plan__sequence__code=choice.sequence)
    rows = rows.filter(_days(choice, "finished_at"))
    related = rows.select_related("batch", "plan__sequence__episode__project")
    return related.order_by("batch_id", "position")


def unfinished_batches(choice: Choice) -> QuerySet[Batch]:
    """Return the unfinished batches that a choice means; days are those of their requests.

    Raises:
        NotFound: the batch that it names does not exist.
    """
    rows = Batch.objects.filter(_batches(choice, ""), _days(choice, "created_at"))
    if choice.sequence is not None:
        rows = rows.filter(runs__plan__sequence__code=choice.sequence)
    unfinished = rows.filter(runs__state__in=UNFINISHED).distinct()
    return unfinished.select_related("episode__project", "style").order_by("pk")


def _batches(choice: Choice, to_batch: str) -> Q:
    named = {
        "public_id": batches.batch(choice.batch).public_id if choice.batch is not None else None,
        "episode__project__code": choice.project,
        "episode__code": choice.episode,
        "style__code": choice.style,
    }
    return Q(**{f"{to_batch}{field}": value for field, value in named.items() if value is not None})


def _days(choice: Choice, field: str) -> Q:
    days = {f"{field}__date__gte": choice.since, f"{field}__date__lte": choice.until}
    return Q(**{lookup: day for lookup, day in days.items() if day is not None})
