"""What disagrees within a storyboard: labels that do not follow, times that fall, other counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Board, Doubt, UnreadableStoryboard
from wording import say

LABEL = re.compile(r"(\d{1,4})([A-Z])(\d{0,2})")


def with_doubts(boards: Sequence[Board], *, has_labels: bool = True) -> list[Board]:
    """Return the boards with a doubt on each whose label or time does not follow the one before.

    What begins a scene follows nothing.
    """
    found = [list(board.doubts) for board in boards]
    for index, board in enumerate(boards):
        if has_labels and not LABEL.fullmatch(board.label):
            found[index].append(Doubt("label_missing"))
        if board.picture is None and not any(d.code.startswith("picture_") for d in board.doubts):
            found[index].append(Doubt("picture_missing"))
    if boards and LABEL.fullmatch(boards[0].label) and not is_first(boards[0].label):
        found[0].append(Doubt("label_order", {"label": boards[0].label, "before": ""}))
    for index, (before, board) in enumerate(pairwise(boards), start=1):
        found[index] += [] if board.begins_scene else _order_doubts(before, board)
    return [replace(board, doubts=tuple(of)) for board, of in zip(boards, found, strict=True)]


def _order_doubts(before: Board, board: Board) -> list[Doubt]:
    doubts = []
    if not does_follow(before.label, board.label):
        doubts.append(Doubt("label_order", {"label": board.label, "before": before.label}))
    if _does_fall(before.start_ms, board.start_ms):
        data = {"start_ms": board.start_ms, "before_ms": before.start_ms}
        doubts.append(Doubt("time_falls", data))
    return doubts


def _does_fall(before_ms: int | None, ms: int | None) -> bool:
    return before_ms is not None and ms is not None and ms < before_ms


def is_first(label: str) -> bool:
    """Tell whether a label is that of a first board."""
    return label.lstrip("0") == "1A"


def does_follow(before: str, label: str) -> bool:
    """Tell whether a label follows another; what is no label is told apart.

    After `1A` comes `1B` or `2A`. After `1Z` the letters start again with a number behind (`1A2`).
    Programs do not do that evenly, so any letter with a higher number is accepted.
    """
    one, other = LABEL.fullmatch(before), LABEL.fullmatch(label)
    if one is None or other is None:
        return True
    shot, next_shot = int(one[1]), int(other[1])
    if next_shot == shot + 1:
        return other[2] == "A" and not other[3]
    if next_shot != shot:
        return False
    if one[3] == other[3]:
        return ord(other[2]) == ord(one[2]) + 1
    return other[3] != "" and int(other[3]) > int(one[3] or 1)


def count_doubts(boards: Sequence[Board], headings: Mapping[int, Sequence[str]]) -> list[Doubt]:
    """Return what the headings of a PDF's pages say of its boards and shots that is not so.

    Those of a scene may tell its own counts, or those of the whole.
    """
    scenes = by_scene(boards)
    counts = [_counts(scene) for scene in scenes]
    doubts = []
    for name in ("boards", "shots"):
        n_all = sum(each[name] for each in counts)
        for scene, of_scene in zip(scenes, counts, strict=True):
            said = _said(name, headings.get(scene[0].page or 0, ()))
            if said is not None and said not in (of_scene[name], n_all):
                doubts.append(Doubt(f"{name}_count", {"said": said, "found": of_scene[name]}))
    return doubts


def by_scene(boards: Sequence[Board]) -> list[Sequence[Board]]:
    """Return boards by their scenes."""
    starts = [at for at, board in enumerate(boards) if at == 0 or board.begins_scene]
    return [boards[start:end] for start, end in pairwise([*starts, len(boards)])]


def _counts(boards: Sequence[Board]) -> dict[str, int]:
    shots = {match[1] for board in boards if (match := LABEL.fullmatch(board.label))}
    return {"boards": len(boards), "shots": len(shots)}


def _said(name: str, heading: Sequence[str]) -> int | None:
    said = re.search(rf"\b{name}:?\s*(\d{{1,6}})\b", " ".join(heading), re.IGNORECASE)
    return int(said[1]) if said else None


def too_many_boards(n_boards: int, limits: ReadingLimits) -> UnreadableStoryboard:
    """Return the refusal of a storyboard with too many boards."""
    return UnreadableStoryboard(
        "too_many_boards",
        say(
            "The storyboard has {n_boards:,} boards; at most {boards:,} are read. Send "
            "it in parts.",
            n_boards=n_boards,
            boards=limits.boards,
        ),
        boards=n_boards,
        max_boards=limits.boards,
    )
