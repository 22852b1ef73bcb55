"""A folder as one file: what is given as a folder is kept as a zip of it."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generation.errors import Refusal
from storyboards.services.intake import MAX_BYTES
from wording import say

_FILES_MAX = 20_000


@contextmanager
def packed(given: Path) -> Iterator[Path]:
    """Yield a file as it is, and a folder as a zip of its plain files, hidden ones left out.

    Raises:
        Refusal: the folder is too large, or holds too many files.
    """
    if not given.is_dir():
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / f"{given.name}.zip"
        _pack(given, whole)
        yield whole


def _pack(folder: Path, whole: Path) -> None:
    n_bytes = 0
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for n_files, file in enumerate(_files(folder), start=1):
            n_bytes += file.stat().st_size
            if n_bytes > MAX_BYTES or n_files > _FILES_MAX:
                detail = say(
                    "A storyboard may have {max_bytes:,} bytes in {files_max:,} files.",
                    max_bytes=MAX_BYTES,
                    files_max=_FILES_MAX,
                )
                raise Refusal(detail, code="too_large", attr="file")
            archive.write(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not file.is_symlink() and not is_hidden:
            yield file
