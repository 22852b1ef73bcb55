"""Which picture of a page a text belongs to by where it stands: above, beside or below it."""

from collections.abc import Iterable
from math import inf

from storyboards.reading.pdf_labels import Group, is_above, is_left, is_mark
from storyboards.reading.pdf_page_content import Box, Placement
from storyboards.reading.text_lines import Line

#: How many times its size lower a text's next line stands at most.
_GOES_ON = 3.0


class Places:
    """The pictures of a page as places, each with the part of the page that texts stand in."""

    def __init__(self, placements: list[Placement]) -> None:
        self._placements = placements
        boxes = [placed.box for placed in placements]
        self._cells = [_cell(box, boxes) for box in boxes]

    def owner(self, line: Line) -> int | None:
        """Return which picture a line belongs to, from 0; None: none is near."""
        if is_mark(line):
            for is_at in (is_above, is_left):
                for index, placed in enumerate(self._placements):
                    if is_at(line, placed):
                        return index
        middle = (line.box.top + line.box.bottom) / 2
        beside = self._beside(line, middle)
        return self._above(line, middle) if beside is None else beside

    def is_at(self, line: Line, index: int) -> bool:
        """Tell whether a line stands right under a picture, or beside it before the next one."""
        box = self._placements[index].box
        left, right = self._cells[index]
        is_under = -1 <= line.box.top - box.bottom <= _GOES_ON * line.size
        if is_under and left <= line.box.centre <= right:
            return True
        next_left = 2 * right - box.right
        return box.right - 1 <= line.left < next_left and _is_within(line, box)

    def is_covered(self, index: int) -> bool:
        """Tell whether another picture lies over this one, or under it."""
        box = self._placements[index].box
        return any(
            _do_overlap(box, other.box)
            for place, other in enumerate(self._placements)
            if place != index
        )

    def _beside(self, line: Line, middle: float) -> int | None:
        """Return the nearest picture that a line stands right of."""
        near = [
            (placed.box.left, index)
            for index, placed in enumerate(self._placements)
            if placed.box.top - line.size <= middle <= placed.box.bottom
            if line.left >= placed.box.right - 1
        ]
        return max(near)[1] if near else None

    def _above(self, line: Line, middle: float) -> int | None:
        """Return the nearest picture that a line stands below."""
        near = [
            (placed.box.bottom, index)
            for index, placed in enumerate(self._placements)
            if placed.box.bottom <= middle
            if self._cells[index][0] <= line.box.centre <= self._cells[index][1]
        ]
        return max(near)[1] if near else None


def _is_within(line: Line, box: Box) -> bool:
    return box.top - line.size <= line.baseline <= box.bottom + line.size


def _do_overlap(one: Box, other: Box) -> bool:
    return (
        one.left + 1 < other.right
        and other.left + 1 < one.right
        and one.top + 1 < other.bottom
        and other.top + 1 < one.bottom
    )


def _cell(box: Box, boxes: Iterable[Box]) -> tuple[float, float]:
    """Return the band in which the middle of a text below a picture must lie."""
    row = [other for other in boxes if other.top < box.bottom and box.top < other.bottom]
    right = min((other.left for other in row if other.left > box.right), default=inf)
    left = max((other.right for other in row if other.right < box.left), default=-inf)
    return (left + box.left) / 2, (box.right + right) / 2


def does_agree(group: Group, index: int, places: Places) -> bool:
    """Tell whether a board's lines, found by order, stand where its texts would.

    A text that is too long runs into the board below: it goes on where the line before it was.
    Where pictures cover one another, places tell nothing.
    """
    if places.is_covered(index):
        return True
    if any(places.owner(mark) != index for mark in group.marks):
        return False
    above: Line | None = None
    for line in group.body:
        is_own = places.owner(line) == index or places.is_at(line, index)
        if not is_own and not (above and _does_go_on(above, line)):
            return False
        above = line
    return True


def _does_go_on(above: Line, line: Line) -> bool:
    step = line.baseline - above.baseline
    is_same_column = line.left < above.box.right and above.left < line.box.right
    return 0 < step <= _GOES_ON * line.size and is_same_column
