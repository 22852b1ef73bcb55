"""Which of a board's texts is dialogue, action or notes: by place, by font, and by what is left.

Storyboarder sets dialogue bold, action regular or italic and notes thin, in this order. A field
with a character that its font lacks is set in another font as a whole: then place tells, and where
it does not, that is a doubt.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from storyboards.reading import text_lines
from storyboards.reading.pdf_labels import Group
from storyboards.reading.storyboard_model import Doubt
from storyboards.reading.text_lines import Line, Setting, TextBlock

FIELDS = ("dialogue", "action", "notes")
#: What the exporter puts where it has cut a text.
CUT = "[…]"
_BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)
_THIN = re.compile(r"thin|light|hairline", re.IGNORECASE)
_STYLE = re.compile(
    r"[-,]?(extra|semi|demi|ultra)?[-,]?"
    r"(bold|black|heavy|thin|light|hairline|regular|roman|book|medium|italic|oblique|mt|ps)+$",
    re.IGNORECASE,
)
_PLACE_LINE = re.compile(r"(INT|EXT)\b[.\s/]")
#: Within how many points two middles, or two left edges, count as the same.
_SAME = 1.5


@dataclass
class Texts:
    """The texts of one board."""

    lines: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    doubts: list[Doubt] = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """How a document sets its texts."""

    setting: Setting
    family: str  #: the fonts of this family tell their field
    has_columns: bool  #: texts stand right of the pictures, a column for each field
    has_notes: bool
    is_classic: bool  #: dialogue is centred, action begins at the left, and notes are not printed


def assign(groups: list[Group], *, is_classic: bool) -> tuple[Setting, list[Texts]]:
    """Return how texts are set, and the texts of each board."""
    style = _style(groups, is_classic)
    if style.has_columns:
        return style.setting, _by_columns(groups, style)
    heads = _heads(groups, style)
    return style.setting, [_by_blocks(group, style, heads) for group in groups]


def _style(groups: list[Group], is_classic: bool) -> Style:
    drawn = [line for group in groups for line in group.body]
    family = _family_of(groups)
    has_columns = 2 * sum(_is_right(line, group) for group in groups for line in group.body) > len(
        drawn
    )
    in_family = [line for line in drawn if _family(line.font) == family]
    has_notes = not is_classic and any(_THIN.search(line.font) for line in in_family)
    setting = Setting(
        keeps_spaces=any(line.text.endswith(" ") for line in drawn),
        width=_width(groups, has_columns=has_columns),
        leading=text_lines.leading(drawn),
    )
    return Style(setting, family, has_columns, has_notes, is_classic)


def _width(groups: list[Group], *, has_columns: bool) -> float:
    """Return how wide texts may be, as far as the document shows it."""
    widths = [line.box.width for group in groups for line in group.body]
    if has_columns:
        widths += [after - before for before, after in pairwise(_columns(groups))]
    else:
        widths += [group.placement.box.width for group in groups]
    return max(widths, default=0.0)


def _is_right(line: Line, group: Group) -> bool:
    box = group.placement.box
    return line.left >= box.right - 1 and line.box.top < box.bottom


def _family_of(groups: list[Group]) -> str:
    """Return the family of the labels' fonts, or else that of most texts."""
    labels = Counter(_family(group.label.font) for group in groups if group.label)
    bodies = Counter(_family(line.font) for group in groups for line in group.body)
    most = (labels or bodies).most_common(1)
    return most[0][0] if most else ""


def _family(font: str) -> str:
    return _STYLE.sub("", font)


def _role(line: Line, style: Style) -> str | None:
    """Return which field a line's font stands for; None: it does not tell."""
    if _family(line.font) != style.family:
        return None
    if _BOLD.search(line.font):
        return "dialogue"
    if _THIN.search(line.font):
        return "notes"
    return "action"


def _by_columns(groups: list[Group], style: Style) -> list[Texts]:
    columns = _columns(groups)
    fields = _fields_of(columns, groups, style)
    texts = []
    for group in groups:
        of_board = Texts()
        for line in group.body:
            at = _offset(line, group)
            nearest = min(columns, key=lambda column: abs(column - at))
            of_board.lines[fields[nearest]].append(line)
        texts.append(of_board)
    return texts


