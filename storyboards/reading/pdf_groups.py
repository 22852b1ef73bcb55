"""Which texts of a page belong to which board: by the order of drawing, or else by place.

Storyboarder draws a board's picture first and its texts right after it. A program that does not is
read by place: a text belongs to the picture that it stands above, beside or below.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from statistics import median

from storyboards.reading import text_lines
from storyboards.reading.pdf_objects import Page, Piece, Placement
from storyboards.reading.text_lines import Line

LABEL = re.compile(r"\d{1,4}[A-Z]\d{0,2}")
TIME = re.compile(r"\d+:\d\d(:\d\d)?")
#: A board's picture is so large, beside the others.
_SHARE_OF_MEDIAN = 0.3
#: Label and time stand so many times their size above the picture at most.
_ABOVE = 3.0
_NEAR = 2.0
_ORDER_HOLDS = 0.8


@dataclass
class Group:
    """A board's picture, and the lines that belong to it."""

    page: int
    placement: Placement
    label: Line | None = None
    time: Line | None = None
    body: list[Line] = field(default_factory=list)
    is_place_different: bool = False  #: by place it would have other texts


@dataclass(frozen=True)
class Grouping:
    """The groups of a document in the order of the story, and what stands in its header."""

    groups: list[Group]
    header: list[str]
    is_by_order: bool


def group(pages: Iterable[Page]) -> Grouping:
    """Return the boards of all pages with their texts."""
    all_pages = list(pages)
    boards = _boards(all_pages)
    furniture = _furniture(all_pages, boards)
    by_order: list[Group] = []
    by_place: list[Group] = []
    header: list[str] = []
    for page in all_pages:
        placements = boards[page.number]
        pieces = [piece for piece in page.pieces if _key(piece) not in furniture]
        by_order += _by_order(page.number, placements, pieces)
        by_place += _by_place(page.number, placements, pieces)
        first = placements[0].order if placements else 0
        header += [line.words for line in text_lines.lines(page.pieces) if line.order < first]
    return _decided(by_order, by_place, header)


def _decided(by_order: list[Group], by_place: list[Group], header: list[str]) -> Grouping:
    n_by_order, n_by_place = _n_labels(by_order), _n_labels(by_place)
    holds = n_by_order >= _ORDER_HOLDS * n_by_place and _n_lines(by_order) > 0
    if not holds:
        return Grouping(_in_reading_order(by_place), header, is_by_order=False)
    for ordered, placed in zip(by_order, by_place, strict=True):
        ordered.is_place_different = _lines(ordered) != _lines(placed)
    return Grouping(by_order, header, is_by_order=True)


def _n_labels(groups: list[Group]) -> int:
    return sum(group.label is not None for group in groups)


def _n_lines(groups: list[Group]) -> int:
    return sum(len(_lines(group)) for group in groups)


def _lines(group: Group) -> list[int]:
    return sorted(line.order for line in [group.label, group.time, *group.body] if line is not None)


def _in_reading_order(groups: list[Group]) -> list[Group]:
    """Return boards by page, row and column: they are not drawn in an order that means anything."""

    def place(group: Group) -> tuple[int, float, float]:
        box = group.placement.box
        row = round(box.top / max(box.height / 2, 1))
        return group.page, row, box.left

    return sorted(groups, key=place)


def _boards(pages: list[Page]) -> dict[int, list[Placement]]:
    """Return the boards' pictures by their pages: neither logos nor what is much smaller."""
    areas = [placed.box.width * placed.box.height for page in pages for placed in page.placements]
    least = _SHARE_OF_MEDIAN * median(areas) if areas else 0
    logos = _logos(pages)
    return {
        page.number: [
            placed
            for placed in page.placements
            if placed.box.width * placed.box.height >= least and _spot(placed) not in logos
        ]
        for page in pages
    }


def _logos(pages: list[Page]) -> set[tuple[object, ...]]:
    """Return the pictures that every page draws at the same place, without a label of their own."""
    with_pictures = [page for page in pages if page.placements]
    if len(with_pictures) < 2:
        return set()
    spots = Counter(spot for page in with_pictures for spot in {_spot(p) for p in page.placements})
    on_all = {spot for spot, n in spots.items() if n == len(with_pictures)}
    return on_all - {spot for page in with_pictures for spot in _labelled(page)}


def _labelled(page: Page) -> set[tuple[object, ...]]:
    """Return the pictures of a page that have a label."""
    labels = [line for line in text_lines.lines(page.pieces) if LABEL.fullmatch(line.words)]
    return {
        _spot(placed) for placed in page.placements for line in labels if _is_label(line, placed)
    }


def _spot(placed: Placement) -> tuple[object, ...]:
    return placed.content, round(placed.box.left), round(placed.box.top)


def _furniture(pages: list[Page], boards: dict[int, list[Placement]]) -> set[tuple[object, ...]]:
    """Return the texts that every page has at the same place below its last picture."""
    with_boards = [page for page in pages if boards[page.number]]
    if len(with_boards) < 2:
        return set()
    spots: Counter[tuple[object, ...]] = Counter()
    for page in with_boards:
        lowest = max(placed.box.bottom for placed in boards[page.number])
        spots.update({_key(piece) for piece in page.pieces if _is_furniture(piece, lowest)})
    return {spot for spot, n in spots.items() if n == len(with_boards)}


