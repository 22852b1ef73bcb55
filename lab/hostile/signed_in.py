"""Whoever is signed in, and whatever file they send, takes nothing down; what is taken is shown."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from generation.runtime.processes import ROOT
from lab.benchmarks import process_usage
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground
from tests import pictures as made
from tests.processes import PROJECT_ID, Site, children

PEAK_MIB = 2400
IMPORT_MIB = 300
N_BOMBS = 4
SENT_AGAIN_MOST = 40
LOOK_S = 0.02
CLEAR_STAGING = """
import os
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
django.setup()
from generation.services import publication
print(publication.clear_staging())
"""
BOMBS: dict[str, Callable[[], bytes]] = {
    "a WebP that unfolds to 96 megapixels": made.unfolding,
    "a PNG of 400,000 texts": made.many_chunks,
    "a PNG of 400,000 pieces of pixels": lambda: made.many_chunks(b"IDAT"),
    "a text that unfolds to 1 GiB": made.endless_text,
    "a JPEG of 20,000 scans": made.endless_scans,
    "a PNG that claims 3.6 gigapixels": made.claiming,
    "grey of 16 bits and 100 megapixels": lambda: made.plain("PNG", (10_000, 10_000), "I;16"),
    "a page": lambda: made.HTML,
}


@dataclass
class Web:
    """A web process of production, and what it took at the most."""

    site: Site
    base: str
    token: str
    pid: int
    shown: list[dict[str, Any]] = field(default_factory=list)
    n_plans: int = 0
    n_sent_again: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Token {self.token}"}

    def get(self, address: str) -> requests.Response:
        """Ask for something."""
        where = address if address.startswith("http") else f"{self.base}{address}"
        return requests.get(where, headers=self.headers, timeout=120)

    def send(self, content: bytes, plan: int) -> requests.Response:
        """Send a panel of a plan of its own; keep what is said of one that is taken."""
        body = {"project_id": PROJECT_ID, "season": "S02", "episode": "E202"}
        body |= {"sequence_id": "SQ0090", "plan": f"{plan:04d}"}
        name = f"panel.{_ending(content)}"
        answer = requests.post(
            f"{self.base}/api/panels",
            data=body,
            files={"file": (name, content)},
            headers=self.headers,
            timeout=300,
        )
        if answer.status_code == 201:
            self.shown.append(answer.json())
        return answer

    def persist(self, content: bytes, plan: int) -> requests.Response:
        """Send a panel until it is taken or refused: again as soon as an answer asks for it."""
        answer = self.send(content, plan)
        while answer.status_code == 503 and self.n_sent_again < SENT_AGAIN_MOST:
            self.n_sent_again += 1
            time.sleep(float(answer.headers["Retry-After"]))
            answer = self.send(content, plan)
        return answer

    def numbers(self, n: int) -> range:
        """Return so many plans that nobody has had yet."""
        self.n_plans += n
        return range(self.n_plans - n, self.n_plans)


def _ending(content: bytes) -> str:
    if content.startswith(b"RIFF"):
        return "webp"
    return "jpg" if content.startswith(b"\xff\xd8") else "png"


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield what must be true of a web process that is sent hostile files by who is signed in."""
    site = ground.site(DEBUG="0", ALLOWED_HOSTS="")
    web = Web(site, site.web(), ground.token, site.started[-1].process.pid)
    for name, make in BOMBS.items():
        yield _at_once(web, name, make())
    yield _refused_with_words(web)
    yield from _shown(web)
    yield from _linked(web)
    yield _staging(web)
    yield from _imports(web)
    yield _audit(web)
    site.close()


# Bombs --------------------------------------------------------------------------------------------


def _at_once(web: Web, name: str, content: bytes) -> Fact:
    """Send a file four times at once, and ask for something small as long as it lasts."""
    n_before = web.n_sent_again
    with _peak(web.pid) as peak, ThreadPoolExecutor(N_BOMBS) as threads:
        under_way = [threads.submit(web.persist, content, plan) for plan in web.numbers(N_BOMBS)]
        polls = [web.get("/api/styles").status_code]
        while not all(each.done() for each in under_way):
            polls.append(web.get("/api/styles").status_code)
    statuses = [each.result().status_code for each in under_way]
    again = f", {web.n_sent_again - n_before} sent again" if web.n_sent_again > n_before else ""
    said = f"{_counted(statuses)}{again}; {peak[0]:,.0f} MiB; {len(polls)} polls between"
    holds = set(statuses) <= {201, 400} and set(polls) == {200} and peak[0] <= PEAK_MIB
    return Fact(f"{name} ({len(content):,} bytes), {N_BOMBS} at once", said, holds)


@contextmanager
def _peak(pid: int) -> Iterator[list[float]]:
    """Give what a process and its children take at the most, in MiB."""
    peak, is_over = [0.0], threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_S):
            peak[0] = max(peak[0], sum(map(_resident_mib, [pid, *children(pid)])))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        is_over.set()
        looking.join()


def _resident_mib(pid: int) -> float:
    try:
        return process_usage.resident_mib(pid)
    except (OSError, ValueError, IndexError, StopIteration):
        return 0.0


def _counted(statuses: list[int]) -> str:
    return ", ".join(f"{statuses.count(each)} times {each}" for each in sorted(set(statuses)))


