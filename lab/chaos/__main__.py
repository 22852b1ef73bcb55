"""`python -m lab.chaos`: seeds on databases, a line per invariant, and a table at the end."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.chaos import attack_schedule, ordeal, ordeal_order
from lab.chaos.ordeal import Result, say
from lab.chaos.ordeal_order import Order

DATABASES = ("sqlite", "postgresql")
DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
FAULTS_PER_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Play what is asked for; return the exit code."""
    given = parsed(argv)
    orders = ordered(given)
    if len(orders) == 1 and _is_here(orders[0]):
        return play(orders[0], keep=given.keep, report=given.report)
    results = [_in_a_process(each, keep=given.keep) for each in orders]
    if len(results) > 1:
        say(_table(results))
    return 0 if all(result["sound"] for result in results) else 1


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(prog=ordeal_order.PROGRAM, description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--seeds", type=_range, default=[1], help="such as 1-20 or 3,7,9")
    parser.add_argument("--faults", type=int, default=200, help="at least so many are done")
    parser.add_argument("--lasts", type=float, metavar="S", help="default: faults / 2")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="sqlite")
    parser.add_argument("--redis", action="store_true", help="with a Redis of its own")
    parser.add_argument("--without", default="", help="kinds to be left out, with commas")
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="the plan.json of an earlier run, which says all of the above",
    )
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="keep what is kept of a broken run")
    given = parser.parse_args(argv)
    given.without = [name for name in given.without.split(",") if name]
    if unknown := set(given.without) - set(attack_schedule.KINDS):
        parser.error(
            f"no act is called {sorted(unknown)}; there are {sorted(attack_schedule.KINDS)}"
        )
    return given


def _range(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def ordered(given: argparse.Namespace) -> list[Order]:
    """Return what the options order: what a file holds, or each seed on each database."""
    if given.replay:
        return [ordeal_order.read(given.replay)]
    lasts_s = given.lasts or given.faults / FAULTS_PER_S
    has_redis = given.redis and shutil.which("redis-server") is not None
    return [
        ordeal_order.draw(
            seed, given.faults, lasts_s, database, has_redis=has_redis, without=given.without
        )
        for seed in (given.seeds if given.seed is None else [given.seed])
        for database in (DATABASES if given.database == "both" else [given.database])
    ]


def _is_here(wanted: Order) -> bool:
    # Which database a process is on, its environment says when it starts.
    return ordeal.is_on_postgresql() == (wanted.database == "postgresql")


def play(wanted: Order, *, keep: bool, report: Path | None) -> int:
    """Go through one order in this process."""
    folder = Path(tempfile.mkdtemp(prefix=f"madsea-chaos-{wanted.seed}-{wanted.database}-"))
    is_sound = False
    try:
        result = ordeal.undergo(wanted, folder)
        is_sound = result.is_sound
        told = _tell(result)
        if report:
            report.write_text(json.dumps(told), encoding="utf-8")
    finally:
        _leave(wanted, folder, is_sound=is_sound, keep=keep)
    return 0 if is_sound else 1


def _leave(wanted: Order, folder: Path, *, is_sound: bool, keep: bool) -> None:
    """Remove what a run has left, or say where it is; of one that broke, how it is played again."""
    if is_sound and not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    say(f"{wanted}: homes, logs, rows and files are in {folder}")
    if not is_sound:
        for command in ordeal_order.replay_commands(wanted, folder / ordeal.PLAN):
            say(f"again: {command}")


def _in_a_process(wanted: Order, *, keep: bool) -> dict[str, Any]:
    """Go through one order in a process of its own; return its result."""
    url = os.environ.get("DATABASE_URL") or DEFAULT_URL
    env = {**os.environ, "DATABASE_URL": url if wanted.database == "postgresql" else ""}
    found: dict[str, Any] = {"seed": wanted.seed, "database": wanted.database, "sound": False}
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / ordeal.PLAN, Path(folder) / "report.json"
        ordeal_order.write(wanted, file)
        options = ["--replay", str(file), "--report", str(report), *["--keep"] * keep]
        subprocess.run([sys.executable, "-m", "lab.chaos", *options], env=env, check=False)
        if report.exists():
            found = json.loads(report.read_text(encoding="utf-8"))
    return found


def _tell(result: Result) -> dict[str, Any]:
    for line in result.lines:
        word = "BROKEN" if line["broken"] else "ok"
        say(f"{line['number']:>3} {word:<7}{line['title']}: {line['said']}")
        for sentence in line["broken"]:
            say(f"            {sentence}")
    figures, sound = result.figures, result.is_sound
    say(f"{result.order}: {'sound' if sound else 'BROKEN'}; {_said(figures)}")
    broken = [line["number"] for line in result.lines if line["broken"]]
    return {
        "seed": result.order.seed,
        "database": result.order.database,
        "sound": sound,
        "figures": figures,
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
    figures = result.get("figures")
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
