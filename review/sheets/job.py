"""What a contact sheet is to show: given to the child as one line of JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: How many pictures a page may have, each with its columns and rows.
PAGES = {6: (3, 2), 20: (5, 4)}


@dataclass(frozen=True)
class Cell:
    """A picture with its words; `picture` is a path below the root, empty where there is none."""

    name: str
    version: str
    state: str
    colour: str  #: of its state, as #rrggbb
    comment: str
    picture: str


@dataclass(frozen=True)
class SheetJob:
    """A contact sheet; `page` is what stands beside a page's number, with {page} and {pages}."""

    title: str
    subtitle: str
    page: str
    no_picture: str
    root: str
    per_page: int
    cells: Sequence[Cell] = field(default_factory=list)

    @classmethod
    def of(cls, told: dict[str, Any]) -> "SheetJob":
        """Return the job that JSON tells."""
        return cls(**{**told, "cells": [Cell(**cell) for cell in told["cells"]]})
