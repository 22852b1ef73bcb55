"""What the child that reads leaves in its folder, and the refusals that stand for its end."""

import json
import os
from pathlib import Path
from typing import Any, TypeAlias

from storyboards.reading import storyboard_json
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from wording import as_json, from_json, say, words_of

STORYBOARD = "storyboard.json"
REFUSED = "refused.json"
PROGRESS = "progress.json"

Answer: TypeAlias = Storyboard | UnreadableStoryboard


def leave_result(into: Path, answer: Answer) -> None:
    """Write what came of the read: the storyboard, or why there is none."""
    if isinstance(answer, Storyboard):
        _write(into / STORYBOARD, storyboard_json.to_json(answer))
    else:
        document = {"code": answer.code, "sentence": as_json(words_of(answer)), "data": answer.data}
        _write(into / REFUSED, document)


def left_storyboard(into: Path) -> Storyboard | None:
    """Return the storyboard that a child has left; None: it has left nothing.

    Raises:
        UnreadableStoryboard: that is what it has left.
    """
    refused = _read(into / REFUSED)
    if refused is not None:
        raise UnreadableStoryboard(
            refused["code"], from_json(refused["sentence"]), **refused["data"]
        )
    document = _read(into / STORYBOARD)
    return None if document is None else storyboard_json.from_json(document)


def leave_progress(into: Path, done: int, whole: int) -> None:
    """Write how far the read has come."""
    _write(into / PROGRESS, {"done": done, "whole": whole})


def progress(into: Path) -> tuple[int, int] | None:
    """Return how far the read has come: so many of so many; None: it has not begun."""
    document = _read(into / PROGRESS)
    return None if document is None else (document["done"], document["whole"])


def forget(into: Path) -> None:
    """Take away what an earlier read has left, its pictures excepted."""
    for name in (STORYBOARD, REFUSED, PROGRESS):
        (into / name).unlink(missing_ok=True)


def _write(path: Path, document: dict[str, Any]) -> None:
    """Write a file that is seen whole or not at all."""
    unnamed = path.with_suffix(".part")
    with unnamed.open("w", encoding="utf-8") as handle:
        json.dump(document, handle, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    unnamed.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return document


def broken_refusal() -> UnreadableStoryboard:
    """Return the refusal of a file over which the reader stumbled."""
    sentence = say("The file is damaged. Export it again, and send that.")
    return UnreadableStoryboard("broken", sentence)


def unreadable_files(error: OSError) -> UnreadableStoryboard:
    """Return the refusal of files that the system does not give."""
    reason = error.strerror or "unknown"
    sentence = say(
        "The file cannot be read, or its pictures cannot be written: {reason}.", reason=reason
    )
    return UnreadableStoryboard("io", sentence, reason=reason)


def too_costly(limits: ReadingLimits) -> UnreadableStoryboard:
    """Return the refusal of a file that takes too much memory."""
    most = limits.memory_bytes // 2**20
    sentence = say(
        "Reading the file takes more than {most:,} MiB of memory. Send it in parts.", most=most
    )
    return UnreadableStoryboard("too_costly", sentence, max_mebibytes=most)


def too_long(seconds: float) -> UnreadableStoryboard:
    """Return the refusal of a file that takes too much time."""
    sentence = say(
        "Reading the file takes more than {seconds:,.0f} seconds. Send it in parts.",
        seconds=seconds,
    )
    return UnreadableStoryboard("too_long", sentence, max_seconds=round(seconds))


def ended_refusal(exit_code: int) -> UnreadableStoryboard:
    """Return the refusal of a file whose reader has ended without an answer."""
    sentence = say(
        "The reader has ended before it was through: something ended it, or the file is made to "
        "do so. Send it once more; if that fails again, export it again."
    )
    return UnreadableStoryboard("reader_ended", sentence, exit_code=exit_code)