def _is_furniture(piece: Piece, lowest: float) -> bool:
    shown = piece.text.strip()
    is_own = LABEL.fullmatch(shown) or TIME.fullmatch(shown)
    return piece.box.top > lowest and not is_own


def _key(piece: Piece) -> tuple[object, ...]:
    return piece.text, round(piece.left), round(piece.baseline)


def _by_order(number: int, placements: list[Placement], pieces: list[Piece]) -> list[Group]:
    """Return each picture with the texts that are drawn between it and the next one."""
    ends = [*[placed.order for placed in placements[1:]], inf]
    groups = []
    # Of a page without pictures there is an end too many.
    for placed, end in zip(placements, ends, strict=False):
        drawn = text_lines.lines(p for p in pieces if placed.order < p.order < end)
        groups.append(_told_apart(Group(number, placed), drawn))
    return groups


def _told_apart(group: Group, drawn: list[Line]) -> Group:
    """Take label and time out of a board's lines; the rest is its texts."""
    group.label = _first(drawn, lambda line: _is_label(line, group.placement))
    left = [line for line in drawn if line is not group.label]
    group.time = _first(left, lambda line: _is_time_above(line, group.placement))
    if group.time is None:
        group.time = _time_beside(left, group)
    group.body = [line for line in left if line is not group.time]
    return group


def _first(drawn: list[Line], fits: Callable[[Line], bool]) -> Line | None:
    return next((line for line in drawn if fits(line)), None)


def _is_label(line: Line, placed: Placement) -> bool:
    if not LABEL.fullmatch(line.words):
        return False
    is_beside = line.left < placed.box.left and line.baseline <= placed.box.bottom
    return is_beside or _is_above(line, placed)


def _is_above(line: Line, placed: Placement) -> bool:
    """Tell whether a line stands right above a picture."""
    return (
        placed.box.top - _ABOVE * line.size - 1 <= line.baseline <= placed.box.top + 1
        and line.box.right > placed.box.left - 1
        and line.left < placed.box.right + 1
    )


def _is_time_above(line: Line, placed: Placement) -> bool:
    is_right = line.left > placed.box.centre
    return bool(TIME.fullmatch(line.words)) and is_right and _is_above(line, placed)


def _time_beside(drawn: list[Line], group: Group) -> Line | None:
    """Return the time that stands right of the texts, in smaller type than they."""
    box = group.placement.box
    if not drawn:
        return None
    last = max(drawn, key=lambda line: line.left)
    others = [line for line in drawn if line is not last]
    beside = last.left > box.right and last.baseline <= box.bottom + _NEAR * last.size
    is_apart = all(line.box.right < last.left for line in others)
    size = max([line.size for line in others], default=group.label.size if group.label else 0.0)
    if TIME.fullmatch(last.words) and beside and is_apart and last.size < size:
        return last
    return None


def _by_place(number: int, placements: list[Placement], pieces: list[Piece]) -> list[Group]:
    """Return each picture with the texts that stand above, beside or below it."""
    groups = [Group(number, placed) for placed in placements]
    drawn = text_lines.lines(pieces)
    near: dict[int, list[Line]] = {id(group): [] for group in groups}
    for line in drawn:
        owner = _owner(line, groups)
        if owner is not None:
            near[id(owner)].append(line)
    return [_told_apart(group, near[id(group)]) for group in groups]


def _owner(line: Line, groups: list[Group]) -> Group | None:
    """Return the group of the picture that a line belongs to by its place."""
    is_mark = LABEL.fullmatch(line.words) or TIME.fullmatch(line.words)
    above = [group for group in groups if is_mark and _is_above(line, group.placement)]
    if above:
        return above[0]
    middle = (line.box.top + line.box.bottom) / 2
    beside = [group for group in groups if _is_beside(line, middle, group, groups)]
    if beside:
        return max(beside, key=lambda group: group.placement.box.left)
    below = [group for group in groups if _is_below(line, middle, group, groups)]
    return max(below, key=lambda group: group.placement.box.bottom, default=None)


def _is_beside(line: Line, middle: float, group: Group, groups: list[Group]) -> bool:
    box = group.placement.box
    if not box.top - line.size <= middle <= box.bottom:
        return False
    if line.box.right <= box.left:
        return not any(
            other.placement.box.right < box.left and _is_same_row(other, group) for other in groups
        )
    return line.left >= box.right - 1


def _is_same_row(one: Group, other: Group) -> bool:
    a, b = one.placement.box, other.placement.box
    return a.top < b.bottom and b.top < a.bottom


def _is_below(line: Line, middle: float, group: Group, groups: list[Group]) -> bool:
    box = group.placement.box
    if middle < box.bottom:
        return False
    row = [other.placement.box for other in groups if _is_same_row(other, group)]
    right = min((other.left for other in row if other.left > box.right), default=inf)
    left = max((other.right for other in row if other.right < box.left), default=0.0)
    return (left + box.left) / 2 <= line.box.centre <= (box.right + right) / 2
