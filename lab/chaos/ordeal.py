"""One ordeal: a site, a load and an adversary from one seed; healing, the end, the audit."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.storage import STAGING
from lab.chaos import attack_schedule, load_script, small_images
from lab.chaos import ordeal_order as orders
from lab.chaos.adversary import Adversary
from lab.chaos.attacked_site import SERVERS, AttackedSite, redis_server
from lab.chaos.disk import Disk
from lab.chaos.file_and_row_watcher import Watcher
from lab.chaos.load import Load
from lab.chaos.ordeal_order import Order
from tests.processes import Site, Sites

ENDS_WITHIN_S = 240.0
UNFINISHED = """SELECT
    (SELECT count(*) FROM generation_planrun WHERE state IN ('queued', 'running', 'waiting'))
  + (SELECT count(*) FROM generation_attempt WHERE outcome = 'open' OR is_left_behind)
  + (SELECT count(*) FROM generation_version WHERE state = 'reserved')"""
PLAN = "plan.json"
CASE = "case.json"
ROWS = "rows.json"


@dataclass
class Result:
    """How it ended: what the audit said, and the figures of the summary."""

    order: Order
    home: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether every batch ended and every invariant held."""
        return bool(self.lines) and not any(line["broken"] for line in self.lines)


def undergo(order: Order, folder: Path) -> Result:
    """Go through an ordeal in a folder; raises what the harness itself stumbles over."""
    result = Result(order, folder)
    orders.write(order, folder / PLAN)
    say(f"{order}: {len(order.acts)} acts planned in {folder / PLAN}")
    with _field(order, folder) as (field_, sites):
        case = _let_happen(order, field_, sites, result)
        # What is judged must not move, also where it did not come to rest; the servers stay.
        field_.work.kill(session=True)
        home = field_.site.home
        (home / CASE).write_text(json.dumps(case), encoding="utf-8")
        said = field_.site.python("-m", "lab.chaos.audit", str(home / CASE))
        result.lines = json.loads(said.splitlines()[-1])
        result.home = home
    return result


@contextmanager
def _field(order: Order, folder: Path) -> Iterator[tuple[AttackedSite, Sites]]:
    panels = {
        f"E202_{sequence}-{code}_extracted-raw.png": small_images.png(f"#0000{int(code):02x}")
        for sequence, code in load_script.WITH_PANEL
    }
    with ExitStack() as stack:
        sites = Sites(folder, panels)
        stack.callback(sites.close)
        redis = redis_server(folder) if order.has_redis else None
        if redis is not None:
            stack.callback(redis.stop)
        site = sites.new()
        disk = Disk(site)
        stack.callback(disk.close)
        stack.callback(site.close)
        if site.database:
            stack.callback(_keep_rows, site)
        yield AttackedSite(site, disk, redis), sites


def _keep_rows(site: Site) -> None:
    """Write what is in a site's database beside its logs: the database goes with the site."""
    unneeded = ["--exclude", "contenttypes", "--exclude", "auth.permission"]
    site.manage("dumpdata", *unneeded, "--output", str(site.home / ROWS))


def _let_happen(order: Order, field_: AttackedSite, sites: Sites, result: Result) -> dict[str, Any]:
    load = Load(
        field_, sites.access["token"], load_script.draw(order.seed, order.lasts_s), order.seed
    )
    watcher, adversary = Watcher(field_.site), Adversary(field_)
    field_.wait_ready()
    begun = time.monotonic()
    watcher.start()
    load.start()
    try:
        adversary.run(order.acts)
        adversary.heal()
        healed = time.monotonic()
        load.finish()
        left = _wait_for_the_end(field_, load)
    finally:
        load.over.set()
        watcher.over.set()
    ended = time.monotonic()
    watcher.join()
    watcher.look()
    result.figures = _figures(adversary, load, healed - begun, ended - healed)
    return {
        **load.as_json(),
        **watcher.as_json(),
        "acts": [done.as_json() for done in adversary.done],
        "foreign": adversary.foreign,
        "tried": attack_schedule.as_json(adversary.tried),
        "journals": {preview.url: str(preview.journal) for preview in field_.previews},
        "generations": [generation for generation, _ in SERVERS],
        "unfinished": left,
        "ended_within_s": ended - healed,
    }


def _wait_for_the_end(field_: AttackedSite, load: Load) -> list[str]:
    """Return the batches that are not at rest after a bounded time."""
    ends_at = time.monotonic() + ENDS_WITHIN_S
    left = load.settle()
    while (left or _is_busy(field_)) and time.monotonic() < ends_at:
        field_.keep()
        time.sleep(1.0)
        left = load.settle()
    return left


def _is_busy(field_: AttackedSite) -> bool:
    """Tell whether rows are unfinished, or a killed process has left a file that is still young."""
    staging = field_.site.projects / STAGING
    return bool(field_.site.value(UNFINISHED)) or any(staging.glob("*"))


def _figures(adversary: Adversary, load: Load, acts_s: float, end_s: float) -> dict[str, Any]:
    return {
        "faults": len(adversary.done),
        "missed": len(adversary.missed),
        "kinds": dict(Counter(done.act.kind for done in adversary.done)),
        "requests": len(load.heard),
        "batches": len(load.batches),
        "acts_s": round(acts_s, 1),
        "end_s": round(end_s, 1),
    }


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def is_on_postgresql() -> bool:
    """Tell whether sites of this process are on PostgreSQL."""
    return bool(os.environ.get("DATABASE_URL"))
