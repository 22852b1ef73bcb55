"""`python -m lab.real START`: thirty plans on two ComfyUI servers, one line per fact.

START is a command that runs a ComfyUI in the foreground; in it {port} is where it has to listen on
127.0.0.1, {home} an empty folder for what it writes. It needs no model and no graphics card.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from generation.runtime.processes import leave_on_sigterm
from lab.chaos import pictures
from lab.chaos.field import redis_server
from lab.real import end_facts
from lab.real.bystander import Bystander
from lab.real.comfy import Comfy
from lab.real.scenario import PLANS, Scenario
from tests.processes import Sites, wait_for

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
STARTS_WITHIN_S = 120
N_COLORS = 2**20


def main(argv: Sequence[str] | None = None) -> int:
    """Play the scenario; return the exit code."""
    given = _parsed(argv)
    leave_on_sigterm()
    _ensure_database(given.database)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="madsea-real-"))
        if not given.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        scenario, version = _prepared(given, folder, stack)
        broker = "Redis" if given.redis else "in the database"
        say(f"{given.database}, broker {broker}, seed {given.seed}, ComfyUI {version}; {folder}")
        scenario.play()
        n_wrong = sum(_is_wrong(fact) for fact in end_facts.all_of(scenario))
        return int(n_wrong > 0)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m lab.real", description=__doc__, formatter_class=kind
    )
    parser.add_argument("start", metavar="START", help="such as 'run-comfyui {port} {home}'")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--redis", action="store_true", help="with a Redis of its own")
    parser.add_argument("--seed", type=int, default=1, help="what happens when, and to whom")
    parser.add_argument("--keep", action="store_true", help="keep homes, logs and files")
    return parser.parse_args(argv)


def _ensure_database(database: str) -> None:
    """Go on in this process, or become one whose environment names the database."""
    url = os.environ.get("DATABASE_URL", "")
    if bool(url) != (database == "postgresql"):
        env = {**os.environ, "DATABASE_URL": DEFAULT_URL if database == "postgresql" else ""}
        os.execve(sys.executable, [sys.executable, "-m", "lab.real", *sys.argv[1:]], env)


def _prepared(given: argparse.Namespace, folder: Path, stack: ExitStack) -> tuple[Scenario, str]:
    comfies = [Comfy(given.start, folder / f"comfyui-{number}") for number in (1, 2)]
    for comfy in comfies:
        stack.callback(comfy.kill)
        comfy.start()
    panels = {
        f"E202_SQ0010-{plan}_extracted-raw.png": pictures.png(f"#0000{end_facts.blue_of(plan):02x}")
        for plan in PLANS
    }
    sites = Sites(folder, panels)
    stack.callback(sites.close)
    site = sites.new()
    if given.redis:
        redis = redis_server(folder)
        assert redis is not None, "there is no redis-server"
        stack.callback(redis.stop)
        site.settings["REDIS_URL"] = redis.url
    versions = [wait_for(each.version, STARTS_WITHIN_S, each.url) for each in comfies]
    bystanders = [Bystander(each, N_COLORS * n) for n, each in enumerate(comfies, start=1)]
    for each in bystanders:
        each.start()
    return Scenario(site, sites.access["token"], bystanders, given.seed), versions[0]


def _is_wrong(fact: end_facts.Fact) -> bool:
    say(f"{'WRONG' if fact.wrong else 'ok':<6}{fact.title}: {fact.said}")
    for sentence in fact.wrong:
        say(f"        {sentence}")
    return bool(fact.wrong)


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
