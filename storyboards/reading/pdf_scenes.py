"""Where the scenes of a PDF begin: Storyboarder exports several, each on a page of its own.

A scene's pages have a heading of their own, and its labels begin anew. Where both are so, a scene
begins; where one is, it is proposed and doubted.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from storyboards.reading.consistency_doubts import does_follow, is_first
from storyboards.reading.pdf_labels import Group
from storyboards.reading.storyboard_model import Doubt

_PAGE_NUMBER = re.compile(r"(page:?\s*)?\d+(\s*/\s*\d+)?", re.IGNORECASE)
_COUNTS = re.compile(r"\b(boards|shots):?\s*\d", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
#: Where the heading changes on more of the pages than this share, it tells nothing of scenes.
_OFTEN = 0.5

Headings = Mapping[int, Sequence[str]]


def starts(groups: Sequence[Group], headings: Headings) -> dict[int, Doubt | None]:
    """Return which boards begin another scene than the one before them, and what is unsure of it.

    `headings` are the lines that each page draws before its first board.
    """
    titles = {page: _title(lines) for page, lines in headings.items()}
    tells_title = _changes_seldom(groups, titles)
    found: dict[int, Doubt | None] = {}
    for at in range(1, len(groups)):
        above, page = groups[at - 1].page, groups[at].page
        if _begins_anew(groups, at):
            is_other = _unnumbered(headings[page]) != _unnumbered(headings[above])
            found[at] = None if page != above and is_other else Doubt("labels_begin_anew")
        elif tells_title and titles[page] != titles[above]:
            found[at] = Doubt("heading_changes")
    return found


def _begins_anew(groups: Sequence[Group], at: int) -> bool:
    """Tell whether the labels begin anew at a board: on a new page, or where they then go on."""
    label, above = _label(groups[at]), _label(groups[at - 1])
    if not is_first(label) or not above or does_follow(above, label):
        return False
    if groups[at].page != groups[at - 1].page:
        return True
    return at + 1 < len(groups) and does_follow(label, _label(groups[at + 1]) or label)


def _label(group: Group) -> str:
    return group.label.words if group.label else ""


def _unnumbered(lines: Sequence[str]) -> list[str]:
    """Return a heading without the number of its page."""
    return [line for line in lines if not _PAGE_NUMBER.fullmatch(line)]


def _title(lines: Sequence[str]) -> list[str]:
    """Return what a heading says, whatever the numbers in it."""
    told = [line for line in _unnumbered(lines) if not _COUNTS.search(line)]
    return [_DIGITS.sub("0", line) for line in told]


def _changes_seldom(groups: Sequence[Group], titles: Mapping[int, list[str]]) -> bool:
    pages = list(dict.fromkeys(group.page for group in groups))
    n_changes = sum(titles[above] != titles[page] for above, page in pairwise(pages))
    return n_changes <= _OFTEN * (len(pages) - 1)
