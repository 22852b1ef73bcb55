"""Disks that strangers have: not mounted, taken away, full, read only, another one for a project.

Real processes render on a real site. Where this process may mount, disks are mounted in a mount
namespace of its own, of which nobody else sees anything; else folders are moved out of the way, and
what only a mount can show is left out.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.chaos import small_images
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground
from tests.processes import PROJECT_ID, Site, wait_for

_NEW_MOUNTS = 0x00020000
TROUBLE = "SELECT count(*) FROM generation_storagetrouble"
UNFINISHED = "SELECT count(*) FROM generation_planrun WHERE state <> 'done'"
#: What each plan is, in a few words.
STATES = "SELECT state, count(*) FROM generation_planrun GROUP BY state ORDER BY state"


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield what must be true of a site whose disks fail it."""
    may_mount = _has_own_mounts()
    yield _not_mounted(ground)
    yield _taken_away(ground)
    yield _panels_away(ground)
    yield _other_volume(ground)
    yield _other_volume_away(ground)
    if may_mount:
        yield _unmounted_under_way(ground)
        yield _full(ground)
        yield _read_only(ground)
        yield _deeper_mount(ground)
    yield _in_the_way(ground)


def _has_own_mounts() -> bool:
    """Leave the machine's mounts as they are: what is mounted from here on is this process's."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) != 0:
        return False
    return _run("mount", "--make-rprivate", "/")


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


@contextmanager
def _rendering(ground: Ground, *arguments: str) -> Iterator[Site]:
    """Give a site with a preview server, without workers yet."""
    site = ground.site()
    site.preview(*arguments)
    panels = site.home / "panels"
    panels.mkdir()
    for plan, color in (("0020", "#402060"), ("0030", "#604020")):
        panel = panels / f"E202_SQ0010-{plan}_extracted-raw.png"
        panel.write_bytes(small_images.png(color))
    site.manage("import_panels", PROJECT_ID, "E202", str(panels))
    yield site
    site.close()


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a disk in memory, with what the folder held."""
    held = folder.with_name(f"{folder.name}-held")
    folder.rename(held)
    folder.mkdir()
    assert _run("mount", "-t", "tmpfs", "-o", options, "madsea-hostile", str(folder))
    shutil.copytree(held, folder, dirs_exist_ok=True)
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def _ask(site: Site, n_plans: int) -> None:
    site.generate([f"{10 * n:04d}" for n in range(1, n_plans + 1)])


def _ended(site: Site, timeout_s: float = 45) -> bool:
    """Wait until every plan is done; tell whether that came."""
    return _comes(lambda: site.value(UNFINISHED) == 0, timeout_s)


def _comes(what: Callable[[], object], timeout_s: float = 45) -> bool:
    try:
        return bool(wait_for(what, timeout_s))
    except AssertionError:
        return False


def _states(site: Site) -> str:
    return ", ".join(f"{n} {state}" for state, n in site.rows(STATES)) or "no plans"


def _files(folder: Path) -> list[str]:
    """Return what lies in a folder and below it, but what Madsea puts there for itself."""
    return sorted(each.name for each in folder.rglob("E202_*"))


def _is_whole(site: Site) -> bool:
    return "nothing is wrong" in site.manage("check_nomenclature")


def _not_mounted(ground: Ground) -> Fact:
    with _rendering(ground) as site:
        away = site.projects.rename(site.home / "away")
        site.projects.mkdir()
        _ask(site, 2)
        site.work()
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        said = "not mounted" in site.manage("servers")
        left = list(site.projects.iterdir())
        site.projects.rmdir()
        away.rename(site.projects)
        holds = _ended(site) and waited and said and not left and _is_whole(site)
        seen = f"waited {waited}, said so {said}, left there {left}, then {_states(site)}"
    return Fact("A share that is not mounted is waited for", seen, holds)


def _taken_away(ground: Ground) -> Fact:
    with _rendering(ground, "--seconds-per-plan", "2") as site:
        _ask(site, 3)
        site.work()
        wait_for(lambda: site.value("SELECT count(*) FROM generation_attempt") > 0)
        away = site.projects.rename(site.home / "away")
        site.projects.mkdir()
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        left = list(site.projects.iterdir())
        site.projects.rmdir()
        away.rename(site.projects)
        holds = _ended(site) and waited and not left and _is_whole(site)
        seen = f"waited {waited}, left there {left}, then {_states(site)}"
    return Fact("A share that is taken away while plans are rendered is waited for", seen, holds)


def _panels_away(ground: Ground) -> Fact:
    with _rendering(ground) as site:
        panels = site.projects / PROJECT_ID / "E202" / "SQ0010" / "extracted-raw"
        away = panels.rename(site.home / "away")
        site.generate(["0010"])
        site.work()
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        wait_for(lambda: True, 1)
        made = panels.exists()
        away.rename(panels)
        holds = _ended(site) and waited and not made
        seen = f"waited {waited}, made the folder itself {made}, then {_states(site)}"
    return Fact("Panels whose folder is away are waited for", seen, holds)


