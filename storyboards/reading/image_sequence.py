"""A folder or zip of images: each a board, in the order of their numbers.

Names of the nomenclature say which plan each is of; of several versions the last counts. Storyboard
Pro exports several pictures of a plan (where a camera move begins and ends), and an XML with their
times beside them: whether the first, the last or all are taken is asked. Time lines of Final Cut
Pro X and OpenTimelineIO are read as well, and the labels in them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath

from storyboards.reading import (
    clean_texts,
    consistency_doubts,
    fcp_xml,
    fcpxml,
    natural_order,
    otio,
)
from storyboards.reading.archives import Archive
from storyboards.reading.fcp_xml import BadXml, Clip
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import BadPicture, PictureFolder, Progress
from storyboards.reading.storyboard_model import (
    Board,
    Doubt,
    PictureFile,
    Storyboard,
    UnreadableStoryboard,
)
from wording import say

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
#: What is read of time lines beside the pictures.
_TIMELINES: Mapping[str, Callable[[bytes], list[Clip]]] = {
    ".xml": fcp_xml.clips,
    ".fcpxml": fcpxml.clips,
    ".otio": otio.clips,
}
#: `E202_SQ0010-0010_extracted-raw_v0001`, and as Storyboard Pro writes it, `E202_SQ0040_0010_2`.
_NAMED = re.compile(
    r"E[0-9]{3,6}_(?P<sequence>SQ[0-9]{4})-(?P<plan>[0-9]{4})"
    r"(_[A-Za-z-]+)?(_v(?P<version>[0-9]{4}))?",
    re.IGNORECASE,
)
_STORYBOARD_PRO = re.compile(
    r"E[0-9]{3,6}_(?P<sequence>SQ[0-9]{4})[_-](?P<plan>[0-9]{4})_(?P<number>[0-9]{1,4})",
    re.IGNORECASE,
)
_NAMED_FILES_MAX = 20


@dataclass(frozen=True)
class _Image:
    """A file, and what its name says."""

    file: str
    sequence_id: str = ""
    plan: str = ""
    number: int = 0  #: of several pictures of a plan
    version: int = 0

    @property
    def stem(self) -> str:
        """The file's name without folders and suffix."""
        return _stem(self.file)

    @property
    def key(self) -> tuple[str, str, str]:
        """What is the same for the pictures of one plan."""
        return self.sequence_id, self.plan, "" if self.plan else self.file


