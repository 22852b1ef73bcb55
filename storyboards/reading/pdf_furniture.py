"""What of a PDF's pages is no board: logos, footers, and whatever every page has."""

import re
from collections import Counter
from itertools import takewhile
from statistics import median
from typing import TypeAlias

from storyboards.reading import text_lines
from storyboards.reading.pdf_labels import LABEL, TIME, is_label
from storyboards.reading.pdf_page_content import Box, Page, Placement, TextPiece

#: A board's picture is so large, beside the others.
_SHARE_OF_MEDIAN = 0.3
#: How many times their size texts that belong together are apart at most.
_NEAR = 3.0
_DIGITS = re.compile(r"[0-9]+")
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
    """Return the texts that every page draws first or last, at the same place.

    What stands among boards is theirs, even where two pages have the same there.
    """
    with_boards = [page for page in pages if of_pages[page.number]]
    if len(with_boards) < 2:
        return set()
    every = set.intersection(*({_kind(piece) for piece in page.pieces} for page in with_boards))
    spots: set[Spot] = set()
    for is_backwards in (False, True):
        runs = [_run(page, every, is_backwards=is_backwards) for page in with_boards]
        kinds = set.intersection(*({_kind(piece) for piece in run} for run in runs))
        spots |= {text_spot(piece) for run in runs for piece in run if _kind(piece) in kinds}
    return spots - {
        text_spot(piece) for page in with_boards for piece in _attached(page, of_pages[page.number])
    }


def _attached(page: Page, boards: list[Placement]) -> list[TextPiece]:
    """Return the texts that stand under a board's picture, one right under another."""
    edges = [placed.box for placed in boards]
    attached = []
    for piece in page.pieces:
        if any(_is_right_under(piece, box) for box in edges):
            attached.append(piece)
            edges.append(piece.box)
    return attached


def _is_right_under(piece: TextPiece, box: Box) -> bool:
    is_near = -1 <= piece.box.top - box.bottom <= _NEAR * piece.size
    return is_near and piece.box.left < box.right and box.left < piece.box.right


def _run(page: Page, every: set[Spot], *, is_backwards: bool) -> list[TextPiece]:
    """Return the pieces that a page begins or ends with, as far as every page has them."""
    pieces = page.pieces[::-1] if is_backwards else page.pieces
    return list(takewhile(lambda piece: _is_furniture(piece, every), pieces))


def _is_furniture(piece: TextPiece, every: set[Spot]) -> bool:
    shown = piece.text.strip()
    is_own = LABEL.fullmatch(shown) or TIME.fullmatch(shown)
    return _kind(piece) in every and not is_own


def _kind(piece: TextPiece) -> Spot:
    """Return a text with its place, where one number is as good as another: a page's own."""
    return _DIGITS.sub("0", piece.text), round(piece.left), round(piece.baseline)


def text_spot(piece: TextPiece) -> Spot:
    """Return a text with its place."""
    return piece.text, round(piece.left), round(piece.baseline)
