"""What of a PDF's pages is no board: logos, footers, and whatever every page has."""

from collections import Counter
from statistics import median
from typing import TypeAlias

from storyboards.reading import text_lines
from storyboards.reading.pdf_marks import LABEL, TIME, is_label
from storyboards.reading.pdf_objects import Page, Piece, Placement

#: A board's picture is so large, beside the others.
_SHARE_OF_MEDIAN = 0.3
#: A picture or a text with its place: the same on another page is the same spot.
Spot: TypeAlias = tuple[str, int, int]


def boards(pages: list[Page]) -> dict[int, list[Placement]]:
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


def _logos(pages: list[Page]) -> set[Spot]:
    """Return the pictures that every page draws at the same place, without a label of their own."""
    with_pictures = [page for page in pages if page.placements]
    if len(with_pictures) < 2:
        return set()
    spots = Counter(spot for page in with_pictures for spot in {_spot(p) for p in page.placements})
    on_all = {spot for spot, n in spots.items() if n == len(with_pictures)}
    return on_all - {spot for page in with_pictures for spot in _labelled(page)}


def _labelled(page: Page) -> set[Spot]:
    """Return the pictures of a page that have a label."""
    labels = [line for line in text_lines.lines(page.pieces) if LABEL.fullmatch(line.words)]
    return {
        _spot(placed) for placed in page.placements for line in labels if is_label(line, placed)
    }


def _spot(placed: Placement) -> Spot:
    return placed.content, round(placed.box.left), round(placed.box.top)


def texts(pages: list[Page], of_pages: dict[int, list[Placement]]) -> set[Spot]:
    """Return the texts that every page has at the same place below its last picture."""
    with_boards = [page for page in pages if of_pages[page.number]]
    if len(with_boards) < 2:
        return set()
    spots: Counter[Spot] = Counter()
    for page in with_boards:
        lowest = max(placed.box.bottom for placed in of_pages[page.number])
        spots.update({spot(piece) for piece in page.pieces if _may_be_footer(piece, lowest)})
    return {place for place, n in spots.items() if n == len(with_boards)}


def spot(piece: Piece) -> Spot:
    """Return a text with its place."""
    return piece.text, round(piece.left), round(piece.baseline)


def _may_be_footer(piece: Piece, lowest: float) -> bool:
    shown = piece.text.strip()
    is_own = LABEL.fullmatch(shown) or TIME.fullmatch(shown)
    return piece.box.top > lowest and not is_own