def read(
    archive: Archive,
    pictures: PictureFolder,
    limits: ReadingLimits,
    on_progress: Progress,
    *,
    taken: str,
) -> Storyboard:
    """Return the storyboard that images make; `taken`: first, last or all of a plan's pictures.

    Raises:
        UnreadableStoryboard: there are none that can be used, or too many.
    """
    names = sorted(archive.names(), key=natural_order.key)
    images = [_named(name) for name in names if _has_suffix(name, _SUFFIXES)]
    chosen, doubts = _chosen(images, taken)
    if len(chosen) > limits.boards:
        raise consistency_doubts.too_many_boards(len(chosen), limits)
    clips, xml_doubts = _clips(archive, names, limits)
    of_plans = _stems_by_plan(images)
    boards = []
    for position, image in enumerate(chosen, start=1):
        stems = [image.stem] if taken == "all" else of_plans[_named(image.file).key]
        boards.append(_board(position, image, archive, pictures, limits))
        boards[-1] = _timed(boards[-1], [clips[stem] for stem in stems if stem in clips])
        on_progress(position, len(chosen))
    if all(board.picture is None for board in boards):
        raise _no_pictures(names)
    doubts += [*xml_doubts, *_left_out(names)]
    checked = consistency_doubts.with_doubts(boards, has_labels=False)
    return Storyboard(
        "images", clean_texts.one_line(archive.name, 255), tuple(checked), tuple(doubts)
    )


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _has_suffix(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.casefold().endswith(suffixes)


def _named(file: str) -> _Image:
    """Return a file with what its name says."""
    stem = _stem(file)
    match = _STORYBOARD_PRO.fullmatch(stem)
    if match:
        return _Image(file, match["sequence"].upper(), match["plan"], number=int(match["number"]))
    match = _NAMED.fullmatch(stem)
    if match:
        version = int(match["version"] or 0)
        return _Image(file, match["sequence"].upper(), match["plan"], version=version)
    return _Image(file)


def _chosen(images: list[_Image], taken: str) -> tuple[list[_Image], list[Doubt]]:
    """Return the images that become boards, and what is to be said about the choice."""
    chosen: list[_Image] = []
    n_several = 0
    for _, together in groupby(sorted(images, key=_order), key=lambda image: image.key):
        of_plan = list(together)
        newest = max(image.version for image in of_plan)
        of_plan = [image for image in of_plan if image.number or image.version == newest]
        n_several += len(of_plan) > 1
        chosen += _of_several(of_plan, taken)
    data = {"plans": n_several, "taken": taken}
    return chosen, [Doubt("several_pictures", data)] if n_several else []


def _order(image: _Image) -> tuple[object, ...]:
    """Return the key that sorts images: by their plans where names tell them, else by number."""
    if image.plan:
        return 0, image.sequence_id, image.plan, image.number, natural_order.key(image.file)
    return 1, "", "", 0, natural_order.key(image.file)


def _of_several(of_plan: Sequence[_Image], taken: str) -> Sequence[_Image]:
    if taken == "all":
        # The first is the plan's own; the others get numbers of theirs.
        return [of_plan[0], *(replace(image, plan="") for image in of_plan[1:])]
    return of_plan[-1:] if taken == "last" else of_plan[:1]


def _stems_by_plan(images: Iterable[_Image]) -> dict[tuple[str, str, str], list[str]]:
    """Return what the pictures of each plan are called."""
    stems: dict[tuple[str, str, str], list[str]] = {}
    for image in images:
        stems.setdefault(image.key, []).append(image.stem)
    return stems


def _board(
    position: int, image: _Image, archive: Archive, pictures: PictureFolder, limits: ReadingLimits
) -> Board:
    picture: PictureFile | None = None
    is_blank = False
    doubts: tuple[Doubt, ...] = ()
    try:
        picture, is_blank = pictures.put(archive.read(image.file, limits.picture_bytes))
    except BadPicture as error:
        doubts = (Doubt(error.code, {**error.data, "file": image.file}),)
    return Board(
        position=position,
        page=None,
        label=clean_texts.one_line(image.stem, 64),
        uid="",
        start_ms=None,
        duration_ms=None,
        dialogue="",
        action="",
        notes="",
        picture=picture,
        is_blank=is_blank,
        doubts=doubts,
        sequence_id=image.sequence_id,
        plan=image.plan,
    )


def _clips(
    archive: Archive, names: Sequence[str], limits: ReadingLimits
) -> tuple[dict[str, Clip], list[Doubt]]:
    """Return the times that time lines tell by the files' stems, and what was wrong."""
    by_name: dict[str, Clip] = {}
    doubts = []
    for name in names:
        clips_of = _TIMELINES.get(PurePosixPath(name).suffix.casefold())
        if clips_of is None:
            continue
        try:
            told = clips_of(archive.read(name, limits.document_bytes))
        except BadXml as error:
            doubts.append(Doubt(error.code, {"file": name}))
            continue
        if not told:
            doubts.append(Doubt("xml_without_times", {"file": name}))
        # Of two that name a picture, the first counts: Storyboarder's `.fcpxml` tells labels.
        by_name = {_stem(clip.file): clip for clip in told} | by_name
    return by_name, doubts


def _timed(board: Board, clips: Sequence[Clip]) -> Board:
    """Return a board with the time from the first of its clips to the last, and their label."""
    if not clips:
        return board
    start_ms = min(clip.start_ms for clip in clips)
    duration_ms = max(clip.end_ms for clip in clips) - start_ms
    called = clips[0].name if consistency_doubts.LABEL.fullmatch(clips[0].name) else board.label
    return replace(board, label=called, start_ms=start_ms, duration_ms=duration_ms)


def _left_out(names: Iterable[str]) -> list[Doubt]:
    others = [name for name in names if not _has_suffix(name, (*_SUFFIXES, *_TIMELINES))]
    if not others:
        return []
    return [Doubt("files_left_out", {"n": len(others), "files": others[:_NAMED_FILES_MAX]})]


def _no_pictures(names: Sequence[str]) -> UnreadableStoryboard:
    if any(_has_suffix(name, (".pdf",)) for name in names):
        return UnreadableStoryboard(
            "zip_of_pdf", say("There is a PDF among the files, and no images: send the PDF itself.")
        )
    others = sorted({PurePosixPath(name).suffix.casefold() for name in names} - {""})
    what = say(" There are {others}.", others=", ".join(others[:5])) if others else ""
    return UnreadableStoryboard(
        "no_pictures",
        say("There are no pictures that can be used: JPEG, PNG or WebP are.{what}", what=what),
        suffixes=others[:5],
    )
