"""The input, output and temp folders of a preview server, and how files in them are named."""

import hashlib
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KINDS = ("input", "output", "temp")
ANNOTATION = re.compile(r"(?P<name>.*) \[(?P<kind>input|output|temp)\]", re.DOTALL)


class Escape(ValueError):
    """A name leads out of the folder it was given for."""


@dataclass(frozen=True)
class SavePlace:
    """Where the next image is saved: folder, its place below the output folder, stem, counter."""

    folder: Path
    subfolder: str
    stem: str
    counter: int

    def name(self, index: int) -> str:
        """The file name of the image number `index` of a batch."""
        stem = self.stem.replace("%batch_num%", str(index))
        return f"{stem}_{self.counter + index:05}_.png"


class Folders:
    """A home with `input`, `output` and `temp`; what lies in temp is wiped at every start."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.wipe_temp()
        for kind in KINDS:
            (self.home / kind).mkdir(parents=True, exist_ok=True)

    def wipe_temp(self) -> None:
        """Empty the temp folder."""
        shutil.rmtree(self.home / "temp", ignore_errors=True)
        (self.home / "temp").mkdir(parents=True, exist_ok=True)

    def resolve(self, kind: str, *parts: str) -> Path:
        """The path below a folder. Raises KeyError for an unknown kind, Escape if it leads out."""
        if kind not in KINDS:
            raise KeyError(kind)
        root = self.home / kind
        path = root.joinpath(*parts).resolve()
        if not path.is_relative_to(root):
            raise Escape(f"{Path(*parts)} is outside the {kind} folder")
        return path

    def annotated(self, name: str) -> Path:
        """The path of an image named as LoadImage takes it: `a/b.png`, `b.png [output]`."""
        match = ANNOTATION.fullmatch(name)
        return self.resolve(match["kind"], match["name"]) if match else self.resolve("input", name)

    def content_hash(self, name: object) -> str | None:
        """The SHA-256 of an image named as LoadImage takes it; None when there is none."""
        if not isinstance(name, str):
            return None
        try:
            return hashlib.sha256(self.annotated(name).read_bytes()).hexdigest()
        except (OSError, ValueError):
            return None

    def input_images(self) -> list[str]:
        """The names of the files that lie directly in the input folder."""
        return sorted(path.name for path in (self.home / "input").iterdir() if path.is_file())

    def place(self, kind: str, prefix: str, size: tuple[int, int]) -> SavePlace:
        """Where images with this `filename_prefix` and size (px) go; makes the folder.

        The counter is the highest on disk + 1, so that deleted names come again.
        Raises Escape when the prefix leads out. Source: protocol §9.
        """
        wanted = self.resolve(kind, filled_prefix(prefix, size))
        folder, stem = wanted.parent, wanted.name
        subfolder = folder.relative_to(self.home / kind).as_posix()
        folder.mkdir(parents=True, exist_ok=True)
        return SavePlace(
            folder, "" if subfolder == "." else subfolder, stem, _counter(folder, stem)
        )

    def upload(self, kind: str, subfolder: str, name: str, content: bytes, overwrite: bool) -> str:
        """Store a file; gives the name it got: `a (1).png` when `a.png` has other content.

        Raises Escape or KeyError as resolve does. Source: protocol §12.
        """
        path = self.resolve(kind, subfolder, name)
        if not overwrite:
            path = _free_or_same(path, content)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.name


def filled_prefix(prefix: str, size: tuple[int, int]) -> str:
    """A `filename_prefix` with its placeholders filled in (local time)."""
    now = datetime.now().astimezone()
    values = {
        "width": str(size[0]),
        "height": str(size[1]),
        "year": str(now.year),
        "month": f"{now.month:02}",
        "day": f"{now.day:02}",
        "hour": f"{now.hour:02}",
        "minute": f"{now.minute:02}",
        "second": f"{now.second:02}",
    }
    return re.sub(r"%(\w+)%", lambda match: values.get(match[1], match[0]), prefix)


def _counter(folder: Path, stem: str) -> int:
    pattern = re.compile(re.escape(stem) + r"_(\d+)_?\..*", re.IGNORECASE)
    matches = (pattern.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[1]) for match in matches if match), default=0) + 1


def _free_or_same(path: Path, content: bytes) -> Path:
    candidate, number = path, 1
    while candidate.exists() and candidate.read_bytes() != content:
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    return candidate
