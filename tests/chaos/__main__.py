"""`python -m tests.chaos`: seeds on databases, a line per invariant, and a table at the end."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos import ordeal, plan
from tests.chaos.ordeal import Order, Result, say
from tests.chaos.plan import Act

DATABASES = ("sqlite", "postgresql")
DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
FAULTS_PER_S = 2.0
#: Some acts find nobody to hit; so many more are planned.
MISSED_SHARE = 1.25


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; return the exit code."""
    given = _parsed(argv)
    orders = [(seed, name) for seed in given.seeds for name in given.databases]
    if len(orders) == 1:
        return _one(given, *orders[0])
    results = [_in_a_process(given, seed, name) for seed, name in orders]
    say(_table(results))
    return 0 if all(result["sound"] for result in results) else 1


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--seeds", type=_range, default=[1], help="such as 1-20 or 3,7,9")
    parser.add_argument("--faults", type=int, default=200, help="at least so many are done")
    parser.add_argument("--lasts", type=float, metavar="S", help="default: faults / 2")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="sqlite")
    parser.add_argument("--redis", action="store_true", help="with a Redis of its own")
    parser.add_argument("--without", default="", help="kinds to be left out, with commas")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="a plan.json of an earlier run")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="keep homes, logs and files")
    given = parser.parse_args(argv)
    given.without = [name for name in given.without.split(",") if name]
    if unknown := set(given.without) - set(plan.KINDS):
        parser.error(f"no act is called {sorted(unknown)}; there are {sorted(plan.KINDS)}")
    given.seeds = [given.seed] if given.seed is not None else given.seeds
    given.databases = DATABASES if given.database == "both" else (given.database,)
    given.lasts = given.lasts or given.faults / FAULTS_PER_S
    return given


def _range(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def _one(given: argparse.Namespace, seed: int, database: str) -> int:
    """Go through one seed in this process, whose environment says which database it is on."""
    if ordeal.is_on_postgresql() != (database == "postgresql"):
        return int(not _in_a_process(given, seed, database)["sound"])
    acts = [Act(**act) for act in json.loads(given.replay.read_text())] if given.replay else None
    faults = round(given.faults * MISSED_SHARE)
    order = Order(seed, faults, given.lasts, database, given.redis, given.without, acts)
    with ordeal.folder_of(order, keep=given.keep) as folder:
        result = ordeal.undergo(order, folder)
    told = _tell(result)
    if given.report:
        given.report.write_text(json.dumps(told), encoding="utf-8")
    return 0 if result.is_sound else 1


def _in_a_process(given: argparse.Namespace, seed: int, database: str) -> dict[str, Any]:
    """Go through one seed in a process of its own; return its result."""
    url = os.environ.get("DATABASE_URL") or DEFAULT_URL
    env = {**os.environ, "DATABASE_URL": url if database == "postgresql" else ""}
    options = ["--seed", str(seed), "--faults", str(given.faults), "--lasts", str(given.lasts)]
    options += ["--database", database, "--without", ",".join(given.without)]
    options += ["--redis"] * given.redis + ["--keep"] * given.keep
    options += ["--replay", str(given.replay)] if given.replay else []
    found: dict[str, Any] = {"seed": seed, "database": database, "sound": False, "figures": {}}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tests.chaos", *options, "--report", str(report)]
        subprocess.run(command, env=env, check=False)
        if report.exists():
            found = json.loads(report.read_text(encoding="utf-8"))
    return found


def _tell(result: Result) -> dict[str, Any]:
    order = result.order
    for line in result.lines:
        word = "BROKEN" if line["broken"] else "ok"
        say(f"{line['number']:>3} {word:<7}{line['title']}: {line['said']}")
        for sentence in line["broken"]:
            say(f"            {sentence}")
    figures, sound = result.figures, result.is_sound
    say(
        f"seed {order.seed} on {order.database}: {'sound' if sound else 'BROKEN'}; {_said(figures)}"
    )
    broken = [line["number"] for line in result.lines if line["broken"]]
    told = {"seed": order.seed, "database": order.database, "sound": sound, "figures": figures}
    return {
        **told,
        "broken": broken,
        "said": {line["number"]: line["said"] for line in result.lines},
    }


def _said(figures: dict[str, Any]) -> str:
    return (
        f"{figures['faults']} faults of {len(figures['kinds'])} kinds in {figures['acts_s']} s"
        f" ({figures['missed']} hit nobody), {figures['requests']} requests,"
        f" {figures['batches']} batches, at rest after {figures['end_s']} s"
    )


def _table(results: Sequence[dict[str, Any]]) -> str:
    head = (
        f"{'seed':>5} {'database':<11}{'faults':>7}{'kinds':>6}{'batches':>8}{'rest s':>8}  verdict"
    )
    return "\n".join([head, *map(_row, results)])


def _row(result: dict[str, Any]) -> str:
    figures = result["figures"]
    if not figures:
        return f"{result['seed']:>5} {result['database']:<11}{'did not end':>36}  BROKEN"
    verdict = "sound" if result["sound"] else f"BROKEN: {', '.join(result['broken'])}"
    return (
        f"{result['seed']:>5} {result['database']:<11}{figures['faults']:>7}"
        f"{len(figures['kinds']):>6}{figures['batches']:>8}{figures['end_s']:>8}  {verdict}"
    )


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
