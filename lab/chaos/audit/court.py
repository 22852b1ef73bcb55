"""The court: every invariant in its order, each with its verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from lab.chaos.audit import changes, files, histories, renders, rows
from lab.chaos.audit.case import Case, Verdict

INVARIANTS: tuple[Callable[[Case], Verdict], ...] = (
    rows.truth,
    renders.rendered_once,
    renders.gone_servers,
    renders.one_driver,
    files.names,
    files.whole,
    histories.transitions,
    files.transactions,
    renders.outcomes,
    rows.frozen,
    rows.explained,
    rows.kept,
    renders.foreign,
    rows.keys,
    changes.told,
)


def verdicts(noted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the verdict on each invariant as JSON objects."""
    case = Case(noted, Path(settings.MADSEA_HOME))
    return [invariant(case).as_json() for invariant in INVARIANTS]
