"""A project of Wonder Unit Storyboarder, as a folder or its zip: everything in it is exact.

One `.storyboarder` file (JSON) for each scene, and its pictures in `images/` beside it. The order
of `boards` is the truth; `number`, `time` and `shot` are derived, and may be stale. Numbers may be
written as texts. A board's picture is its posterframe; where that is missing, or older than what
it shows, its layers are laid over one another.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from PIL import Image, UnidentifiedImageError

from storyboards.reading import archives, clean_texts, consistency_doubts, natural_order
from storyboards.reading.archives import Archive
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import BadPicture, PictureFolder, Progress, check_size
from storyboards.reading.storyboard_model import (
    Board,
    Doubt,
    PictureFile,
    Storyboard,
    UnreadableStoryboard,
)
from wording import say

SUFFIX = ".storyboarder"
_BACKUP = re.compile(r"-backup$", re.IGNORECASE)
#: The layers in the order in which they are drawn, and how opaque each is unless it says so.
_LAYERS = {
    "shot-generator": 1.0,
    "reference": 0.75,
    "fill": 1.0,
    "tone": 1.0,
    "pencil": 1.0,
    "ink": 1.0,
    "notes": 1.0,
}
#: In old files the drawing lies in the board's own file, between these layers.
_DRAWING = "pencil"
_DEFAULT_MS = 2000
_MS_MAX = 24 * 3600 * 1000
#: A posterframe is stale when a layer is younger by more than this.
_STALE_S = 60.0


@dataclass(frozen=True)
class _Layer:
    name: str
    file: str
    opacity: float


@dataclass(frozen=True)
class _Frame:
    """The picture of a board, and what was doubtful about it."""

    picture: PictureFile | None
    is_blank: bool
    doubts: tuple[Doubt, ...] = ()


def scenes(archive: Archive) -> list[str]:
    """Return the scenes of a project in their order; backups are none."""
    return sorted(
        (
            name
            for name in archive.names()
            if name.casefold().endswith(SUFFIX)
            and not any(_BACKUP.search(folder) for folder in PurePosixPath(name).parts[:-1])
        ),
        key=natural_order.key,
    )


def read(
    archive: Archive, pictures: PictureFolder, limits: ReadingLimits, on_progress: Progress
) -> Storyboard:
    """Return the storyboard of a project, of all its scenes one after the other.

    Raises:
        UnreadableStoryboard: it is broken, too large, or has no boards.
    """
    boards: list[Board] = []
    found = scenes(archive)
    for name in found:
        scene = _Scene(archive, name, pictures, limits)
        if len(boards) + len(scene.boards) > limits.boards:
            raise consistency_doubts.too_many_boards(len(boards) + len(scene.boards), limits)
        start_ms = _end_ms(boards)
        read_boards = []
        for board in scene.read(len(boards) + 1, start_ms):
            read_boards.append(board)
            on_progress(len(read_boards), len(scene.boards))
        checked = consistency_doubts.with_doubts(read_boards)
        if boards and checked:
            checked[0] = replace(checked[0], begins_scene=True)
        boards += checked
    if not boards:
        raise UnreadableStoryboard("no_boards", say("The Storyboarder project has no boards."))
    if all(board.picture is None for board in boards):
        raise UnreadableStoryboard(
            "no_pictures",
            say(
                "The Storyboarder project has come without its pictures: send its whole "
                "folder, with “images”, as a zip."
            ),
        )
    return Storyboard("storyboarder", _title(archive, found), tuple(_told_once(boards)))


def _title(archive: Archive, found: Sequence[str]) -> str:
    name = PurePosixPath(found[0]).stem if len(found) == 1 else archive.name
    return clean_texts.one_line(name, 255)


def _end_ms(boards: Sequence[Board]) -> int:
    return (boards[-1].start_ms or 0) + (boards[-1].duration_ms or 0) if boards else 0


def _told_once(boards: Sequence[Board]) -> Iterator[Board]:
    """Yield the boards, with a doubt where one is called as another before it."""
    known: set[str] = set()
    for board in boards:
        is_known = bool(board.uid) and board.uid in known
        known.add(board.uid)
        twice = (Doubt("uid_twice", {"uid": board.uid}),) if is_known else ()
        yield replace(board, doubts=(*board.doubts, *twice))


class _Scene:
    """One `.storyboarder` file with its pictures."""

    def __init__(
        self, archive: Archive, name: str, pictures: PictureFolder, limits: ReadingLimits
    ) -> None:
        content = archive.read(name, limits.document_bytes)
        document = archives.json_of(content, name)
        boards = document.get("boards") if isinstance(document, dict) else None
        if not isinstance(boards, list) or not all(isinstance(b, dict) for b in boards):
            raise UnreadableStoryboard(
                "broken",
                say("{name!r} is no Storyboarder project: it has no boards.", name=name),
                file=name,
            )
        self.boards: list[dict[str, Any]] = boards
        self._default_ms = _ms(document.get("defaultBoardTiming"), _DEFAULT_MS)
        self._frames = _Frames(archive, PurePosixPath(name).parent / "images", pictures, limits)
        self._limits = limits

    def read(self, position: int, start_ms: int) -> Iterator[Board]:
        """Yield the boards of the scene, which begins at this position and this time."""
        labels = _labels(self.boards)
        for number, (fields, label) in enumerate(zip(self.boards, labels, strict=True)):
            duration_ms = _ms(fields.get("duration"), self._default_ms)
            frame = self._frames.read(fields)
            texts = {name: _text(fields.get(name)) for name in ("dialogue", "action", "notes")}
            most = self._limits.field_characters
            cut = [name for name, text in texts.items() if len(text) > most]
            yield Board(
                position=position + number,
                page=None,
                label=label,
                uid=clean_texts.one_line(_text(fields.get("uid")), 64),
                start_ms=start_ms,
                duration_ms=duration_ms,
                dialogue=texts["dialogue"][:most],
                action=texts["action"][:most],
                notes=texts["notes"][:most],
                picture=frame.picture,
                is_blank=frame.is_blank,
                doubts=(
                    *frame.doubts,
                    *(Doubt("text_too_long", {"field": name, "most": most}) for name in cut),
                ),
            )
            start_ms += duration_ms


def _text(value: Any) -> str:
    return clean_texts.clean(value) if isinstance(value, str) else ""


def _ms(value: Any, default: int) -> int:
    """Return a time in milliseconds, written as a number or as its text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return default
    try:
        ms = float(value)
    except (ValueError, OverflowError):
        return default
    return round(ms) if 0 <= ms <= _MS_MAX else default


