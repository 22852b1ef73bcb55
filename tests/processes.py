"""Real processes for tests: sites, each with a home, a database and a queue of its own.

A site's processes listen on free loopback ports and are ended by their ids. The database is SQLite
in the home, or a database of its own on the server of DATABASE_URL; the broker is Redis with
REDIS_URL, else the database.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
import requests

from generation.runtime.processes import ROOT, Started, start_python
from tests.ports import own_port
from tests.shared import one_at_a_time

PROJECT_ID = "madsea-2025-ep202"
STARTS_WITHIN_S = 120
DATABASE_URL = os.environ.get("DATABASE_URL", "")
#: Fills the home that all others are copies of, in one process, as each takes its time to start.
FILL_MODEL = f"""
import os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("import_panels", "{PROJECT_ID}", "E202", sys.argv[1])
call_command("demo_user", json=True)
"""
#: Everything that takes long by nature, made short.
QUICK = {
    "LANGUAGE_CODE": "en",
    "LANGUAGE": "en",
    "MADSEA_LEASE_S": "3",
    "MADSEA_TICK_S": "1",
    "MADSEA_LINGER_S": "1",
    "MADSEA_WATCHDOG_S": "5",
    "MADSEA_STAGING_S": "5",
}


def obeying_signals() -> None:
    """Take back, in a process that is started, what it would ignore as its starter does.

    Tests that run in the background, or under nohup, ignore Ctrl-C or a hang-up, and so would
    whatever they start.
    """
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


class TooLate(AssertionError):
    """What a test waited for has not come."""


def wait_for(what: Callable[[], Any], timeout_s: float = 180, name: str = "") -> Any:
    """Return the first true answer of `what`, asked ten times a second."""
    deadline = time.monotonic() + timeout_s
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise TooLate(f"{name or what} has not come within {timeout_s:.0f} s")
        time.sleep(0.1)
    return answer


def alive(session: int) -> list[int]:
    """Return the living processes of a session, zombies left out; a session has its leader's id."""
    return sorted(pid for pid, (_, of) in _living().items() if of == session)


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    return sorted(child for child, (parent, _) in _living().items() if parent == pid)


def sentinels(main: int) -> list[int]:
    """Return the living children of a process of workers but the one that makes small pictures."""
    return [pid for pid in children(main) if b"derive" not in _command(pid)]


def companions(main: int) -> list[int]:
    """Return the living processes that make small pictures beside a process of workers."""
    return [pid for pid in children(main) if b"derive" in _command(pid)]


def _command(pid: int) -> list[bytes]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def _living() -> dict[int, tuple[int, int]]:
    # Parent and session of each process.
    stats = {int(each.name): _stat(int(each.name)) for each in Path("/proc").glob("[0-9]*")}
    return {pid: (int(s[1]), int(s[3])) for pid, s in stats.items() if s and s[0] != "Z"}


def _stat(pid: int) -> list[str]:
    # State, parent, group, session: what follows the name, which may hold blanks.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    except (FileNotFoundError, ProcessLookupError):
        return []


@dataclass
class Preview:
    """A preview server of a site."""

    url: str
    home: Path
    started: Started

    @property
    def journal(self) -> Path:
        """What it accepted and executed."""
        return self.home / "journal.jsonl"

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 80

    def queue(self) -> list[str]:
        """Return the ids of the prompts that run or wait there."""
        answer = requests.get(f"{self.url}/queue", timeout=60).json()
        return [item[1] for item in answer["queue_running"] + answer["queue_pending"]]


