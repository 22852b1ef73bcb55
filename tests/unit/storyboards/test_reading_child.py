"""The child process that reads: what it hands over, what it may take, and what its end means."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from storyboards.reading import child_results, read
from storyboards.reading.child_launch import read_in_child
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_json import from_json, to_json
from storyboards.reading.storyboard_model import UnreadableStoryboard
from tests import storyboard_files

SAMPLE = Path(__file__).parents[2] / "data" / "storyboards" / "classic_a4p_3x2.pdf"


def test_a_child_hands_over_what_reading_here_finds(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    (tmp_path / "here").mkdir()

    storyboard = read_in_child(
        SAMPLE, tmp_path / "there", on_progress=lambda done, whole: told.append((done, whole))
    )

    assert storyboard == read(SAMPLE, tmp_path / "here", limits=ReadingLimits())
    assert told[-1] == (7, 7)
    names = {file.name for file in (tmp_path / "there").iterdir()}
    pictures = {file.name for file in (tmp_path / "here").iterdir()}
    assert names == pictures | {child_results.STORYBOARD, child_results.PROGRESS}


def test_a_storyboard_is_the_same_after_json(tmp_path: Path) -> None:
    storyboard = read(SAMPLE, tmp_path, limits=ReadingLimits())

    assert from_json(json.loads(json.dumps(to_json(storyboard)))) == storyboard


def test_a_child_knows_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not to be known")
    seen: list[str] = []

    def look(done: int, whole: int) -> None:
        seen.extend(Path(f"/proc/{child}/environ").read_text("utf-8") for child in children())

    read_in_child(long_pdf(tmp_path), tmp_path / "into", on_progress=look)

    assert any("PYTHONPATH" in environment for environment in seen)
    assert not any("not to be known" in environment for environment in seen)


def long_pdf(tmp_path: Path) -> Path:
    """Return a PDF that takes a while."""
    return storyboard_files.pages(tmp_path / "long.pdf", 400, storyboard_files.jpeg(1))


def children() -> list[int]:
    """Return the readers that this process has started."""
    own = os.getpid()
    found = Path(f"/proc/{own}/task").glob("*/children")
    of_all = [int(pid) for file in found for pid in file.read_text("ascii").split()]
    command = b"storyboards.reading"
    return [pid for pid in of_all if command in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_child_that_is_killed_while_it_reads_is_told_in_words(tmp_path: Path) -> None:
    def kill(done: int, whole: int) -> None:
        for child in children():
            os.kill(child, signal.SIGKILL)

    with pytest.raises(UnreadableStoryboard, match="ended before it was through") as caught:
        read_in_child(long_pdf(tmp_path), tmp_path / "into", on_progress=kill)

    assert (caught.value.code, caught.value.data) == ("reader_ended", {"exit_code": -9})
    assert not (tmp_path / "into" / child_results.STORYBOARD).exists()
    assert children() == []


def test_a_child_ends_with_whoever_asked(tmp_path: Path) -> None:
    class GivesUp(Exception):
        pass

    def give_up(done: int, whole: int) -> None:
        raise GivesUp

    with pytest.raises(GivesUp):
        read_in_child(long_pdf(tmp_path), tmp_path / "into", on_progress=give_up)

    assert children() == []


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (replace(ReadingLimits(), wall_s=0.0), "too_long"),
        (replace(ReadingLimits(), memory_bytes=2**20), "too_costly"),
        (replace(ReadingLimits(), pages=3), "too_many_pages"),
    ],
)
def test_a_child_that_takes_too_much_is_told_in_words(
    limits: ReadingLimits, code: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableStoryboard) as caught:
        read_in_child(SAMPLE, tmp_path / "into", limits=limits)

    assert caught.value.code == code


def test_a_second_read_forgets_what_the_first_has_left(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing")
    into = tmp_path / "into"
    with pytest.raises(UnreadableStoryboard):
        read_in_child(broken, into)

    assert len(read_in_child(SAMPLE, into).boards) == 40
    assert not (into / child_results.REFUSED).exists()
