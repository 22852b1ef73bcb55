"""What supervisors may do to rows: on one or on many, and the words that say what came of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest

from generation.errors import MadseaError
from wording import say

#: More at once would keep the page waiting; whole batches have acts of their own.
ROWS_MAX = 500
NAMED_MAX = 5
CANCELLED = say("cancelled, or asked to stop where it is running")
PLANS = (say("plan"), say("plans"))

#: What an act would be done to: for each row's id, the ids of what it would change.
Targets = Mapping[int, frozenset[int]]


@dataclass(frozen=True)
class Question:
    """What is asked before an act, on a page of its own: to how many of what, and what follows.

    `targets` finds what the act would change (default: the rows that it fits, themselves), of the
    kind that `noun` names (default: the rows' own). `of_one`: asked for a single one, too. `note`
    says of the rows what no text can know beforehand.
    """

    follows: str
    targets: Callable[[Sequence[Any]], Targets] | None = None
    noun: tuple[str, str] = ("", "")
    of_one: bool = True
    note: Callable[[Sequence[Any]], str] | None = None


@dataclass(frozen=True)
class Act:
    """One service call on one row.

    `past` completes "3 plan runs …"; `fits` says whether to offer the act on a row (the service
    decides again); `question`, when given, is asked before. `not_done` says what became of those
    that the service refused. `carries` is what the answer to the question brings along.
    """

    name: str
    label: str
    past: str
    icon: str
    call: Callable[[Any, User], object]
    fits: Callable[[Any], bool] = lambda _row: True
    question: Question | None = None
    is_main: bool = False
    not_done: str = say("not changed")
    carries: Mapping[str, str] = field(default_factory=dict)

    def targets(self, rows: Sequence[Any]) -> Targets:
        """Return what it would change of these rows now."""
        find = self.question.targets if self.question else None
        if find is not None:
            return find(rows)
        return {row.pk: frozenset([row.pk]) for row in rows if self.fits(row)}

    def asks(self, targets: Targets) -> bool:
        """Tell whether it asks before it is done to these."""
        n_targets = len(all_targets(targets))
        return self.question is not None and n_targets >= (1 if self.question.of_one else 2)


@dataclass
class Outcome:
    """How many rows an act was done to, and which were refused, by the reason."""

    done: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)

    @property
    def n_refused(self) -> int:
        return sum(len(names) for names in self.refused.values())


def perform(act: Act, rows: Iterable[Any], user: User, name: Callable[[Any], str]) -> Outcome:
    outcome = Outcome()
    for row in rows:
        try:
            act.call(row, user)
        except MadseaError as error:
            outcome.refused.setdefault(error.detail, []).append(name(row))
        else:
            outcome.done += 1
    return outcome


def report(
    request: HttpRequest, act: Act, outcome: Outcome, noun: tuple[str, str], held: str = ""
) -> None:
    """Say what came of an act; `held` is what the rows held that it changed: "26 plans"."""
    if outcome.done:
        what = (
            say("{done} ({held})", done=counted(outcome.done, noun), held=held)
            if held
            else counted(outcome.done, noun)
        )
        messages.success(request, f"{what} {act.past}.")
    if outcome.refused:
        reasons = " ".join(
            f"{_listed(names)}: {reason}" for reason, names in outcome.refused.items()
        )
        text = say(
            "{n_refused} {not_done}. {reasons}",
            n_refused=counted(outcome.n_refused, noun),
            not_done=act.not_done,
            reasons=reasons,
        )
        messages.warning(request, text)


def all_targets(targets: Targets) -> frozenset[int]:
    """Return the ids of all that an act would change."""
    return frozenset().union(*targets.values())


def counted(n: int, noun: tuple[str, str]) -> str:
    """Return a number with its noun."""
    return say("{n:,} {noun}", n=n, noun=noun[0] if n == 1 else noun[1])


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    listed = ", ".join(names[:NAMED_MAX])
    return say("{listed} and {more} more", listed=listed, more=more) if more > 0 else listed
