"""Texts that a layout has cut without a mark: they end where its boards have no more room.

Storyboarder's layouts after 3.0.0 cut what does not fit. Some put `[…]`; one does not, and then a
last line that ends with the space of a wrap goes on somewhere, and other boards whose texts reach
as far down may have been cut as well.
"""

from collections.abc import Sequence

from storyboards.reading.pdf_fields import CUT, Texts
from storyboards.reading.pdf_labels import Group
from storyboards.reading.storyboard_model import Doubt
from storyboards.reading.text_lines import Line, Setting

#: Texts end at the same height, in lines, if they differ by less.
_SAME = 0.5


def mark(groups: Sequence[Group], texts: Sequence[Texts], setting: Setting) -> None:
    """Add a doubt to each text that was cut, or may have been, without a mark."""
    lasts = [max(group.body, key=lambda line: line.baseline, default=None) for group in groups]
    if any(line.words.endswith(CUT) for group in groups for line in group.body):
        return
    depths = [_depth(group, last, setting) for group, last in zip(groups, lasts, strict=True)]
    deepest = max(depths, default=0.0)
    ends = [
        (of_board, last)
        for of_board, last, depth in zip(texts, lasts, depths, strict=True)
        if last is not None and deepest - depth < _SAME
    ]
    if not any(_does_go_on(last) for _, last in ends):
        return
    for of_board, last in ends:
        of_board.doubts.append(_doubt(of_board, last))


def _depth(group: Group, last: Line | None, setting: Setting) -> float:
    """Return how many lines below its picture a board's texts end."""
    if last is None:
        return 0.0
    return (last.baseline - group.placement.box.bottom) / (setting.leading * last.size or 1)


def _does_go_on(last: Line) -> bool:
    return last.text.endswith(" ")


def _doubt(of_board: Texts, last: Line) -> Doubt:
    if not _does_go_on(last):
        return Doubt("text_may_be_cut")
    field = next(name for name, lines in of_board.lines.items() if last in lines)
    return Doubt("text_cut", {"field": field})
