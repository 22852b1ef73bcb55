"""Workflows by their names: in the database, which all machines share, and in the folder.

A file of the folder is read into the database when it has changed. Until that is done, whoever
asks for its name gets what the file says, and nothing is written for the asking.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from generation import safe_open
from generation.comfyui.untrusted_json import storable
from generation.models import NamedWorkflow
from generation.services import node_definitions, workflow_file_parsing
from generation.services.workflow_file_parsing import ReadFile
from generation.workflows import names
from generation.workflows.remarks import Remark
from wording import cleaned, words_of

#: A larger file is read no further: what is wrong with it is told all the same.
MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class File:
    """A file of the workflows folder under the name that its workflow has."""

    name: str
    path: Path


def available() -> list[str]:
    """Return the names that a request may use, sorted."""
    rows = dict(NamedWorkflow.objects.values_list("folded", "name"))
    in_folder = {folded: file.name for folded, file in files().items()}
    return sorted((in_folder | rows).values())


def current(name: str) -> NamedWorkflow | None:
    """Return what a name stands for now, by the database or by a file that has changed since.

    None where there is no such workflow. Writes nothing: it is no row yet, or not as in its row,
    until the folder is read.
    """
    if names.problem(name):
        return None
    folded = names.folded(name)
    row = NamedWorkflow.objects.filter(folded=folded).first()
    latest = _updated(row, files().get(folded))
    return latest if latest is not None and latest.name == names.composed(name) else None


def spelling(name: str) -> str | None:
    """Return how the workflow of a name is spelled, whatever its case; None where there is none."""
    folded = names.folded(name)
    row = NamedWorkflow.objects.filter(folded=folded).first()
    file = files().get(folded)
    return row.name if row else file.name if file else None


def all_current() -> list[NamedWorkflow]:
    """Return what each name stands for now, by name; writes nothing."""
    return sorted(_latest(), key=lambda row: row.name)


def read_folder() -> int:
    """Read the files that have changed into the database; return how many rows were written."""
    return sum(keep(row) for row in _latest() if not row.is_stored)


def _latest() -> list[NamedWorkflow]:
    """Return every workflow as it is now, by the database and by the files that have changed."""
    rows = {row.folded: row for row in NamedWorkflow.objects.all()}
    in_folder = files()
    latest = (_updated(rows.get(key), in_folder.get(key)) for key in {**in_folder, **rows})
    return [row for row in latest if row is not None]


def stored_row(name: str) -> NamedWorkflow | None:
    """Return the row of a name, with what the folder says of it; None where there is none."""
    row = current(name)
    if row is not None and not row.is_stored:
        keep(row)
    return NamedWorkflow.objects.filter(folded=names.folded(name)).first() if row else None


def files() -> dict[str, File]:
    """Return the files of the folder by their folded names; of two alike the first."""
    folder = Path(settings.MADSEA_WORKFLOWS)
    by_name: dict[str, File] = {}
    for path in sorted(folder.glob("*")):
        name = names.composed(path.name)
        if names.is_file_of_workflow(name) and path.is_file():
            by_name.setdefault(names.folded(name), File(name, path))
    return by_name


def _updated(row: NamedWorkflow | None, file: File | None) -> NamedWorkflow | None:
    """Return the row, or a changed copy that is not stored yet: its file has changed, or is read
    now that more is known of servers."""
    if file is not None:
        changed = _of_file(row, file)
        if changed is not None:
            return changed
    if row is None or row.graph is not None or not row.document:
        return row
    reading = workflow_file_parsing.read(row.document.encode(), node_definitions.known())
    return row if reading.graph is None else filled_row(row, reading)


def _of_file(row: NamedWorkflow | None, file: File) -> NamedWorkflow | None:
    """Return what a file says, if it has been read by nobody yet; else None.

    Files of several machines may differ: the one that was changed last counts.
    """
    try:
        changed_at = datetime.fromtimestamp(file.path.stat().st_ctime, UTC)
        if row and row.file_changed_at and changed_at < row.file_changed_at:
            return None
        content = safe_open.read_following_links(file.path, MAX_BYTES)
    except OSError as error:
        return None if row else _unreadable(file, error)
    file_sha256 = hashlib.sha256(content).hexdigest()
    if row and row.file_sha256 == file_sha256:
        return None
    changed = filled_row(
        row or unsaved_workflow(file.name),
        workflow_file_parsing.read(content, node_definitions.known()),
    )
    changed.file_sha256, changed.file_changed_at = file_sha256, changed_at
    return changed


def _unreadable(file: File, error: OSError) -> NamedWorkflow:
    row = unsaved_workflow(file.name)
    row.error = {"code": "unreadable", "detail": str(error.strerror or error), "node": None}
    return row


def unsaved_workflow(name: str) -> NamedWorkflow:
    """Return a workflow of this name that holds nothing yet, and is not stored."""
    return NamedWorkflow(name=name, folded=names.folded(name))


def filled_row(row: NamedWorkflow, reading: ReadFile) -> NamedWorkflow:
    """Return a copy of a row that holds what was read."""
    filled_in = row.unstored_copy()
    filled_in.document, filled_in.graph = reading.document, reading.graph
    filled_in.remarks = [_told(remark) for remark in reading.remarks]
    filled_in.sha256, error = reading.sha256, reading.error
    filled_in.error = None
    if error is not None:
        detail = cleaned(words_of(error), storable)
        filled_in.error = {"code": error.code, "detail": detail, "node": error.node_id}
    return filled_in


def _told(remark: Remark) -> dict[str, str]:
    return {
        "code": remark.code,
        "detail": cleaned(remark.detail, storable),
        "node": storable(remark.node),
    }


#: What a file says; what was chosen for its workflow stays.
_OF_FILE = ("document", "graph", "remarks", "sha256", "error", "file_sha256", "file_changed_at")


def keep(row: NamedWorkflow, by: User | None = None) -> bool:
    """Write what a file says; False where another process has written meanwhile."""
    fields = {name: getattr(row, name) for name in _OF_FILE} | {"changed_by": by}
    if row.pk is None:
        defaults = {"name": row.name, **fields}
        return NamedWorkflow.objects.get_or_create(folded=row.folded, defaults=defaults)[1]
    unchanged = NamedWorkflow.objects.filter(pk=row.pk, changed_at=row.changed_at)
    return bool(unchanged.update(**fields, changed_at=timezone.now()))
