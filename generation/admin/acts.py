"""What supervisors may do to rows: on one or on many, and the words that say what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest

from generation.errors import MadseaError

#: More at once would keep the page waiting; whole batches have acts of their own.
ROWS_MAX = 500
NAMED_MAX = 5
CANCELLED = "cancelled, or asked to stop where it is running"


@dataclass(frozen=True)
class Act:
    """One service call on one row.

    `past` completes "3 plan runs …"; `fits` says whether to offer the act on a row (the service
    decides again); `warning`, when given, is asked before.
    """

    name: str
    label: str
    past: str
    icon: str
    call: Callable[[Any, User], object]
    fits: Callable[[Any], bool] = lambda _row: True
    warning: str = ""
    is_main: bool = False


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


def report(request: HttpRequest, act: Act, outcome: Outcome, noun: tuple[str, str]) -> None:
    if outcome.done:
        messages.success(request, f"{_counted(outcome.done, noun)} {act.past}.")
    if outcome.refused:
        reasons = " ".join(
            f"{_listed(names)}: {reason}" for reason, names in outcome.refused.items()
        )
        text = f"{_counted(outcome.n_refused, noun)} refused. {reasons}"
        messages.warning(request, text)


def _counted(n: int, noun: tuple[str, str]) -> str:
    return f"{n} {noun[0] if n == 1 else noun[1]}"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    listed = ", ".join(names[:NAMED_MAX])
    return f"{listed} and {more} more" if more > 0 else listed
