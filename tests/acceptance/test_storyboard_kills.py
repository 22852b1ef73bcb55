"""What reads a storyboard is killed while it reads: it is read again, and nothing is left half."""

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from storyboards.reading import child_results
from tests import storyboard_files
from tests.processes import PROJECT_ID, Site, Sites, children, wait_for

pytestmark = pytest.mark.slow
N_BOARDS = 400
READER, CHILD = b"read_storyboards", b"storyboards.reading"


def _reader_of(site: Site) -> int | None:
    home = os.fsencode(f"MADSEA_HOME={site.home}")
    for pid in _running(READER):
        if home in _told(pid, "environ").split(b"\0"):
            return pid
    return None


def _child_of(site: Site) -> int | None:
    reader = _reader_of(site)
    of_reader = children(reader) if reader else []
    return next((pid for pid in of_reader if pid in _running(CHILD)), None)


def _busy_reader_of(site: Site) -> int | None:
    return _reader_of(site) if _child_of(site) else None


def _running(command: bytes) -> list[int]:
    pids = [int(each.name) for each in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if command in _told(pid, "cmdline").split(b"\0")]


def _told(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def _given(url: str, token: str, file: Path) -> str:
    place = {"project_id": PROJECT_ID, "season": "S02", "episode": "E203"}
    with file.open("rb") as handle:
        answer = requests.post(
            f"{url}/api/storyboards",
            data=place,
            files={"file": handle},
            headers={"Authorization": f"Token {token}"},
            timeout=120,
        )
    assert answer.status_code == requests.codes.accepted, answer.text
    return str(answer.json()["id"])


def _looked(url: str, token: str, storyboard: str) -> dict[str, Any]:
    headers = {"Authorization": f"Token {token}"}
    answer = requests.get(f"{url}/api/storyboards/{storyboard}", headers=headers, timeout=120)
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("victim", [_child_of, _busy_reader_of], ids=["child", "reader"])
def test_what_reads_is_killed_and_the_storyboard_is_read_again(
    sites: Sites, tmp_path: Path, victim: Callable[[Site], int | None]
) -> None:
    site, token = sites.new(), sites.access["token"]
    picture = storyboard_files.jpeg(1, (1600, 900))
    file = storyboard_files.pages(tmp_path / "long.pdf", N_BOARDS, picture)
    url = site.web()
    storyboard = _given(url, token, file)

    os.kill(wait_for(lambda: victim(site), name="what reads"), signal.SIGKILL)
    before = _looked(url, token, storyboard)
    site.work()
    wait_for(lambda: _looked(url, token, storyboard)["state"] != "reading", name="the draft")

    assert (before["state"], before["boards"]) == ("reading", [])
    told = _looked(url, token, storyboard)
    assert (told["state"], len(told["boards"])) == ("draft", N_BOARDS)
    assert {each["position"] for each in told["boards"]} == set(range(1, N_BOARDS + 1))
    assert site.value("SELECT n_tries FROM storyboards_storyboardimport") == 2
    assert site.value("SELECT count(*) FROM storyboards_draftboard") == N_BOARDS
    (pictures,) = site.projects.glob(f".*/{storyboard}/pictures")
    kept = {each.name: each.read_bytes() for each in pictures.iterdir()}
    assert set(kept) == {
        f"{hashlib.sha256(picture).hexdigest()}.jpg",
        child_results.STORYBOARD,
        child_results.PROGRESS,
    }
    assert picture in kept.values()
    site.close()
