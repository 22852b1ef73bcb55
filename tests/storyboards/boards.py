"""Storyboards for tests: boards as they were read, with their pictures where a read leaves them."""

import hashlib
from collections.abc import Sequence
from typing import Any

from generation import storage
from storyboards.models import StoryboardImport
from storyboards.reading.storyboard_model import Board, Doubt, PictureFile, Storyboard
from storyboards.services import intake, reading_queue, transitions
from tests import factories

PLACE = {"project_id": "madsea-2025-ep202", "season": "S02", "episode": "E202"}
LABO = "LABO MODERNE\nPL\nElle montre la courbe."
STREET = "EXT. RUE - NUIT\nGP travelling\nIl court vers la porte."


def picture(color: str) -> bytes:
    """Return a picture of one colour, which tells it from others."""
    return factories.jpeg(color=color)


def colour(number: int) -> str:
    """Return a colour of its own for a number."""
    return f"#{number * 37 % 256:02x}{number * 91 % 256:02x}{number:02x}"


def board(position: int, **told: Any) -> dict[str, Any]:
    """Return what a board says; `drawing` is which picture it has, None for none."""
    return {
        "position": position,
        "label": f"{position}A",
        "action": STREET,
        "dialogue": f"Réplique {position}, « dite » par la voix.",
        "drawing": position,
    } | told


def read(boards: Sequence[dict[str, Any]], *, name: str = "E202.pdf") -> StoryboardImport:
    """Return a draft of these boards, as if they had been read of a file."""
    content = repr(boards).encode()
    made = intake.take([content], filename=name, actor=None, is_read_here=True, **PLACE)
    claimed = transitions.claim_next()
    assert claimed == made
    read_boards = tuple(_read(claimed, told) for told in boards)
    reading_queue.keep(claimed, Storyboard("pdf", "E202", read_boards))
    return StoryboardImport.objects.get(pk=made.pk)


def _read(of: StoryboardImport, told: dict[str, Any]) -> Board:
    told = {"page": 1, "uid": "", "start_ms": None, "duration_ms": 2000, "notes": ""} | told
    drawing = told.pop("drawing")
    doubts = tuple(Doubt(code) for code in told.pop("doubts", ()))
    kept = None if drawing is None else _picture(of, picture(colour(drawing)))
    blank = told.pop("is_blank", False)
    return Board(**told, picture=kept, is_blank=blank, doubts=doubts)


def _picture(of: StoryboardImport, content: bytes) -> PictureFile:
    sha256 = hashlib.sha256(content).hexdigest()
    file = storage.absolute(reading_queue.picture_file(of, f"{sha256}.jpg"))
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return PictureFile(sha256, "jpg", 64, 36)