@dataclass
class Site:
    """An installation of its own: its home, its database, and the processes that run in it."""

    home: Path
    database: str = ""
    queue: str = field(default_factory=lambda: f"madsea-{uuid.uuid4().hex}")
    settings: dict[str, str] = field(default_factory=dict)
    previews: list[Preview] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)

    @property
    def projects(self) -> Path:
        """The projects root."""
        return self.home / "projects"

    @property
    def env(self) -> dict[str, str]:
        """The environment of the site's processes."""
        own = {
            "MADSEA_HOME": str(self.home),
            "MADSEA_PROJECTS_ROOT": "",
            "MADSEA_WORKFLOWS": str(self.home / "workflows"),
            "DATABASE_URL": _url_of(self.database) if self.database else "",
            "COMFYUI_SERVERS": ",".join(preview.url for preview in self.previews),
            "Q_CLUSTER_NAME": self.queue,
            "DEBUG": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "",
        }
        return {**os.environ, **QUICK, **own, **self.settings}

    # Processes ---------------------------------------------------------------------------------

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a command of Madsea to its end and return what it says; `more` is environment."""
        return self.python("manage.py", *arguments, **more)

    def python(self, *arguments: str, **more: str) -> str:
        """Run a Python program to its end and return what it says; `more` is environment."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.env, **more},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, name: str, command: Sequence[str]) -> Started:
        """Start a Python program in the site's environment, in a session of its own."""
        count = len(self.started)
        started = start_python(f"{name}-{count}", command, env=self.env, logs=self.home / "logs")
        self.started.append(started)
        return started

    def work(self, *arguments: str) -> Started:
        """Start the workers."""
        return self.run("work", ["manage.py", "work", *arguments])

    def preview(
        self, *arguments: str, home: str = "", port: int = 0, is_pre_encoded: bool = True
    ) -> Preview:
        """Start a preview server; with a home and a port it is one that was there before.

        Unless its pictures are small ones that are ready, it draws each as its graph says.
        """
        folder = self.home / (home or f"preview-{len(self.previews)}")
        ready = folder / "ready"
        ready.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        where = ["--home", str(folder), "--port", str(port), "--ready-file", str(ready)]
        ready_made = ["--pre-encoded"] if is_pre_encoded else []
        command = ["-m", "comfyui_preview", *where, *ready_made, *arguments]
        started = self.run(folder.name, command)
        url = wait_for(lambda: ready.exists() and ready.read_text(), STARTS_WITHIN_S, "preview")
        preview = Preview(url, folder, started)
        self.previews = [each for each in self.previews if each.url != url] + [preview]
        return preview

    def web(self) -> str:
        """Start the web process and return its address."""
        port = own_port()
        where = ["--host", "127.0.0.1", "--port", str(port)]
        self.run("web", ["manage.py", "web", *where])
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(f"{url}/admin/login/"), STARTS_WITHIN_S, "the web process")
        return url

    def close(self) -> None:
        """End every process of the site and drop its database."""
        for started in self.started:
            _end_session(started.process, self.home)
        if self.database:
            _on_server(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    # What is in the database -------------------------------------------------------------------

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        if self.database:
            with psycopg.connect(_url_of(self.database)) as connection:
                return list(connection.execute(query))
        with closing(sqlite3.connect(self.home / "madsea.sqlite3", timeout=20)) as connection:
            return list(connection.execute(query))

    def value(self, query: str) -> Any:
        """Return the one value that a query has."""
        ((value,),) = self.rows(query)
        return value

    def cut_connections(self) -> None:
        """Have PostgreSQL end every connection to the site's database."""
        of = f"datname = '{self.database}'"
        _on_server(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of}")

    def lose_wake_ups(self) -> int:
        """Take every message out of a queue in the database; return how many there were."""
        lost = self.value("SELECT count(*) FROM django_q_ormq")
        self.execute("DELETE FROM django_q_ormq")
        return int(lost)

    def execute(self, statement: str) -> None:
        """Run a statement that returns nothing."""
        if self.database:
            with psycopg.connect(_url_of(self.database)) as connection:
                connection.execute(statement)
            return
        with closing(sqlite3.connect(self.home / "madsea.sqlite3", timeout=20)) as connection:
            connection.execute(statement)
            connection.commit()

    # What is asked of it -----------------------------------------------------------------------

    def generate(self, plans: Sequence[str], **given: Any) -> None:
        """Ask for plans of SQ0010."""
        path = self.home / f"request-{uuid.uuid4().hex}.json"
        path.write_text(json.dumps(request(plans, **given)), encoding="utf-8")
        self.manage("generate", str(path))

    def wait_done(self, timeout_s: float = 240) -> None:
        """Wait until every batch is finished and none of its plans is anything but done."""
        query = "SELECT count(*) FROM generation_planrun WHERE state <> 'done'"
        wait_for(lambda: self.value(query) == 0, timeout_s, f"the end of the batch in {self.home}")


class Redis:
    """A Redis server that can be stopped and started; it keeps nothing."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command = ["redis-server", *where, "--save", "", "--appendonly", "no"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for(self._answers, STARTS_WITHIN_S, "Redis")

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with closing(redis.from_url(self.url)) as client, suppress(redis.ConnectionError):
            return bool(client.ping())
        return False


def request(plans: Sequence[str], **given: Any) -> dict[str, Any]:
    """Return a request for plans of SQ0010 as the API takes it."""
    return {
        "project_id": PROJECT_ID,
        "episode": "E202",
        "season": "S02",
        "sequences": [{"sequence_id": "SQ0010", "plans": list(plans)}],
        "style": "ombres_chinoises",
        "workflow_json": "Silhouette.json",
        "params": {},
        "mode": "auto",
        **given,
    }


class Sites:
    """Makes sites as copies of one that is migrated and has panels and a demo user."""

    def __init__(
        self, folder: Path, panels: Mapping[str, bytes], *, model: Path | None = None
    ) -> None:
        """Take the site that all are copies of from the folder `model`, or make it there."""
        self._folder = folder
        self._n_made = 0
        # A database on a server belongs to whoever drops it.
        own = folder / "model"
        where = own if model is None or DATABASE_URL else model
        self._model = Site(where / "home", _new_database() if DATABASE_URL else "")
        self._made: list[Site] = [self._model]
        where.mkdir(exist_ok=True)
        access = where / "access.json"
        with one_at_a_time(where / "lock"):
            if not access.exists():
                access.write_text(self._fill_model(where / "panels", panels), encoding="utf-8")
        self.access: dict[str, str] = json.loads(access.read_text(encoding="utf-8"))

    def _fill_model(self, sources: Path, panels: Mapping[str, bytes]) -> str:
        self._model.home.mkdir()
        _lay_small_workflows(self._model.home / "workflows")
        sources.mkdir()
        for name, content in panels.items():
            (sources / name).write_bytes(content)
        return self._model.python("-c", FILL_MODEL, str(sources)).splitlines()[-1]

    def new(self, **settings: str) -> Site:
        """Return a new site; `settings` are environment, on top of the quick ones."""
        self._n_made += 1
        home = self._folder / f"site-{self._n_made}"
        shutil.copytree(self._model.home, home)
        site = Site(home, _new_database(self._model.database) if DATABASE_URL else "")
        site.settings.update(settings)
        self._made.append(site)
        return site

    def close(self) -> None:
        """End the processes of every site, drop their databases."""
        for site in reversed(self._made):
            site.close()


def _lay_small_workflows(folder: Path) -> None:
    """Lay out the workflows with images of the size that the servers' ready-made ones have."""
    folder.mkdir()
    for file in (ROOT / "workflows").glob("*.json"):
        graph = json.loads(file.read_text(encoding="utf-8"))
        for node in graph.values():
            if node["class_type"] == "ImageScale":
                node["inputs"] |= {"width": 64, "height": 36}
        (folder / file.name).write_text(json.dumps(graph), encoding="utf-8")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.RequestException:
        return False


def _end_session(leader: subprocess.Popen[bytes], home: Path) -> None:
    # A killed process may have left others behind in the session that it led.
    for pid in alive(leader.pid):
        if _belongs(pid, home):
            os.kill(pid, signal.SIGKILL)
    # One that was becoming another program this moment showed no environment.
    leader.kill()
    leader.wait()


def _belongs(pid: int, home: Path) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return os.fsencode(f"MADSEA_HOME={home}") in Path(f"/proc/{pid}/environ").read_bytes()
    return False


def _new_database(template: str = "template1") -> str:
    name = f"madsea_site_{uuid.uuid4().hex[:12]}"
    _on_server(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


def _on_server(statement: str) -> None:
    with psycopg.connect(_url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _url_of(database: str) -> str:
    return urlsplit(DATABASE_URL)._replace(path=f"/{database}").geturl()
