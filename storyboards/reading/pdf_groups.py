"""Which texts of a page belong to which board: by the order of drawing, or else by place.

Storyboarder draws a board's picture first and its texts right after it. A program that does not is
read by place: a text belongs to the picture that it stands above, beside or below.
"""

from dataclasses import dataclass
from math import inf

from storyboards.reading import pdf_furniture, text_lines
from storyboards.reading.pdf_labels import Group, told_apart
from storyboards.reading.pdf_neighbours import Places, does_agree
from storyboards.reading.pdf_page_content import Page, Placement, TextPiece
from storyboards.reading.text_lines import Line

#: The order counts if it finds this share of the labels that places find.
_ORDER_HOLDS = 0.8


@dataclass(frozen=True)
class Grouping:
    """The boards of a document in the order of the story, and what stands above them."""

    groups: list[Group]
    headings: dict[int, list[str]]  #: of each page: what it draws before its first board
    is_by_order: bool

    @property
    def header(self) -> list[str]:
        """The headings of all pages together."""
        return [line for lines in self.headings.values() for line in lines]


@dataclass(frozen=True)
class _Sheet:
    """One page without its furniture."""

    number: int
    placements: list[Placement]
    pieces: list[TextPiece]


def group(pages: tuple[Page, ...]) -> Grouping:
    """Return the boards of all pages with their texts."""
    sheets = _sheets(list(pages))
    by_order = [_by_order(sheet) for sheet in sheets]
    by_place = [_by_place(sheet) for sheet in sheets]
    headings = {
        page.number: _heading(page, sheet.placements)
        for page, sheet in zip(pages, sheets, strict=True)
    }
    if _does_order_hold(_flat(by_order), _flat(by_place)):
        for sheet, groups in zip(sheets, by_order, strict=True):
            _check_places(sheet, groups)
        return Grouping(_flat(by_order), headings, is_by_order=True)
    return Grouping(_in_reading_order(_flat(by_place)), headings, is_by_order=False)


def _flat(of_pages: list[list[Group]]) -> list[Group]:
    return [group for groups in of_pages for group in groups]


def _sheets(pages: list[Page]) -> list[_Sheet]:
    boards = pdf_furniture.boards(pages)
    furniture = pdf_furniture.texts(pages, boards)
    return [
        _Sheet(
            page.number,
            boards[page.number],
            [piece for piece in page.pieces if pdf_furniture.text_spot(piece) not in furniture],
        )
        for page in pages
    ]


def _heading(page: Page, placements: list[Placement]) -> list[str]:
    """Return what is drawn before a page's first board."""
    first = placements[0].order if placements else 0
    return [line.words for line in text_lines.lines(page.pieces) if line.order < first]


def _does_order_hold(by_order: list[Group], by_place: list[Group]) -> bool:
    return (
        _n_labels(by_order) >= _ORDER_HOLDS * _n_labels(by_place)
        and any(group.marks or group.body for group in by_order)
        and not _has_all(by_order)
    )


def _n_labels(groups: list[Group]) -> int:
    return sum(group.label is not None for group in groups)


def _has_all(groups: list[Group]) -> bool:
    """Tell whether all texts of each page are drawn after its last picture."""
    last_of_pages = {group.page: group for group in groups}
    are_alone = len(last_of_pages) == len(groups)
    with_texts = [group for group in groups if group.marks or group.body]
    return not are_alone and all(group is last_of_pages[group.page] for group in with_texts)


def _check_places(sheet: _Sheet, groups: list[Group]) -> None:
    places = Places(sheet.placements)
    for index, group in enumerate(groups):
        group.is_place_different = not does_agree(group, index, places)


def _in_reading_order(groups: list[Group]) -> list[Group]:
    """Return boards by page, row and column: they are not drawn in an order that means anything."""

    def place(group: Group) -> tuple[int, float, float]:
        box = group.placement.box
        row = round(box.top / max(box.height / 2, 1))
        return group.page, row, box.left

    return sorted(groups, key=place)


def _by_order(sheet: _Sheet) -> list[Group]:
    """Return each picture with the texts that are drawn between it and the next one."""
    ends = [*[placed.order for placed in sheet.placements[1:]], inf]
    groups = []
    # Of a page without pictures there is an end too many.
    for placed, end in zip(sheet.placements, ends, strict=False):
        drawn = text_lines.lines(p for p in sheet.pieces if placed.order < p.order < end)
        groups.append(told_apart(sheet.number, placed, drawn))
    return groups


def _by_place(sheet: _Sheet) -> list[Group]:
    """Return each picture with the texts that stand above, beside or below it."""
    places = Places(sheet.placements)
    near: list[list[Line]] = [[] for _ in sheet.placements]
    for line in text_lines.lines(sheet.pieces):
        owner = places.owner(line)
        if owner is not None:
            near[owner].append(line)
    return [
        told_apart(sheet.number, placed, drawn)
        for placed, drawn in zip(sheet.placements, near, strict=True)
    ]
