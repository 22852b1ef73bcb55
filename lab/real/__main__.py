"""`python -m lab.real START`: real ComfyUI servers, one line per fact.

`servers` are thirty plans on two of them, one of which is killed; `workflows` are graphs of every
shape on one: what is told of their pictures is held against its history and its files.

START is a command that runs a ComfyUI in the foreground; in it {port} is where it has to listen on
127.0.0.1, {home} its base directory: empty but for models of random weights, which are written
there. It needs no graphics card.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from generation.runtime.processes import leave_on_sigterm
from lab.chaos import small_images
from lab.chaos.attacked_site import redis_server
from lab.real import end_facts, random_models
from lab.real.bystander import Bystander
from lab.real.comfyui_server import Comfy
from lab.real.end_facts import Fact
from lab.real.frontend import Frontend
from lab.real.scenario import PLANS, Scenario
from lab.real.workflow_facts import Proof
from tests.processes import Site, Sites, wait_for

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
STARTS_WITHIN_S = 120
N_COLORS = 2**20
#: Pictures that graphs load whatever the plan.
INPUTS = {"styleref.png": "#c02040", "example.png": "#204080"}


def main(argv: Sequence[str] | None = None) -> int:
    """Play the parts that were asked for; return the exit code."""
    given = _parsed(argv)
    leave_on_sigterm()
    _ensure_database(given.database)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="madsea-real-"))
        if not given.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker = "Redis" if given.redis else "in the database"
        say(f"{given.database}, broker {broker}, seed {given.seed}; {folder}")
        n_wrong = sum(
            _is_wrong(fact) for part in given.parts for fact in _facts(part, given, folder)
        )
        return int(n_wrong > 0)


def _facts(part: str, given: argparse.Namespace, folder: Path) -> Iterator[Fact]:
    """Play a part in a folder of its own, and end what it has started."""
    own = folder / part
    own.mkdir()
    with ExitStack() as stack:
        yield from PARTS[part](given, own, stack)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m lab.real", description=__doc__, formatter_class=kind
    )
    parser.add_argument("start", metavar="START", help="such as 'run-comfyui {port} {home}'")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
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


def _servers(given: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[Fact]:
    """Two servers, thirty plans, and what befalls them."""
    comfies = [_comfy(given, folder / f"comfyui-{number}", stack) for number in (1, 2)]
    site, token = _site(given, folder, stack)
    for comfy in comfies:
        _come_up(comfy)
    bystanders = [Bystander(each, N_COLORS * n) for n, each in enumerate(comfies, start=1)]
    for each in bystanders:
        each.start()
    scenario = Scenario(site, token, bystanders, given.seed)
    scenario.play()
    yield from end_facts.all_of(scenario)


def _workflows(given: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[Fact]:
    """One server with small models, and workflows of every shape."""
    comfy = _comfy(given, folder / "comfyui", stack, prepare=_lay_out)
    site, token = _site(given, folder, stack)
    _come_up(comfy)
    site.settings["COMFYUI_SERVERS"] = comfy.url
    site.work()
    yield from Proof(site, comfy, Frontend(site, token)).all()


#: What can be played, each on servers and a site of its own.
PARTS: dict[str, Callable[[argparse.Namespace, Path, ExitStack], Iterator[Fact]]] = {
    "servers": _servers,
    "workflows": _workflows,
}


def _comfy(
    given: argparse.Namespace,
    home: Path,
    stack: ExitStack,
    prepare: Callable[[Path], None] = lambda _home: None,
) -> Comfy:
    """Start a server; `prepare` lays out its home before."""
    comfy = Comfy(given.start, home)
    prepare(home)
    stack.callback(comfy.kill)
    comfy.start()
    return comfy


def _lay_out(home: Path) -> None:
    """Lay out the models and pictures that the graphs name, into a server's home."""
    random_models.write(home / "models")
    (home / "input").mkdir()
    for name, color in INPUTS.items():
        (home / "input" / name).write_bytes(small_images.png(color))


def _come_up(comfy: Comfy) -> None:
    version = wait_for(comfy.version, STARTS_WITHIN_S, comfy.url)
    say(f"ComfyUI {version} at {comfy.url}")


def _site(given: argparse.Namespace, folder: Path, stack: ExitStack) -> tuple[Site, str]:
    """Return a site whose plans have panels of a colour each, and a token of its own."""
    panels = {
        f"E202_SQ0010-{plan}_extracted-raw.png": small_images.png(
            f"#0000{end_facts.blue_of(plan):02x}"
        )
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
    return site, sites.access["token"]


def _is_wrong(fact: Fact) -> bool:
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
