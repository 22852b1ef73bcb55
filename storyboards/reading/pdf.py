"""A storyboard as PDF: as Wonder Unit Storyboarder writes it, before and after 3.0.0, or others.

Read by the order of drawing (`pdf_groups`), with place as the check; fonts and places tell the
texts apart (`pdf_fields`). The header's duration is not believed: in old files it is no number of
anything. The classic layout prints when a board begins; later ones print how long it lasts, as a
rule, to the second: then its beginning is the sum of what was before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path

from storyboards.reading import (
    clean_texts,
    consistency_doubts,
    pdf_fields,
    pdf_groups,
    pdf_page_content,
    pdf_scenes,
    pdf_truncated_texts,
    text_lines,
)
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pdf_fields import CUT, FIELDS, Texts
from storyboards.reading.pdf_groups import Grouping
from storyboards.reading.pdf_labels import Group
from storyboards.reading.pictures import PictureFolder, Progress
from storyboards.reading.storyboard_model import Board, Doubt, Storyboard, UnreadableStoryboard
from storyboards.reading.text_lines import Setting
from wording import say

#: Where more of the times fall than this share, they are no beginnings.
_FALLING = 0.1


def read(
    source: Path, pictures: PictureFolder, limits: ReadingLimits, on_progress: Progress
) -> Storyboard:
    """Return the storyboard of a PDF, whose pictures are written.

    Raises:
        UnreadableStoryboard: it is encrypted, broken, too large, or has no pictures.
    """
    drawing = pdf_page_content.read(source, pictures, limits, on_progress)
    grouping = pdf_groups.group(drawing.pages)
    _check(grouping.groups, drawing, limits)
    header = " ".join(grouping.header)
    is_classic = "|" in header
    setting, texts = pdf_fields.assign(grouping.groups, is_classic=is_classic)
    if not is_classic:
        pdf_truncated_texts.mark(grouping.groups, texts, setting)
    boards = [
        _board(position, group, of_board, setting, limits)
        for position, (group, of_board) in enumerate(
            zip(grouping.groups, texts, strict=True), start=1
        )
    ]
    of_scenes = _of_scenes(boards, pdf_scenes.starts(grouping.groups, grouping.headings))
    timed = _timed(of_scenes, [_ms(group) for group in grouping.groups], is_classic)
    counted = consistency_doubts.count_doubts(timed, grouping.headings)
    doubts = [*counted, *_place_doubts(grouping)]
    return Storyboard(
        "pdf",
        _title(drawing.title, grouping, source),
        tuple(consistency_doubts.with_doubts(timed)),
        tuple(doubts),
    )


def _check(
    groups: list[Group], drawing: pdf_page_content.PdfContent, limits: ReadingLimits
) -> None:
    if not groups:
        has_texts = any(page.pieces for page in drawing.pages)
        what = say("only texts") if has_texts else "nothing"
        raise UnreadableStoryboard(
            "no_pictures",
            say(
                "The PDF has {what} on its pages, and no pictures: it is not a storyboard.",
                what=what,
            ),
        )
    if len(groups) > limits.boards:
        raise consistency_doubts.too_many_boards(len(groups), limits)


def _place_doubts(grouping: Grouping) -> list[Doubt]:
    return [] if grouping.is_by_order else [Doubt("read_by_place")]


def _title(said: str, grouping: Grouping, source: Path) -> str:
    """Return the title: what the PDF says of itself, what its first line says, or its name."""
    first = clean_texts.one_line(grouping.header[0], 255) if grouping.header else ""
    is_known = said and said.casefold() not in {"untitled", "anonymous"}
    return said if is_known else first or clean_texts.one_line(source.stem, 255)


def _board(
    position: int, group: Group, texts: Texts, setting: Setting, limits: ReadingLimits
) -> Board:
    placed = group.placement
    doubts = list(texts.doubts)
    if placed.trouble:
        doubts.append(Doubt(placed.trouble.code, placed.trouble.data))
    if group.is_place_different:
        doubts.append(Doubt("place_disagrees"))
    fields = {name: text_lines.text(texts.lines[name], setting) for name in FIELDS}
    for name, whole in fields.items():
        if whole.endswith(CUT):
            doubts.append(Doubt("text_cut", {"field": name}))
        if len(whole) > limits.field_characters:
            doubts.append(Doubt("text_too_long", {"field": name, "most": limits.field_characters}))
    return Board(
        position=position,
        page=group.page,
        label=group.label.words if group.label else "",
        uid="",
        start_ms=None,
        duration_ms=None,
        dialogue=fields["dialogue"][: limits.field_characters],
        action=fields["action"][: limits.field_characters],
        notes=fields["notes"][: limits.field_characters],
        picture=placed.picture,
        is_blank=placed.is_blank,
        doubts=tuple(doubts),
    )


def _of_scenes(boards: Sequence[Board], starts: Mapping[int, Doubt | None]) -> list[Board]:
    """Return the boards with where another scene begins."""
    found = list(boards)
    for at, doubt in starts.items():
        doubts = (*boards[at].doubts, *([doubt] if doubt else []))
        found[at] = replace(boards[at], begins_scene=True, doubts=doubts)
    return found


def _ms(group: Group) -> int | None:
    """Return what a board's time says, in milliseconds."""
    if group.time is None:
        return None
    seconds = 0
    for part in group.time.words.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000


def _timed(boards: Sequence[Board], times: Sequence[int | None], is_classic: bool) -> list[Board]:
    """Return the boards with when they begin and how long they last."""
    boards = [
        replace(board, doubts=(*board.doubts, Doubt("time_missing"))) if ms is None else board
        for board, ms in zip(boards, times, strict=True)
    ]
    by_scene = _by_scene(boards, times)
    if is_classic or _are_beginnings(by_scene):
        durations = [ms for of_scene in by_scene for ms in _differences(of_scene)]
        return [
            replace(board, start_ms=ms, duration_ms=duration)
            for board, ms, duration in zip(boards, times, durations, strict=True)
        ]
    starts = _sums(times)
    return [
        replace(board, start_ms=start, duration_ms=ms)
        for board, ms, start in zip(boards, times, starts, strict=True)
    ]


def _by_scene(boards: Sequence[Board], times: Sequence[int | None]) -> list[Sequence[int | None]]:
    scenes = consistency_doubts.by_scene(boards)
    ends = [0, *accumulate(map(len, scenes))]
    return [times[start:end] for start, end in pairwise(ends)]


def _are_beginnings(by_scene: Sequence[Sequence[int | None]]) -> bool:
    """Tell whether times are beginnings: from 0 on they hardly ever fall within a scene."""
    known = [[ms for ms in times if ms is not None] for times in by_scene]
    n_known = sum(map(len, known))
    n_falling = sum(ms < before for times in known for before, ms in pairwise(times))
    starts_at_0 = bool(n_known) and next(times[0] for times in known if times) == 0
    return starts_at_0 and n_falling <= _FALLING * n_known


def _differences(times: Sequence[int | None]) -> list[int | None]:
    """Return the time from each beginning to the next; None where that is not known."""
    durations = [
        after - ms if ms is not None and after is not None and after >= ms else None
        for ms, after in pairwise(times)
    ]
    return [*durations, None]


def _sums(times: Sequence[int | None]) -> list[int | None]:
    """Return the sum of the durations before each; None after one that is not known."""
    if not times:
        return []
    n_known = next((place for place, ms in enumerate(times) if ms is None), len(times))
    sums: list[int | None] = [0, *accumulate(ms or 0 for ms in times[:n_known])]
    return [*sums, *[None] * len(times)][: len(times)]
