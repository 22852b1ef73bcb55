"""A board of a PDF with its marks, label and time, which are told apart by where they stand."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from storyboards.reading.pdf_page_content import Placement
from storyboards.reading.text_lines import Line

LABEL = re.compile(r"\d{1,4}[A-Z]\d{0,2}")
TIME = re.compile(r"\d+:\d\d(:\d\d)?")
#: So many times their size label and time are above the picture, or left of it, at most.
_ABOVE, _LEFT = 3.0, 6.0
_NEAR = 2.0


@dataclass
class Group:
    """A board's picture, and the lines that belong to it."""

    page: int
    placement: Placement
    label: Line | None = None
    time: Line | None = None
    body: list[Line] = field(default_factory=list)
    is_place_different: bool = False  #: by place it would have other texts

    @property
    def marks(self) -> list[Line]:
        """Its label and its time, as far as there are."""
        return [line for line in (self.label, self.time) if line is not None]


def told_apart(page: int, placed: Placement, drawn: list[Line]) -> Group:
    """Return a board whose label and time are taken out of its lines; the rest is its texts."""
    group = Group(page, placed)
    group.label = _first(drawn, lambda line: is_label(line, placed))
    left = [line for line in drawn if line is not group.label]
    group.time = _first(left, lambda line: _is_time_above(line, placed))
    if group.time is None:
        group.time = _time_beside(left, group)
    group.body = [line for line in left if line is not group.time]
    return group


def _first(drawn: list[Line], fits: Callable[[Line], bool]) -> Line | None:
    return next((line for line in drawn if fits(line)), None)


def is_mark(line: Line) -> bool:
    """Tell whether a line is written as a label or a time is."""
    return bool(LABEL.fullmatch(line.words) or TIME.fullmatch(line.words))


def is_label(line: Line, placed: Placement) -> bool:
    """Tell whether a line is the label of a picture."""
    is_near = is_left(line, placed) or is_above(line, placed)
    return is_near and bool(LABEL.fullmatch(line.words))


def is_left(line: Line, placed: Placement) -> bool:
    """Tell whether a line stands right beside a picture, left of it."""
    return (
        line.left < placed.box.left
        and placed.box.left - line.box.right < _LEFT * line.size
        and placed.box.top <= line.baseline <= placed.box.bottom
    )


def is_above(line: Line, placed: Placement) -> bool:
    """Tell whether a line stands right above a picture."""
    return (
        placed.box.top - _ABOVE * line.size - 1 <= line.baseline <= placed.box.top + 1
        and line.box.right > placed.box.left - 1
        and line.left < placed.box.right + 1
    )


def _is_time_above(line: Line, placed: Placement) -> bool:
    is_right = line.left > placed.box.centre
    return is_right and is_above(line, placed) and bool(TIME.fullmatch(line.words))


def _time_beside(drawn: list[Line], group: Group) -> Line | None:
    """Return the time that stands right of the texts, in smaller type than they."""
    if not drawn:
        return None
    last = max(drawn, key=lambda line: line.left)
    sizes = [line.size for line in [*drawn, *group.marks] if line is not last]
    box = group.placement.box
    is_beside = last.left > box.right and last.baseline <= box.bottom + _NEAR * last.size
    is_smaller = last.size < max(sizes, default=0.0)
    return last if is_beside and is_smaller and TIME.fullmatch(last.words) else None
