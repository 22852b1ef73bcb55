"""The court: every invariant in its order, each with its verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from lab.chaos.audit import (
    change_invariants,
    file_invariants,
    log_replay,
    render_invariants,
    row_invariants,
)
from lab.chaos.audit.evidence import Evidence, Verdict

INVARIANTS: tuple[Callable[[Evidence], Verdict], ...] = (
    row_invariants.truth,
    render_invariants.rendered_once,
    render_invariants.gone_servers,
    render_invariants.one_driver,
    file_invariants.names,
    file_invariants.whole,
    log_replay.transitions,
    file_invariants.transactions,
    render_invariants.outcomes,
    row_invariants.frozen,
    row_invariants.explained,
    row_invariants.kept,
    render_invariants.foreign,
    row_invariants.keys,
    change_invariants.told,
)


def verdicts(noted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the verdict on each invariant as JSON objects."""
    case = Evidence(noted, Path(settings.MADSEA_HOME))
    return [invariant(case).as_json() for invariant in INVARIANTS]