def _refused_with_words(web: Web) -> Fact:
    answers = [
        web.send(make(), plan) for plan, make in zip(range(900, 990), BOMBS.values(), strict=False)
    ]
    refused = [each.json() for each in answers if each.status_code == 400]
    silent = [each for each in refused if not each["errors"][0]["detail"] or not each["code"]]
    codes = sorted({each["code"] for each in refused})
    return Fact("What is refused is told why", ", ".join(codes), bool(refused) and not silent)


# What is published can be shown -------------------------------------------------------------------


def _shown(web: Web) -> Iterator[Fact]:
    odd = [make() for make in made.DIRTY.values()] + [
        made.turned("JPEG"),
        made.grey_of_16_bits(),
        made.plain("PNG", (1, 20_000), "L"),
        made.with_profile(2 * 2**20),
        made.film_of_one(),
        made.apng_of_one(),
    ]
    statuses = [
        web.send(content, plan).status_code
        for content, plan in zip(odd, web.numbers(len(odd)), strict=True)
    ]
    yield Fact("Odd files are taken", _counted(statuses), set(statuses) == {201})
    files = [web.get(each["url"]) for each in web.shown]
    web.site.manage("derive")
    small = [web.get(each["thumbnail_url"]) for each in web.shown]
    answered = [each.status_code for each in files + small]
    yield Fact("All that was taken is served and shown", _counted(answered), set(answered) == {200})
    sizes = [made.opened(each.content).size for each in files]
    told = [(each["width"], each["height"]) for each in web.shown]
    yield Fact("They are as large as is told", f"{len(sizes)} files", sizes == told)
    leaks = [each for each in files if made.HTML in each.content or made.GPS in each.content]
    yield Fact("Nothing behind a picture is served", f"{len(leaks)} of {len(files)}", not leaks)


# Links --------------------------------------------------------------------------------------------


def _linked(web: Web) -> Iterator[Fact]:
    files = [web.site.projects / each["path"] for each in web.shown[:3]]
    puts: tuple[Callable[[Path], None], ...] = (_link, os.mkfifo, os.mkdir)
    for file, put in zip(files, puts, strict=True):
        file.unlink()
        put(file)
    answers = [web.get(each["url"]) for each in web.shown[:3]]
    statuses = [each.status_code for each in answers]
    shutil.rmtree(web.site.home / "served", ignore_errors=True)
    again = [web.get(each["url"]).status_code for each in web.shown[:3]]
    said = f"{statuses}, without copies {again}"
    leaks = any(b"root:" in each.content for each in answers)
    yield Fact(
        "A link, a pipe or a folder in a file's place", said, again == [404] * 3 and not leaks
    )


def _link(file: Path) -> None:
    file.symlink_to("/etc/passwd")


def _staging(web: Web) -> Fact:
    theirs = web.site.home / "documents"
    theirs.mkdir()
    (theirs / ("0" * 32)).write_bytes(b"years of work")
    os.utime(theirs / ("0" * 32), (0, 0))
    staging = web.site.projects / ".staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.symlink_to(theirs)
    web.site.python("-c", CLEAR_STAGING)
    answer = web.send(made.plain(), 999)
    staging.unlink()
    kept = sorted(each.name for each in theirs.iterdir())
    said = f"{len(kept)} file(s) there; an upload is answered {answer.status_code}"
    holds = kept == ["0" * 32] and answer.status_code == 503
    return Fact("A link in place of staging empties no folder, and fills none", said, holds)


# Imports ------------------------------------------------------------------------------------------


def _imports(web: Web) -> Iterator[Fact]:
    yield _import(
        web, "a file of 3 GB that is empty", lambda file: os.truncate(_new(file), 3 * 2**30)
    )
    yield _import(web, "a pipe", os.mkfifo)
    yield _import(web, "a device", lambda file: file.symlink_to("/dev/zero"))


def _new(file: Path) -> Path:
    file.touch()
    return file


def _import(web: Web, name: str, put: Callable[[Path], object]) -> Fact:
    folder = web.site.home / "incoming"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    put(folder / "E202_SQ0080-0010_extracted-raw.png")
    command = [sys.executable, "manage.py", "import_panels", PROJECT_ID, "E202", str(folder)]
    with (web.site.home / "import.txt").open("w+") as said:
        importing = subprocess.Popen(command, cwd=ROOT, env=web.site.env, stdout=said, stderr=said)
        # Not what the kernel counts at its end: that is what we were when we started it.
        peak_mib = 0.0
        while importing.poll() is None:
            peak_mib = max(peak_mib, _resident_mib(importing.pid))
            time.sleep(LOOK_S)
        said.seek(0)
        words = said.read().strip().splitlines()[:1] or [""]
    is_said = importing.returncode == 1 and words[0].startswith("CommandError")
    holds = is_said and peak_mib <= IMPORT_MIB
    return Fact(f"import_panels of {name}", f"{words[0]}; {peak_mib:.0f} MiB", holds)


def _audit(web: Web) -> Fact:
    command = [sys.executable, "manage.py", "check_nomenclature"]
    done = subprocess.run(
        command, cwd=ROOT, env=web.site.env, capture_output=True, text=True, timeout=120
    )
    n_named = done.stdout.count("not a file")
    return Fact("The audit names what lies in a file's place", f"{n_named} named", n_named >= 2)