def _other_volume(ground: Ground) -> Fact:
    title = "A project on another volume is published there"
    with _rendering(ground) as site:
        project = site.projects / PROJECT_ID
        memory = Path("/dev/shm") / f"madsea-hostile-{os.getpid()}"
        shutil.copytree(project, memory)
        shutil.rmtree(project)
        project.symlink_to(memory)
        try:
            _ask(site, 2)
            site.work()
            holds = _ended(site) and _is_whole(site)
            seen = f"{_states(site)}; {len(_files(memory))} files there"
        finally:
            shutil.rmtree(memory)
    return Fact(title, seen, holds)


def _other_volume_away(ground: Ground) -> Fact:
    with _rendering(ground) as site:
        project, disk = site.projects / PROJECT_ID, site.home / "disk"
        project.rename(disk)
        project.symlink_to(disk)
        (disk / ".madsea-volume").write_text("0" * 32)
        site.execute(
            "INSERT INTO generation_volume (path, mark, adopted_at)"
            f" VALUES ('{PROJECT_ID}', '{'0' * 32}', CURRENT_TIMESTAMP)"
        )
        project.unlink()
        project.mkdir()
        site.generate(["0010"])
        site.work()
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        left = list(project.iterdir())
        site.manage("cancel_batches", "--all")
        cancelled = _comes(lambda: "1 cancelled" in _states(site))
        project.rmdir()
        project.symlink_to(disk)
        _comes(lambda: site.value(TROUBLE) == 0)
        site.manage("retry_plans", "--all", "--status", "cancelled")
        holds = _ended(site) and waited and cancelled and not left
        seen = f"waited {waited}, cancelled {cancelled}, left there {left}, then {_states(site)}"
    return Fact("A project's volume that is away is waited for; cancel and retry work", seen, holds)


def _unmounted_under_way(ground: Ground) -> Fact:
    with (
        _rendering(ground, "--seconds-per-plan", "2") as site,
        _mounted(site.projects, "size=64m"),
    ):
        _ask(site, 3)
        site.work()
        wait_for(lambda: site.value("SELECT count(*) FROM generation_attempt") > 0)
        _run("umount", "--lazy", str(site.projects))
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        left = _files(site.projects)
        seen = f"waited {waited}, published into the mount point: {left or 'nothing'}"
    return Fact("A disk that is unmounted under a driver gets nothing", seen, waited and not left)


def _full(ground: Ground) -> Fact:
    with (
        _rendering(ground, "--seconds-per-plan", "2") as site,
        _mounted(site.projects, "size=4m"),
    ):
        _ask(site, 3)
        site.work()
        wait_for(lambda: site.value("SELECT count(*) FROM generation_attempt") > 0)
        filler = site.projects / ".filler"
        _run("dd", "if=/dev/zero", f"of={filler}", "bs=4k")
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        before = _states(site)
        filler.unlink()
        holds = _ended(site) and waited and "error" not in before and _is_whole(site)
        seen = f"waited {waited} ({before}), then {_states(site)}"
    return Fact("A full disk is waited for", seen, holds)


def _read_only(ground: Ground) -> Fact:
    with _rendering(ground, "--seconds-per-plan", "2") as site, _mounted(site.projects, "size=64m"):
        _ask(site, 3)
        site.work()
        wait_for(lambda: site.value("SELECT count(*) FROM generation_attempt") > 0)
        _run("mount", "-o", "remount,ro", str(site.projects))
        waited = _comes(lambda: site.value(TROUBLE) == 1)
        before = _states(site)
        _run("mount", "-o", "remount,rw", str(site.projects))
        holds = _ended(site) and waited and "error" not in before and _is_whole(site)
        seen = f"waited {waited} ({before}), then {_states(site)}"
    return Fact("A disk that becomes read only is waited for", seen, holds)


def _deeper_mount(ground: Ground) -> Fact:
    with _rendering(ground) as site:
        sequence = site.projects / PROJECT_ID / "E202" / "SQ0010"
        with _mounted(sequence, "size=64m"):
            shutil.rmtree(sequence.with_name("SQ0010-held"))
            _ask(site, 2)
            site.work()
            holds = _ended(site) and (sequence / ".staging").is_dir() and _is_whole(site)
            seen = f"{_states(site)}; {len(_files(sequence))} files there"
    return Fact("A sequence on a volume of its own is published there", seen, holds)


def _in_the_way(ground: Ground) -> Fact:
    with _rendering(ground) as site:
        target = site.projects / PROJECT_ID / "E202" / "SQ0010" / "AI-concept"
        target.write_text("no folder")
        site.generate(["0010"])
        site.work()
        ended = _comes(lambda: "1 error" in _states(site))
        words = str(site.value("SELECT error_message FROM generation_planrun"))
        target.unlink()
        site.manage("retry_plans", "--all")
        holds = _ended(site) and ended and "a file lies where" in words
        seen = f"ended {ended} with “{words[:60]}…”, after a retry {_states(site)}"
    return Fact("What never passes ends a plan with words, and a retry works", seen, holds)
