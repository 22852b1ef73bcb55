"""A ComfyUI that lies, floods, drips and never ends, and a real driver process that has to bear it.

One line per kind: how the plan ended, and by how much the driver's memory grew.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generation.runtime.processes import ROOT
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground
from lab.hostile.lying_server import Act, Liar, lying
from lab.hostile.lying_server import acts as ways
from tests.processes import Site, request

GROWN_MB_MOST = 200
SECONDS = 20.0
ACTS_ON_TERMINALS = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202e\u2066"} - {"\n"}


@dataclass(frozen=True)
class Lie:
    """What a server does, where, and how the plan may end: by a code, `done`, or it `waits`."""

    name: str
    route: str
    act: Act
    ends: frozenset[str]


def _lies() -> Iterator[Lie]:
    for name, (route, act, ends) in ways().items():
        yield Lie(name, route, act, frozenset(ends.split()))


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield, for each lie, that the plan ends with a code and the driver stays small and alive."""
    site = ground.site(MADSEA_TRIES="1", MADSEA_HUNG_S="5", MADSEA_WORKER_DEAD_S="5")
    preview = site.preview()
    asked = site.home / "request.json"
    asked.write_text(json.dumps(request(["0010"])), encoding="utf-8")
    for lie in _lies():
        with lying(preview.url, lie.route, lie.act) as liar:
            yield _borne(lie, *_driven(site, liar, str(asked)))


def _driven(site: Site, liar: Liar, asked: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "lab.hostile.one_driver", liar.url, asked, str(SECONDS)]
    done = subprocess.run(
        command, cwd=ROOT, env=site.env, capture_output=True, text=True, timeout=180
    )
    last = (done.stdout.strip().splitlines() or ["{}"])[-1]
    said = json.loads(last) if done.returncode == 0 else {}
    return done.returncode, said, done.stderr


def _borne(lie: Lie, code: int, said: dict[str, Any], log: str) -> Fact:
    if code:
        return Fact(lie.name, f"the driver ended with {code}: {log[-300:]!r}", holds=False)
    ended = said["code"] or ("done" if said["state"] == "done" else "waits")
    grown, words = said["grown_mb"], said["words"]
    is_clean = not set(words) & ACTS_ON_TERMINALS and len(words) <= 2000
    seen = f"{ended} after {said['n_attempts']}, +{grown} MiB: {' '.join(words.split())[:60]}"
    holds = ended in lie.ends and grown <= GROWN_MB_MOST and is_clean and "Traceback" not in log
    return Fact(lie.name, seen, holds)
