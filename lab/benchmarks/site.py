"""A Madsea of the benchmarks' own: fresh home, fresh database, web and workers to be started."""

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
import requests

from generation.runtime.processes import ROOT, Started, start_python, stop, wait_until
from tests.ports import own_port

START_S = 60
#: The database of REDIS_URL's server that the benchmarks use; it must be empty.
REDIS_DATABASE = 9
#: One node makes a small image, one saves it: what is measured is what is around a render.
WORKFLOW = "Bench.json"
Graph = dict[str, dict[str, Any]]
GRAPH: Graph = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 36, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "bench"}},
}


class SiteError(Exception):
    """The site cannot be made as the environment asks for it."""


@dataclass(frozen=True)
class Site:
    """A home with a migrated database; `env` is what its processes run with."""

    home: Path
    env: dict[str, str]
    stack: ExitStack

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.env['PORT']}"

    def session(self) -> requests.Session:
        """Return a session that is signed in to the API."""
        session = requests.Session()
        session.headers["Authorization"] = f"Token {self.env['MADSEA_BENCH_TOKEN']}"
        return session

    def give_workflow(self, name: str, graph: Graph) -> None:
        """Lay a workflow into its folder."""
        path = Path(self.env["MADSEA_WORKFLOWS"]) / name
        path.write_text(json.dumps(graph), encoding="utf-8")

    def manage(self, *arguments: str, **change: str) -> str:
        """Run a command of Madsea and return what it says."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.env, **change},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def start(self, name: str, *command: str, **change: str) -> Started:
        """Start a program in the background; it is stopped with the site."""
        started = start_python(name, command, env={**self.env, **change}, logs=self.home / "logs")
        self.stack.callback(stop, [started])
        return started

    @contextmanager
    def web(self, **change: str) -> Iterator[Started]:
        """Run the web process."""
        options = ["--host", "127.0.0.1", "--port", self.env["PORT"]]
        web = self.start("web", "manage.py", "web", *options, **change)
        try:
            wait_until(lambda: _answers(f"{self.base}/admin/login/"), [web], START_S)
            yield web
        finally:
            stop([web])

    @contextmanager
    def preview(self, seconds_per_plan: float) -> Iterator[tuple[str, Path]]:
        """Run a fresh preview server with small ready-made images; give address and journal."""
        home = Path(tempfile.mkdtemp(prefix="preview-", dir=self.home))
        ready = home / "ready"
        pace = ["--seconds-per-plan", str(seconds_per_plan), "--pre-encoded"]
        where = ["--home", str(home), "--port", "0", "--ready-file", str(ready)]
        server = self.start(home.name, "-m", "comfyui_preview", *where, *pace)
        wait_until(lambda: ready.exists() and bool(ready.read_text()), [server], START_S)
        try:
            yield ready.read_text(), home / "journal.jsonl"
        finally:
            stop([server])

    @contextmanager
    def previews(self, n_servers: int, seconds_per_plan: float) -> Iterator[list[str]]:
        """Run several preview servers in one process; give their addresses."""
        home = Path(tempfile.mkdtemp(prefix="previews-", dir=self.home))
        size = ["--servers", str(n_servers), "--seconds-per-plan", str(seconds_per_plan)]
        server = self.start(home.name, "-m", "lab.benchmarks.preview_servers", str(home), *size)
        ready = home / "ready"
        wait_until(lambda: ready.exists() and bool(ready.read_text()), [server], START_S)
        try:
            yield ready.read_text().split()
        finally:
            stop([server])

    @contextmanager
    def workers(self, *server_urls: str, **change: str) -> Iterator[Started]:
        """Run the workers on these servers, one more than there are servers."""
        given = {"MADSEA_WORKERS": str(len(server_urls) + 1), **change}
        urls = ",".join(server_urls)
        work = self.start("work", "manage.py", "work", COMFYUI_SERVERS=urls, **given)
        try:
            wait_until(lambda: self._are_up(server_urls), [work], START_S)
            yield work
        finally:
            stop([work])

    def _are_up(self, urls: Sequence[str]) -> bool:
        listed = self.session().get(f"{self.base}/api/servers?page_size=1000", timeout=30)
        up = {each["url"] for each in listed.json()["results"] if each["health"] == "up"}
        return up.issuperset(urls)

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """Return the rows of a query, whichever database it is."""
        if url := self.env["DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                return list(connection.execute(query))
        with closing(sqlite3.connect(self.home / "madsea.sqlite3", timeout=20)) as connection:
            return list(connection.execute(query))

    def inside(self, call: str, **change: str) -> str:
        """Run a call such as `posting.main(10)` of a module beside this one, inside Django."""
        module = call.partition(".")[0]
        code = f"from lab.benchmarks import {module}; {call}"
        return self.manage("shell", "--no-imports", "--command", code, **change)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def site(redis_url: str = os.environ.get("REDIS_URL", "")) -> Iterator[Site]:
    """Make a site on the kind of database and broker that the environment names; remove it all."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="madsea-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        made = Site(home, _environment(home, redis_url, stack), stack)
        made.manage("migrate", "--verbosity", "0")
        access = json.loads(made.manage("demo_user", "--json", DEBUG="1"))
        made.env["MADSEA_BENCH_TOKEN"] = access["token"]
        yield made


def _environment(home: Path, redis_url: str, stack: ExitStack) -> dict[str, str]:
    workflows = home / "workflows"
    shutil.copytree(ROOT / "workflows", workflows)
    (workflows / WORKFLOW).write_text(json.dumps(GRAPH), encoding="utf-8")
    own = {
        "MADSEA_HOME": str(home),
        "MADSEA_PROJECTS_ROOT": str(home / "projects"),
        "MADSEA_WORKFLOWS": str(workflows),
        "DATABASE_URL": _database(os.environ.get("DATABASE_URL", ""), stack),
        "REDIS_URL": _redis(redis_url, stack),
        "COMFYUI_SERVERS": "",
        "MADSEA_WORKERS": "2",
        "ALLOWED_HOSTS": "",
        "DEBUG": "",
        "LOG_LEVEL": "WARNING",
        "PORT": str(own_port()),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **own}


def _database(url: str, stack: ExitStack) -> str:
    """Return the address of a fresh database beside the one at `url`; SQLite lies in the home."""
    if not url.startswith("postgres"):
        return ""
    name = f"madsea_bench_{secrets.token_hex(4)}"
    _execute(url, f'CREATE DATABASE "{name}"')
    stack.callback(_execute, url, f'DROP DATABASE "{name}" WITH (FORCE)')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def _redis(url: str, stack: ExitStack) -> str:
    if not url:
        return ""
    own = urlunsplit(urlsplit(url)._replace(path=f"/{REDIS_DATABASE}"))
    client = redis.Redis.from_url(own)
    if client.dbsize():
        raise SiteError(f"{own} is not empty: the benchmarks need that database for themselves.")
    stack.callback(client.flushdb)
    return own
