"""A tree of files held against the naming rule: what lies where, and what is wrong with it."""

import os
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nomenclature import file_signatures, litter, paths
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName


class FindingKind(StrEnum):
    """What can be wrong with a file, or with what the database says of it."""

    ILLEGAL_NAME = "illegal name"  #: The name does not follow the rule.
    WRONG_FOLDER = "wrong folder"  #: The name is legal, and belongs elsewhere.
    NOT_A_FILE = "not a file"  #: A link, a pipe or a device, which is nobody's version.
    WRONG_CONTENT = "wrong content"  #: The file is not what its extension says.
    UNREADABLE = "unreadable"  #: The file or folder cannot be read.
    GAP = "gap"  #: A version is missing between 0001 and the last.
    USED_TWICE = "number used twice"  #: Two files have the same version.
    NO_ROW = "file without row"  #: The database does not know the file.
    NO_FILE = "row without file"  #: The database knows a file that is not there.
    CHANGED = "changed"  #: The file is not the one that was published.
    NOT_MOUNTED = "not mounted"  #: A volume does not carry the mark that the database knows.
    UNFINISHED = "unfinished"  #: A number is reserved, and its file not published yet.


@dataclass(frozen=True, order=True)
class FileFinding:
    """One thing wrong; `path` is relative to the root."""

    path: str
    kind: FindingKind
    detail: str


@dataclass(frozen=True)
class Filed:
    """A legally named file in its right place."""

    path: str
    project_id: str
    name: FileName

    @property
    def series(self) -> tuple[str, str]:
        """What all versions of the file have in common: the project and the stem of the name."""
        return self.project_id, self.name.stem


def walk(root: Path, start: Path, *, skip: Container[str]) -> Iterator[str | FileFinding]:
    """Yield every file below `start` as its path relative to `root`, sorted within a folder.

    What `skip` contains by its name is left out, a folder with all that is in it, and so is litter.
    No link is followed but a project's own folder at the root. A folder that cannot be read is a
    finding.
    """
    unreadable: list[FileFinding] = []

    def note(error: OSError) -> None:
        where = _relative(root, Path(error.filename))
        unreadable.append(FileFinding(where, FindingKind.UNREADABLE, error.strerror or str(error)))

    for folder, folders, files in os.walk(start, onerror=note, followlinks=True):
        at = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_passed_over(name, skip))
        linked = [name for name in folders if _is_stray_link(root, at / name)]
        folders[:] = [name for name in folders if name not in linked]
        kept = (name for name in files if name not in skip and not litter.is_litter(name))
        for name in sorted([*kept, *linked]):
            yield _relative(root, at / name)
    yield from unreadable


def _is_passed_over(folder: str, skip: Container[str]) -> bool:
    return folder in skip or litter.is_litter_folder(folder)


def _is_stray_link(root: Path, folder: Path) -> bool:
    is_project = folder.parent == root and not folder.name.startswith(".")
    return folder.is_symlink() and not is_project


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def read(root: Path, relative: str) -> Filed | FileFinding:
    """Return what a file is by its name and place, or what is wrong with it."""
    file = root / relative
    if file.is_symlink() or not file.is_file():
        return FileFinding(relative, FindingKind.NOT_A_FILE, "only plain files can be versions")
    try:
        FileName.parse(file.name)
    except NomenclatureError as error:
        return FileFinding(relative, FindingKind.ILLEGAL_NAME, str(error))
    try:
        project_id, name = paths.parse_path(relative)
    except NomenclatureError as error:
        return FileFinding(relative, FindingKind.WRONG_FOLDER, str(error))
    return Filed(relative, project_id, name)


def misfit(filed: Filed, head: bytes) -> FileFinding | None:
    """Return what is wrong when a file's first bytes do not fit its extension."""
    really = file_signatures.extension_of(head)
    if really == filed.name.extension:
        return None
    detail = f"it is {f'a {really}' if really else 'no image or video'}, by its first bytes"
    return FileFinding(filed.path, FindingKind.WRONG_CONTENT, detail)


def doubles(files: Iterable[Filed]) -> Iterator[FileFinding]:
    """Yield each file whose version another file has already."""
    seen: dict[tuple[tuple[str, str], int], str] = {}
    for filed in files:
        first = seen.setdefault((filed.series, filed.name.version), filed.path)
        if first != filed.path:
            yield FileFinding(filed.path, FindingKind.USED_TWICE, f"{first} is the same version")


def gaps(taken: Iterable[Filed]) -> Iterator[FileFinding]:
    """Yield each series of versions that does not run from 1 to its last without a hole."""
    numbers: dict[tuple[str, str], set[int]] = defaultdict(set)
    example: dict[tuple[str, str], Filed] = {}
    for filed in taken:
        numbers[filed.series].add(filed.name.version)
        example[filed.series] = filed
    for series, found in numbers.items():
        missing = sorted(set(range(1, max(found))) - found)
        if missing:
            where = paths.folder(series[0], example[series].name) / series[1]
            yield FileFinding(str(where), FindingKind.GAP, f"missing: {_ranges(missing)}")


def _ranges(numbers: list[int]) -> str:
    """Return `v0001, v0003 to v0005` for 1, 3, 4, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"v{run[0]:04d}" + (f" to v{run[-1]:04d}" if len(run) > 1 else "") for run in runs
    )
