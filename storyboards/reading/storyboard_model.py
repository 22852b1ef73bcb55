"""What a storyboard says, whichever program wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class UnreadableStoryboard(Exception):
    """A file that cannot be read as a storyboard; `code` and `data` say why, `str()` in words."""

    def __init__(self, code: str, sentence: str, **data: Any) -> None:
        super().__init__(sentence)
        self.code = code
        self.data = data


@dataclass(frozen=True)
class Doubt:
    """Something that disagrees or is unsure, to be looked at by a person."""

    code: str  #: such as `text_cut`, `label_order`, `time_falls`, `place_disagrees`
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PictureFile:
    """A board's picture as embedded: its file is `<sha256>.<suffix>` in the folder of the read."""

    sha256: str  #: 64 lower-case hexadecimal digits, of the file's bytes
    suffix: str  #: `jpg`, `png` or `webp`
    width: int  #: pixels
    height: int  #: pixels


@dataclass(frozen=True)
class Board:
    """One board in the order of the story; a text that is not there is empty."""

    position: int  #: from 1
    page: int | None  #: from 1; None where the source has no pages
    label: str  #: `1A`, as the director says it
    uid: str  #: what Storyboarder calls the board for life
    start_ms: int | None
    duration_ms: int | None
    dialogue: str
    action: str
    notes: str
    picture: PictureFile | None
    is_blank: bool  #: nothing is drawn on it
    doubts: tuple[Doubt, ...] = ()
    sequence_id: str = ""  #: `SQ0010`, where its file's name says it
    plan: str = ""  #: `0010`, likewise
    begins_scene: bool = False  #: it is another scene's than the board before it


@dataclass(frozen=True)
class Storyboard:
    """All boards of a file, and what disagrees about the whole of it."""

    kind: str  #: `pdf`, `storyboarder`, `csv` or `images`
    title: str
    boards: tuple[Board, ...]
    doubts: tuple[Doubt, ...] = ()
