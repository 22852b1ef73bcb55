"""The audit: every file below the projects root and every row of the database, held together."""

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from generation import safe_open, storage
from generation.errors import NotFound
from generation.models import Version
from generation.services import volumes
from generation.states import VersionState
from nomenclature import audit, file_signatures, paths, rules
from nomenclature.audit import Filed, FileFinding, FindingKind
from nomenclature.errors import NomenclatureError
from wording import say

#: Wraps what takes long, for a progress bar.
Watch = Callable[[Sequence[str]], Iterable[str]]

CSV_HEADER = (
    "project",
    "season",
    "episode",
    "sequence",
    "plan",
    "task",
    "version",
    "path",
    "sha256",
    "bytes",
    "date",
)
#: What is said of a version that is not published.
UNFINISHED = {
    VersionState.RESERVED: "the number is reserved, the file not published",
    VersionState.OPEN: "the number's image was lost: the plan's next one takes it",
}


@dataclass(frozen=True)
class VersionRow:
    """What the database says of a version; `published_at` None: it is not published (yet)."""

    path: str
    sha256: str
    published_at: datetime | None


@dataclass(frozen=True)
class LoggedFile:
    """A legal file as the log of all files has it; its date is its publication's, else its own."""

    filed: Filed
    sha256: str
    n_bytes: int
    date: datetime


@dataclass
class Report:
    """What an audit found: everything wrong, and every legal file."""

    findings: list[FileFinding] = field(default_factory=list)
    files: list[LoggedFile] = field(default_factory=list)


def audit_tree(root: Path, *, watch: Watch = iter) -> Report:
    """Hold the files below `root` against the naming rule and against the database.

    `root` is the projects root, a folder in it, or a copy of it elsewhere.

    Raises:
        NotFound: there is no such folder.
    """
    start = root.resolve()
    if not start.is_dir():
        raise NotFound(say("There is no folder {start}.", start=start), code="unknown_folder")
    base = storage.root() if start.is_relative_to(storage.root()) else start
    report = Report()
    if base == storage.root():
        report.findings += [
            FileFinding(path, FindingKind.NOT_MOUNTED, why) for path, why in volumes.wrong_volumes()
        ]
    walked = list(audit.walk(base, start, skip=storage.OWN))
    report.findings += [
        walked_file for walked_file in walked if isinstance(walked_file, FileFinding)
    ]
    # After the walk: a file is on disk only once its row is there, so none is missed.
    rows = {row.path: row for row in _rows(start.relative_to(base).as_posix())}
    for relative in watch([walked_file for walked_file in walked if isinstance(walked_file, str)]):
        _examine(report, base, relative, rows)
    report.findings += _of_rows(base, rows, report)
    report.findings += _of_numbers(rows, report)
    report.findings.sort()
    return report


def _rows(prefix: str) -> Iterator[VersionRow]:
    versions = Version.objects.order_by("path")
    if prefix != ".":
        versions = versions.filter(path__startswith=f"{prefix}/")
    fields = versions.values_list("path", "sha256", "published_at")
    for path, sha256, published_at in fields.iterator(chunk_size=5000):
        yield VersionRow(path, sha256, published_at)


def _examine(report: Report, base: Path, relative: str, rows: dict[str, VersionRow]) -> None:
    filed = audit.read(base, relative)
    if isinstance(filed, FileFinding):
        report.findings.append(filed)
        return
    try:
        logged, head = _logged(base, filed, rows.get(relative))
    except OSError as error:
        problem = FileFinding(relative, FindingKind.UNREADABLE, error.strerror or str(error))
        report.findings.append(problem)
        return
    report.files.append(logged)
    report.findings += filter(None, [audit.misfit(filed, head), _unlike(logged, rows)])


def _logged(base: Path, filed: Filed, row: VersionRow | None) -> tuple[LoggedFile, bytes]:
    with safe_open.open_file(base, filed.path) as handle:
        head = handle.read(file_signatures.HEAD_BYTES)
        handle.seek(0)
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        status = os.fstat(handle.fileno())
    date = (row and row.published_at) or datetime.fromtimestamp(status.st_mtime, UTC)
    return LoggedFile(filed, sha256, status.st_size, date), head


def _unlike(logged: LoggedFile, rows: dict[str, VersionRow]) -> FileFinding | None:
    row = rows.get(logged.filed.path)
    if row is None:
        return FileFinding(logged.filed.path, FindingKind.NO_ROW, "the database does not know it")
    if row.sha256 == logged.sha256:
        return None
    detail = f"SHA-256 is {logged.sha256}, was {row.sha256}"
    return FileFinding(logged.filed.path, FindingKind.CHANGED, detail)


def _of_rows(base: Path, rows: dict[str, VersionRow], report: Report) -> Iterator[FileFinding]:
    on_disk = {logged.filed.path for logged in report.files}
    unpublished = Version.objects.unpublished()
    unfinished = dict(unpublished.values_list("path", "state"))
    for path, row in rows.items():
        if path in unfinished:
            yield FileFinding(
                path, FindingKind.UNFINISHED, UNFINISHED[VersionState(unfinished[path])]
            )
        # A file may have been published since the walk.
        elif row.published_at and path not in on_disk and not os.path.lexists(base / path):
            yield FileFinding(path, FindingKind.NO_FILE, f"SHA-256 was {row.sha256}")


def _of_numbers(rows: dict[str, VersionRow], report: Report) -> Iterator[FileFinding]:
    on_disk = [logged.filed for logged in report.files]
    yield from audit.doubles(on_disk)
    yield from audit.gaps([*on_disk, *_named(rows)])


def _named(rows: Iterable[str]) -> Iterator[Filed]:
    for path in rows:
        try:
            yield Filed(path, *paths.parse_path(path))
        except NomenclatureError:
            continue  # A path that the rule no longer allows: its file is found illegal.


def as_csv(files: Iterable[LoggedFile]) -> str:
    """Return the log of all files as CSV, one line per file, sorted by path; dates in UTC."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_HEADER)
    writer.writerows(_line(each) for each in sorted(files, key=lambda each: each.filed.path))
    return text.getvalue()


def _line(logged: LoggedFile) -> tuple[str | int, ...]:
    name = logged.filed.name
    return (
        logged.filed.project_id,
        name.season,
        name.episode,
        name.sequence_id,
        name.plan,
        name.task,
        rules.format_version(name.version),
        logged.filed.path,
        logged.sha256,
        logged.n_bytes,
        logged.date.astimezone(UTC).isoformat(timespec="seconds"),
    )