def _offset(line: Line, group: Group) -> float:
    return line.left - group.placement.box.right


def _columns(groups: list[Group]) -> list[float]:
    """Return where the columns begin, counted from the picture's right edge."""
    lefts = sorted(_offset(line, group) for group in groups for line in group.body)
    columns: list[float] = []
    for left in lefts:
        if not columns or left - columns[-1] > 2 * _SAME:
            columns.append(left)
    return columns


def _fields_of(columns: list[float], groups: list[Group], style: Style) -> dict[float, str]:
    """Return the field of each column: what most of its fonts say, or else the next one."""
    if len(columns) == len(FIELDS):
        return dict(zip(columns, FIELDS, strict=True))
    votes: dict[float, Counter[str]] = {column: Counter() for column in columns}
    for group in groups:
        for line in group.body:
            nearest = min(columns, key=lambda column: abs(column - _offset(line, group)))
            votes[nearest].update(filter(None, [_role(line, style)]))
    fields: dict[float, str] = {}
    for column in columns:
        said = votes[column].most_common(1)
        free = [name for name in FIELDS if name not in fields.values()] or [FIELDS[-1]]
        fields[column] = said[0][0] if said else free[0]
    return fields


def _heads(groups: list[Group], style: Style) -> frozenset[str]:
    """Return how the actions begin that fonts tell: with a place, as a rule, and often the same."""
    firsts = []
    for group in groups:
        told = [line for line in group.body if _role(line, style) == "action"]
        firsts += [line.words for line in told[:1]]
    return frozenset(firsts)


def _is_head(line: Line, style: Style, heads: frozenset[str]) -> bool:
    """Tell whether a line whose font does not tell its field is how an action begins."""
    shown = line.words
    return _role(line, style) is None and (shown in heads or bool(_PLACE_LINE.match(shown)))


def _by_blocks(group: Group, style: Style, heads: frozenset[str]) -> Texts:
    texts = Texts()
    blocks = _blocks(group, style, heads)
    known = [_known(block, group, style, heads) for block in blocks]
    roles, is_unsure = _filled(known, FIELDS if style.has_notes else FIELDS[:2])
    for block, role in zip(blocks, roles, strict=True):
        texts.lines[role].extend(block.lines)
    if is_unsure:
        texts.doubts.append(Doubt("fields_unsure"))
    return texts


def _blocks(group: Group, style: Style, heads: frozenset[str]) -> list[TextBlock]:
    """Return the texts as blocks: what is cut off or begins as an action does is one's end."""
    starts = [
        line
        for above, line in pairwise(group.body)
        if above.words.endswith(CUT)
        or (not above.text.endswith(" ") and _is_head(line, style, heads))
    ]
    return text_lines.blocks(group.body, style.setting, starts)


def _known(block: TextBlock, group: Group, style: Style, heads: frozenset[str]) -> str | None:
    """Return the field of a block, as far as its font, its place or its beginning tell."""
    role = _role(block.first, style)
    if role == "notes" and not style.has_notes:
        return "action"
    if role is None and style.is_classic:
        return _by_alignment(block, group)
    return "action" if _is_head(block.first, style, heads) else role


def _by_alignment(block: TextBlock, group: Group) -> str:
    """Return the field that a block's alignment stands for in the classic layout."""
    centre = group.placement.box.centre
    is_centred = all(abs(line.box.centre - centre) < _SAME for line in block.lines)
    return "dialogue" if is_centred else "action"


def _filled(known: Sequence[str | None], fields: Sequence[str]) -> tuple[list[str], bool]:
    """Return the roles with those that fonts do not tell: the fields between their neighbours'."""
    roles: list[str] = []
    is_unsure = False
    for told, run in groupby(enumerate(known), key=lambda place: place[1]):
        places = [place for place, _ in run]
        if told is not None:
            roles += [told] * len(places)
            continue
        before = fields.index(roles[-1]) + 1 if roles else 0
        after = known[places[-1] + 1] if places[-1] + 1 < len(known) else None
        free = fields[before : fields.index(after) if after in fields else len(fields)]
        is_unsure |= len(free) != len(places)
        names = [*free, *[(free or roles or fields)[-1]] * len(places)]
        roles += names[: len(places)]
    return roles, is_unsure
