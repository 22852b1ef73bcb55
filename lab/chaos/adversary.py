"""The adversary: does the acts of a plan to a field, each at its time, and undoes what lasts."""

import heapq
import itertools
import os
import random
import signal
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import redis
import requests

from lab.chaos import small_images
from lab.chaos.attack_schedule import FAULT_NAMES, FAULTS, N_SERVERS, UNTIL_RESTART, Act
from lab.chaos.attacked_site import AttackedSite, Post, send

FAULTS_PATH = "/_preview/faults"
Undo = Callable[[], object]
RING = (
    "from generation import queueing; [queueing.call_soon(queueing.DRIVE, n) for n in (1, 2, 3, 4)]"
)


class NobodyToHit(Exception):
    """There was nobody to be hit."""


@dataclass(frozen=True)
class Done:
    """An act as it was done: when (seconds since 1970), to whom, and until when it lasted."""

    act: Act
    at: float
    whom: str
    until: float

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self.act), "at": self.at, "whom": self.whom, "until": self.until}


class Adversary:
    """One run's adversary; `tried` are its acts so far, `done` and `missed` what came of them."""

    def __init__(self, field: AttackedSite) -> None:
        self._field = field
        self._undoing: list[tuple[float, int, Undo]] = []
        self._count = itertools.count()
        self.done: list[Done] = []
        self.missed: list[Act] = []
        self.tried: list[Act] = []
        #: The ids of somebody else's prompts, also of those that no answer came for.
        self.foreign: list[str] = []

    def run(self, acts: Sequence[Act]) -> None:
        """Do every act at its time, or as soon after as the others allow."""
        begun = time.monotonic()
        for act in acts:
            self._wait(begun + act.at_s)
            self._do(act)

    def heal(self) -> None:
        """Undo everything that still lasts, and clear every fault."""
        for _, _, undo in sorted(self._undoing, key=lambda each: each[:2]):
            undo()
        self._undoing = []
        self._field.disk.free()
        self._field.wake_all()
        for number in range(N_SERVERS):
            with suppress(NobodyToHit):
                self._heal(number)
        self._field.keep()

    def _heal(self, number: int) -> None:
        """Clear a server's faults; restart one that a fault reached which was sent while it froze.

        Who sent that had given up by then, and undoes nothing.
        """
        active = self._faults(number, {}).json()["active"]
        self._faults(number, {"clear": True})
        if UNTIL_RESTART.intersection(fault["name"] for fault in active):
            self._field.servers[number].kill()

    def _wait(self, until: float) -> None:
        while True:
            now = time.monotonic()
            while self._undoing and self._undoing[0][0] <= now:
                heapq.heappop(self._undoing)[2]()
            self._field.keep()
            if now >= until:
                return
            time.sleep(min(0.1, until - now))

    def _do(self, act: Act) -> None:
        deed = self._fault if act.kind in FAULTS else getattr(self, f"_{act.kind}")
        at = time.time()
        self.tried.append(act)
        try:
            whom = deed(act)
        except (NobodyToHit, sqlite3.Error, psycopg.Error):
            self.missed.append(act)
        else:
            self.done.append(Done(act, at, whom, time.time() + act.for_s))

    def _undo_later(self, act: Act, undo: Undo) -> None:
        heapq.heappush(self._undoing, (time.monotonic() + act.for_s, next(self._count), undo))

    # Processes -----------------------------------------------------------------------------------

    def _kill_driver(self, act: Act) -> str:
        return _hit(_one_of(act, self._field.drivers()), signal.SIGKILL)

    def _kill_worker(self, act: Act) -> str:
        return _hit(_one_of(act, self._field.workers()), signal.SIGKILL)

    def _kill_sentinel(self, act: Act) -> str:
        guard = self._field.sentinel()
        self._field.work.away_until = time.monotonic() + act.for_s
        return _hit(_one_of(act, [guard] if guard else []), signal.SIGKILL)

    def _kill_main(self, act: Act) -> str:
        return _kill(self._field.work, act)

    def _kill_tree(self, act: Act) -> str:
        return _kill(self._field.work, act, session=True)

    def _stop_workers(self, act: Act) -> str:
        work = self._field.work
        work.away_until = time.monotonic() + act.for_s
        return _hit(_one_of(act, [work.pid] if work.is_alive else []), signal.SIGTERM)

    def _kill_web(self, act: Act) -> str:
        return _kill(self._field.web, act)

    def _freeze_driver(self, act: Act) -> str:
        return self._freeze(_one_of(act, self._field.drivers()), act)

    def _freeze_main(self, act: Act) -> str:
        return self._freeze(self._field.work.pid, act)

    def _freeze_web(self, act: Act) -> str:
        return self._freeze(self._field.web.pid, act)

    def _freeze(self, pid: int, act: Act) -> str:
        whom = _hit(pid, signal.SIGSTOP)
        self._undo_later(act, lambda: send(pid, signal.SIGCONT))
        return whom

    # Servers -------------------------------------------------------------------------------------

    def _server(self, act: Act) -> Post:
        return self._field.servers[act.on % N_SERVERS]

    def _kill_server(self, act: Act) -> str:
        living = [post for post in self._field.servers if post.is_alive]
        return _kill(living[act.on % len(living)] if living else self._server(act), act)

    _server_away = _kill_server

    def _freeze_server(self, act: Act) -> str:
        self._freeze(self._server(act).pid, act)
        return self._server(act).name

    def _forget_all(self, act: Act) -> str:
        return self._first_of(act, FAULTS_PATH, {"restart": True})[1]

    def _fault(self, act: Act) -> str:
        name = FAULT_NAMES.get(act.kind, act.kind)
        body = {"set": [{"name": name, **act.options}]}
        number, whom = self._first_of(act, FAULTS_PATH, body)
        if act.for_s:
            self._undo_later(act, lambda: self._mend(number, name))
        return whom

    def _mend(self, number: int, name: str) -> None:
        if name in UNTIL_RESTART:
            self._field.servers[number].kill()
            return
        with suppress(NobodyToHit):
            self._faults(number, {"clear": [name]})

    def _faults(self, number: int, body: dict[str, Any]) -> requests.Response:
        return self._post(number, FAULTS_PATH, body)

    def _first_of(self, act: Act, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Tell the server that is meant, or the first after it that can hear."""
        for step in range(N_SERVERS):
            number = (act.on + step) % N_SERVERS
            if self._field.servers[number].is_alive:
                with suppress(NobodyToHit):
                    self._post(number, path, body)
                    return number, self._field.servers[number].name
        raise NobodyToHit(act.kind)

    def _foreign_prompt(self, act: Act) -> str:
        """Queue a prompt of somebody else's."""
        prompt_id = str(uuid.UUID(int=random.Random(str(act)).getrandbits(128), version=4))
        self.foreign.append(prompt_id)
        body = {
            "prompt": small_images.foreign_prompt(prompt_id),
            "prompt_id": prompt_id,
            "client_id": "a colleague",
        }
        return self._first_of(act, "/prompt", body)[1]

    def _post(self, number: int, path: str, body: dict[str, Any]) -> requests.Response:
        url = f"{self._field.previews[number].url}{path}"
        try:
            answer = requests.post(url, json=body, timeout=1)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise NobodyToHit(url) from error
        return answer

    # Database, broker, disk ----------------------------------------------------------------------

    def _lease_into_past(self, act: Act) -> str:
        return self._move_lease(act, -60)

    def _lease_into_future(self, act: Act) -> str:
        return self._move_lease(act, act.options["seconds"])

    def _move_lease(self, act: Act, seconds: int) -> str:
        url = self._field.previews[act.on % N_SERVERS].url
        moved = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{seconds} seconds')"
        if self._field.site.database:
            moved = f"now() + interval '{seconds} seconds'"
        where = f"url = '{url}' AND lease_token IS NOT NULL"
        statement = f"UPDATE generation_server SET lease_expires_at = {moved} WHERE {where}"
        if not self._field.execute(statement):
            raise NobodyToHit(statement)
        return self._server(act).name

    def _lose_messages(self, act: Act) -> str:
        broker = self._field.redis
        if broker is None:
            return f"{self._field.execute('DELETE FROM django_q_ormq')} messages"
        try:
            with closing(redis.from_url(broker.url)) as client:
                return f"{client.delete(f'django_q:{self._field.site.queue}:q')} lists"
        except redis.RedisError as error:
            raise NobodyToHit(broker.url) from error

    def _ring_twice(self, act: Act) -> str:
        """Ask for every driver once more than anybody needs."""
        self._field.site.run("ring", ["manage.py", "shell", "--no-imports", "--command", RING])
        return "every server"

    def _hold_database(self, act: Act) -> str:
        """Keep every writer waiting for so long."""
        threading.Thread(target=self._hold, args=[act.for_s], daemon=True).start()
        return "every writer"

    def _hold(self, for_s: float) -> None:
        lock = "LOCK TABLE generation_batch IN EXCLUSIVE MODE"
        with suppress(sqlite3.Error, psycopg.Error), self._field.transaction() as run:
            run(lock if self._field.site.database else "BEGIN IMMEDIATE")
            time.sleep(for_s)

    def _cut_connections(self, act: Act) -> str:
        self._field.site.cut_connections()
        return "every connection"

    def _broker_away(self, act: Act) -> str:
        broker = self._field.redis
        if broker is None:
            raise NobodyToHit(act.kind)
        broker.stop()
        self._undo_later(act, broker.start)
        return "Redis"

    def _disk_full(self, act: Act) -> str:
        self._field.disk.fill()
        self._undo_later(act, self._field.disk.free)
        return "the projects' disk"

    def _disk_without_names(self, act: Act) -> str:
        self._field.disk.use_up_names()
        self._undo_later(act, self._field.disk.free)
        return "the projects' disk"


def _one_of(act: Act, pids: list[int]) -> int:
    if not pids:
        raise NobodyToHit(act.kind)
    return pids[act.on % len(pids)]


def _hit(pid: int, number: signal.Signals) -> str:
    try:
        os.kill(pid, number)
    except ProcessLookupError as error:
        raise NobodyToHit(str(pid)) from error
    return f"process {pid}"


def _kill(post: Post, act: Act, *, session: bool = False) -> str:
    if not post.is_alive:
        raise NobodyToHit(post.name)
    post.kill(act.for_s, session=session)
    return post.name
