"""`python -m lab.picture_checks`: what the checks find, and what they alarm on.

Ends with 1 where a check that is on by default alarms on more than 5 % of the good ones.
"""

import argparse
import random
from collections.abc import Sequence

from lab.picture_checks import trials
from lab.picture_checks.trials import Trial
from lab.workflows.workflow_rows import say

ALARMS_MAX = 0.05


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser("python -m lab.picture_checks", description=__doc__)
    parser.add_argument("--scenes", type=int, default=60, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    played = trials.all_of(asked.scenes, random.Random(asked.seed))
    say(f"{asked.scenes} scenes, seed {asked.seed}\n\n" + "\n".join(_table(played)))
    return any(trial.is_on and trial.alarmed > ALARMS_MAX for trial in played)


def _table(played: Sequence[Trial]) -> list[str]:
    head = "| check | bound | default | what is wrong | found | what is right | alarms |"
    return [head, "|---" * 7 + "|", *map(_line, played)]


def _line(of: Trial) -> str:
    found = f"{of.n_found} of {len(of.bad)} ({of.n_found / len(of.bad):.0%})"
    alarms = f"{of.n_alarms} of {len(of.good)} ({of.alarmed:.1%})"
    state = "on" if of.is_on else "off"
    return f"| `{of.check}` | {of.bound} | {state} | {of.what} | {found} | {of.beside} | {alarms} |"


if __name__ == "__main__":
    raise SystemExit(main())