def _labels(boards: Sequence[dict[str, Any]]) -> list[str]:
    """Return the labels: as they are told, or else counted from where shots begin."""
    told = [fields.get("shot") for fields in boards]
    if all(isinstance(label, str) and consistency_doubts.LABEL.fullmatch(label) for label in told):
        return [str(label) for label in told]
    return list(_counted([bool(fields.get("newShot")) for fields in boards]))


def _counted(begins: Sequence[bool]) -> Iterator[str]:
    """Yield the labels of boards that begin a shot or go on with one."""
    shot, within = 0, 0
    for index, does_begin in enumerate(begins):
        if does_begin or index == 0 or not any(begins):
            shot, within = shot + 1, 0
        letter, round_number = chr(ord("A") + within % 26), within // 26
        yield f"{shot}{letter}{round_number + 1 if round_number else ''}"
        within += 1


class _Frames:
    """The pictures of one scene."""

    def __init__(
        self,
        archive: Archive,
        folder: PurePosixPath,
        pictures: PictureFolder,
        limits: ReadingLimits,
    ) -> None:
        self._archive = archive
        self._folder = folder
        self._pictures = pictures
        self._limits = limits
        self._known = set(archive.names())

    def read(self, fields: dict[str, Any]) -> _Frame:
        """Return the picture of a board; damage is a doubt, not a refusal."""
        layers = self._layers(fields)
        poster = self._poster(fields)
        is_stale = poster is not None and self._is_stale(poster, layers)
        try:
            if poster is not None and not is_stale:
                return _Frame(*self._pictures.put(self._content(poster)))
        except BadPicture as error:
            if not layers:
                return _Frame(None, False, (Doubt(error.code, error.data),))
        if not layers:
            return _Frame(None, False, (Doubt("picture_missing"),))
        doubts = (Doubt("posterframe_stale"),) if is_stale else ()
        try:
            return _Frame(*self._pictures.put_image(self._flattened(layers)), doubts)
        except BadPicture as error:
            return _Frame(None, False, (Doubt(error.code, error.data),))

    def _poster(self, fields: dict[str, Any]) -> str | None:
        """Return the file of a board's posterframe, if there is one."""
        drawing = self._file(fields.get("url"))
        stem = PurePosixPath(drawing).stem if drawing else ""
        for suffix in ("jpg", "png"):
            name = str(self._folder / f"{stem}-posterframe.{suffix}")
            if stem and name in self._known:
                return name
        return None

    def _file(self, url: Any) -> str | None:
        """Return the name of a picture of the scene; None where it names none of its folder."""
        is_plain = isinstance(url, str) and url and PurePosixPath(url).name == url
        return str(self._folder / url) if is_plain else None

    def _layers(self, fields: dict[str, Any]) -> list[_Layer]:
        """Return the layers that are there, the lowest first."""
        told = fields.get("layers")
        layers = dict(told) if isinstance(told, dict) else {}
        layers.setdefault(_DRAWING, {"url": fields.get("url")})
        found = []
        for name, opacity in _LAYERS.items():
            layer = layers.get(name)
            file = self._file(layer.get("url")) if isinstance(layer, dict) else None
            if file in self._known and isinstance(layer, dict):
                found.append(_Layer(name, str(file), _share(layer.get("opacity"), opacity)))
        return found

    def _is_stale(self, poster: str, layers: Sequence[_Layer]) -> bool:
        made = self._archive.changed(poster)
        return any(self._archive.changed(layer.file) > made + _STALE_S for layer in layers)

    def _content(self, name: str) -> bytes:
        return self._archive.read(name, self._limits.picture_bytes)

    def _flattened(self, layers: Sequence[_Layer]) -> Image.Image:
        """Return the layers over one another, on white."""
        ground: Image.Image | None = None
        for layer in layers:
            image = self._opened(layer)
            if ground is None:
                ground = Image.new("RGBA", image.size, "white")
            if image.size != ground.size:
                image = image.resize(ground.size)
            if layer.opacity < 1:
                image.putalpha(image.getchannel("A").point(lambda a, o=layer.opacity: int(a * o)))
            ground.alpha_composite(image)
        if ground is None:
            raise BadPicture("picture_missing")
        return ground.convert("RGB")

    def _opened(self, layer: _Layer) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(self._content(layer.file)), formats=("PNG", "JPEG"))
            check_size(image.size, self._limits)
            return image.convert("RGBA")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
            raise BadPicture("picture_damaged") from error


def _share(value: Any, default: float) -> float:
    """Return an opacity between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return default
    try:
        share = float(value)
    except (ValueError, OverflowError):
        return default
    return share if 0 <= share <= 1 else default
