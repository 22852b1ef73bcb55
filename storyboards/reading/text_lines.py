"""Lines and blocks of text: how pieces that a page draws become the lines that were typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from storyboards.reading import clean_texts
from storyboards.reading.pdf_page_content import Box, TextPiece

#: Baselines that differ less, in points, are one line's.
_SAME_LINE = 1.0
#: How many times the type's size pieces of one line are apart at most.
_GAP = 1.2
_OVERLAP = 0.5
#: A line's height, in type sizes; lines farther apart than so many of them are two blocks.
LEADING = 1.2
_NEW_BLOCK = 1.45
_LEADING_MAX = 2.0
#: Where a text goes on much lower, that is not one blank line for each line's height.
_BLANK_LINES_MAX = 2


@dataclass(frozen=True)
class Line:
    """A line as it is drawn; a soft wrap keeps its space at the end."""

    order: int
    text: str
    font: str
    size: float
    left: float
    baseline: float
    box: Box

    @property
    def words(self) -> str:
        """The text without the space around it."""
        return self.text.strip()


@dataclass(frozen=True)
class TextBlock:
    """Lines of one font, one right under another."""

    lines: tuple[Line, ...]

    @property
    def first(self) -> Line:
        """Its first line."""
        return self.lines[0]

    @property
    def last(self) -> Line:
        """Its last line."""
        return self.lines[-1]


def lines(pieces: Iterable[TextPiece]) -> list[Line]:
    """Return the lines that pieces make, which were drawn one after the other."""
    made: list[Line] = []
    for piece in pieces:
        if made and _goes_on(made[-1], piece):
            made[-1] = _with(made[-1], piece)
        else:
            made.append(
                Line(
                    piece.order,
                    piece.text,
                    piece.font,
                    piece.size,
                    piece.left,
                    piece.baseline,
                    piece.box,
                )
            )
    return made


def _goes_on(line: Line, piece: TextPiece) -> bool:
    gap = piece.left - line.box.right
    return (
        abs(line.baseline - piece.baseline) < _SAME_LINE
        and line.font == piece.font
        and abs(line.size - piece.size) < 0.1
        and -_OVERLAP * piece.size < gap < _GAP * piece.size
    )


def _with(line: Line, piece: TextPiece) -> Line:
    box = Box(
        line.box.left,
        min(line.box.top, piece.box.top),
        max(line.box.right, piece.box.right),
        max(line.box.bottom, piece.box.bottom),
    )
    return replace(line, text=line.text + piece.text, box=box)


@dataclass(frozen=True)
class Setting:
    """How a file sets its texts."""

    keeps_spaces: bool  #: a line that goes on in the next ends with a space
    width: float  #: of a column, in points
    leading: float = LEADING  #: from one line to the next, in type sizes


def leading(drawn: Sequence[Line]) -> float:
    """Return how far lines stand apart as a rule, in type sizes."""
    steps = [
        (line.baseline - above.baseline) / line.size
        for above, line in pairwise(drawn)
        if line.size and above.font == line.font
    ]
    usual = [step for step in steps if 0.8 < step < _LEADING_MAX]
    return median(usual) if usual else LEADING


def blocks(drawn: Sequence[Line], setting: Setting, starts: Iterable[Line] = ()) -> list[TextBlock]:
    """Return lines as blocks: each of one font, without a gap; `starts` begin new ones anyway."""
    forced = {id(line) for line in starts}
    made: list[list[Line]] = []
    for line in drawn:
        if made and id(line) not in forced and _is_below(made[-1][-1], line, setting):
            made[-1].append(line)
        else:
            made.append([line])
    return [TextBlock(tuple(block)) for block in made]


def _is_below(above: Line, line: Line, setting: Setting) -> bool:
    step = line.baseline - above.baseline
    return (
        above.font == line.font
        and abs(above.size - line.size) < 0.1
        and 0 < step <= _NEW_BLOCK * setting.leading * line.size
    )


def text(drawn: Sequence[Line], setting: Setting) -> str:
    """Return the text that was typed: real line breaks stay, wraps are undone."""
    if not drawn:
        return ""
    joined = drawn[0].text
    for above, line in pairwise(drawn):
        between = _between(above, line, setting)
        joined = joined.rstrip() + between if between.startswith("\n") else joined + between
        joined += line.text
    return clean_texts.clean(joined)


def _between(above: Line, line: Line, setting: Setting) -> str:
    """Return what stands between two lines: nothing, a space, or line breaks."""
    n_leads = round((line.baseline - above.baseline) / (setting.leading * line.size or 1))
    if n_leads > 1:
        return "\n" * min(n_leads, _BLANK_LINES_MAX)
    if above.text.endswith((" ", "\u00a0")):
        return ""
    if _has_room(above, line, setting):
        return "\n"
    if above.words.endswith(("-", "/")) or _is_address(above.words):
        return ""
    return "\n" if setting.keeps_spaces else " "


def _has_room(above: Line, line: Line, setting: Setting) -> bool:
    """Tell whether the next line's first word would have fitted."""
    first = line.words.split(" ")[0] if line.words else ""
    for stop in ("-", "/"):
        head, found, _ = first.partition(stop)
        first = head + found if head else first
    share = len(first) / max(len(line.words), 1)
    return above.box.width + share * line.box.width <= setting.width


def _is_address(shown: str) -> bool:
    """Tell whether a line ends within the address of a page."""
    last = shown.rpartition(" ")[2]
    return "://" in last or last.startswith("www.")
