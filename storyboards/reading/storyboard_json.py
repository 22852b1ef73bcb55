"""A storyboard as JSON and back: how the child that reads hands over what it has read."""

from dataclasses import asdict
from typing import Any

from storyboards.reading.storyboard_model import Board, Doubt, PictureFile, Storyboard


def to_json(storyboard: Storyboard) -> dict[str, Any]:
    """Return a storyboard as what JSON can hold."""
    return asdict(storyboard)


def from_json(document: dict[str, Any]) -> Storyboard:
    """Return the storyboard that `to_json` made this of."""
    boards = tuple(_board(fields) for fields in document["boards"])
    return Storyboard(
        document["kind"], document["title"], boards, _doubts(document.get("doubts", ()))
    )


def _board(fields: dict[str, Any]) -> Board:
    picture = fields["picture"]
    return Board(
        **{
            **fields,
            "picture": None if picture is None else PictureFile(**picture),
            "doubts": _doubts(fields["doubts"]),
        }
    )


def _doubts(documents: Any) -> tuple[Doubt, ...]:
    return tuple(Doubt(**document) for document in documents)
