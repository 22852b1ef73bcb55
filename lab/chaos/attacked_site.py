"""The field: a site with web, workers and four preview servers, that comes back when it is hit."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import requests

from generation.runtime.processes import Started
from lab.chaos import transaction_witness
from lab.chaos.disk import Disk
from tests.ports import own_port
from tests.processes import Preview, Redis, Site, alive, children, sentinels, wait_for

#: Each preview server's generation, and how long it takes for a plan.
SERVERS = (("classic", 0.8), ("targeted", 1.2), ("jobs", 2.0), ("targeted", 3.0))
SETTINGS = {
    "MADSEA_SERVER_GONE_S": "6",
    "MADSEA_WATCHDOG_S": "8",
    "MADSEA_STAGING_S": "20",
}
LOCK_WAIT_S = 3
OWNER = "SELECT lease_owner FROM generation_server WHERE lease_owner <> '' ORDER BY id"


@dataclass
class Post:
    """One process of the field: how it is started, and until when it stays away once it died."""

    name: str
    start: Callable[[], Started]
    started: Started
    away_until: float = 0.0
    n_starts: int = 1

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.started.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.started.process.poll() is None

    def keep(self) -> None:
        """Start it again once it is dead and its time away is over."""
        if not self.is_alive and time.monotonic() >= self.away_until:
            self.started = self.start()
            self.n_starts += 1

    def kill(self, away_s: float = 0.0, *, session: bool = False) -> None:
        """Kill it, or all that it has led, and keep it away for so long."""
        self.away_until = max(self.away_until, time.monotonic() + away_s)
        for pid in alive(self.pid) if session else [self.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.started.process.wait()


class AttackedSite:
    """Everything that a run hits, and everything that it asks for."""

    def __init__(self, site: Site, disk: Disk, redis: Redis | None) -> None:
        self.site = site
        self.disk = disk
        self.redis = redis
        self.workflows = site.home / "workflows"
        (site.home / transaction_witness.FOLDER).mkdir()
        site.settings |= SETTINGS
        site.settings["REDIS_URL"] = redis.url if redis else ""
        self._web_port = own_port()
        self.url = f"http://127.0.0.1:{self._web_port}"
        self.servers = [self._first_server(number) for number in range(len(SERVERS))]
        self.web = self._post("web", self._start_web)
        self.work = self._post("work", self._start_work)

    @property
    def posts(self) -> list[Post]:
        """Every process of the field."""
        return [self.web, self.work, *self.servers]

    @property
    def previews(self) -> list[Preview]:
        """The preview servers, in the order of SERVERS."""
        return self.site.previews

    def wait_ready(self) -> None:
        """Wait until web and workers have come up."""
        wait_for(lambda: answers(f"{self.url}/admin/login/"), 60, "the web process")
        wait_for(lambda: sentinels(self.work.pid), 60, "the workers")

    def keep(self) -> None:
        """Start again what has died and is due."""
        for post in self.posts:
            post.keep()

    def wake_all(self) -> None:
        """Thaw every process; what is away comes back now."""
        for post in self.posts:
            post.away_until = 0.0
            for pid in alive(post.pid):
                send(pid, signal.SIGCONT)
        self.keep()

    # Starting ----------------------------------------------------------------------------------

    @staticmethod
    def _post(name: str, start: Callable[[], Started]) -> Post:
        return Post(name, start, start())

    def _start_web(self) -> Started:
        where = ["--host", "127.0.0.1", "--port", str(self._web_port)]
        app = "lab.chaos.witnessed_asgi:application"
        return self.site.run("web", ["-m", "uvicorn", app, *where, "--no-access-log"])

    def _start_work(self) -> Started:
        return self.site.run("work", [str(Path(transaction_witness.__file__)), "work"])

    def _first_server(self, number: int) -> Post:
        preview = self.site.preview(*_options(number))
        return Post(f"server {number}", lambda: self._start_server(number), preview.started)

    def _start_server(self, number: int) -> Started:
        preview = self.previews[number]
        where = ["--home", str(preview.home), "--port", str(preview.port), "--pre-encoded"]
        command = ["-m", "comfyui_preview", *where, *_options(number)]
        return self.site.run(preview.home.name, command)

    # Looking -----------------------------------------------------------------------------------

    def drivers(self) -> list[int]:
        """Return the processes that hold a lease, as the database has it."""
        pids = [int(owner.rpartition(":")[2]) for (owner,) in self.site.rows(OWNER)]
        ours = set(alive(self.work.pid))
        return [pid for pid in pids if pid in ours]

    def sentinel(self) -> int | None:
        """Return the process that guards the workers."""
        return next(iter(sentinels(self.work.pid)), None)

    def workers(self) -> list[int]:
        """Return the processes under the sentinel."""
        guard = self.sentinel()
        return children(guard) if guard else []

    # The database --------------------------------------------------------------------------------

    def execute(self, statement: str) -> int:
        """Run a statement on the site's database and commit it; return how many rows it wrote."""
        with self.transaction() as run:
            return run(statement)

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str], int]]:
        """Give a function that runs statements; all are committed at the end."""
        # No lock is waited for long: who holds it may be frozen, and is thawed by who asks here.
        if self.site.database:
            url, options = self.site.env["DATABASE_URL"], f"-c lock_timeout={1000 * LOCK_WAIT_S}"
            with psycopg.connect(url, options=options) as connection:
                yield lambda statement: connection.execute(statement.encode()).rowcount
            return
        file = self.site.home / "madsea.sqlite3"
        with closing(sqlite3.connect(file, timeout=LOCK_WAIT_S)) as lite:
            yield lambda statement: lite.execute(statement).rowcount
            lite.commit()


def _options(number: int) -> list[str]:
    generation, seconds = SERVERS[number]
    return ["--faults", "--generation", generation, "--seconds-per-plan", str(seconds)]


def answers(url: str) -> bool:
    """Tell whether an address answers well."""
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; False when nobody is there any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def redis_server(folder: Path) -> Redis | None:
    """Return a started Redis of this run's own; None where there is no redis-server."""
    if not shutil.which("redis-server"):
        return None
    made = Redis(folder, own_port())
    try:
        made.start()
    except (OSError, subprocess.SubprocessError):
        made.stop()
        raise
    return made
