"""System checks: what commonly goes wrong with an installation, found before it costs a night.

`manage.py check` runs all but the last, which is for production: `manage.py check --deploy` and
`manage.py work` run it as well.

====  =====================================================================
E001  the projects folder cannot be written
E002  the projects folder's file system has no hard links
E003  the workflows folder is missing
W004  a file in the workflows folder is no workflow that can be used
E005  django-q2's times could run a task twice, or never end one that hangs
E006  a pool of database connections, which forked workers cannot share
E007  SQLite on a network disk
E008  production (DEBUG off) with no ComfyUI server but the preview server
W009  a volume of the projects folder is not mounted, or is not the right one
W010  TLS is promised (MADSEA_HTTPS), and no proxy is believed that it came
E011  the database was made by an earlier Madsea, whose tables are not carried on
====  =====================================================================
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from generation import safe_open, storage
from generation.models import Project
from generation.services import servers, volumes, workflow_file_parsing, workflow_library
from generation.workflows import contract as contracts
from generation.workflows.definitions import shipped_definitions
from wording import say

TAG = "madsea"

#: The name of each app's first migration, which makes all of its tables.
FIRST = "0001_squashed"

#: File systems on which SQLite's locks or its shared memory cannot be relied on.
NETWORK_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.cephfs", "beegfs", "gpfs"}
)


def _error(number: int, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"madsea.E{number:03d}")


@register(TAG)
def projects_folder(**_asked: Any) -> list[CheckMessage]:
    """Publish a file for a moment, in the projects folder and in each project that lies there.

    What is not mounted is waited for, and told by `mounted_volumes`.
    """
    problems = (_unusable(folder) for folder in ["", *_projects()])
    return [problem for problem in problems if problem is not None]


def _projects() -> list[str]:
    try:
        codes = list(Project.objects.values_list("code", flat=True))
    except DatabaseError:
        return []  # Not migrated yet.
    return [code for code in codes if (storage.root() / code).is_dir()]


def _unusable(folder: str) -> CheckMessage | None:
    where = storage.root() / folder
    try:
        volumes.try_out(folder)
    except storage.NoHardLinks:
        hint = say("Files are published by hard links: put it on another file system.")
        return _error(2, say("{where} has no hard links.", where=where), hint)
    except (storage.WrongVolume, storage.UnknownVolume):
        return None
    except storage.StorageError as error:
        hint = say("Let Madsea's user write there, or set MADSEA_PROJECTS_ROOT.")
        text = say("{where} cannot be written: {why!p}.", where=where, why=error.detail)
        return _error(1, text, hint)
    return None


@register("storage")
def mounted_volumes(**_asked: Any) -> list[CheckMessage]:
    """Look for the marks of all volumes: the workers start without them, and wait."""
    hint = say("Mount it; if it is the right one, adopt it: manage.py adopt_storage.")
    # No error: Django refuses every command where there is one, `adopt_storage` too.
    problems = volumes.mark_troubles()
    return [checks.Warning(each, hint=hint, id="madsea.W009") for each in problems]


@register(TAG)
def workflows_folder(**_asked: Any) -> list[CheckMessage]:
    """Read every workflow as a request would."""
    folder = Path(settings.MADSEA_WORKFLOWS)
    if not folder.is_dir():
        return [
            _error(
                3, say("There is no folder {folder}.", folder=folder), say("Set MADSEA_WORKFLOWS.")
            )
        ]
    problems: list[CheckMessage] = []
    for file in workflow_library.files().values():
        said = _faults_of(file.path)
        if said:
            hint = say("What is wrong has to be mended in ComfyUI; requests for it are refused.")
            text = say("{file} cannot be used: {why}", file=file.path, why=said)
            problems.append(checks.Warning(text, hint=hint, id="madsea.W004"))
    return problems


def _faults_of(path: Path) -> str:
    """Return why a file cannot be used, as far as it can be told without the database."""
    definitions = shipped_definitions()
    try:
        content = safe_open.read_following_links(path, workflow_library.MAX_BYTES)
    except OSError as error:
        return str(error)
    reading = workflow_file_parsing.read(content, [definitions])
    if reading.graph is None:
        return str(reading.error)
    return next((fault.detail for fault in contracts.faults(reading.graph, definitions)), "")


@register(TAG)
def queue_times(**_asked: Any) -> list[CheckMessage]:
    """Hold django-q2's times against each other and against a driver's life."""
    given = settings.Q_CLUSTER
    timeout, guard = given.get("timeout") or 0, float(given.get("guard_cycle", 0.5))
    problems: list[CheckMessage] = []
    if timeout <= settings.MADSEA_DRIVER_LIFE_S:
        text = say("Q_CLUSTER's timeout is not longer than a driver lives (MADSEA_DRIVER_LIFE_S).")
        problems.append(
            _error(5, text, say("Set a timeout some minutes longer; -1 loses results."))
        )
    if given.get("retry", 60) <= timeout:
        text = say("Q_CLUSTER's retry is not longer than its timeout: a task could run twice.")
        problems.append(_error(5, text, say("Set retry to more than twice the timeout.")))
    if guard <= 0 or not (64 * guard).is_integer() or (timeout + 3) % guard:
        text = say(
            "Q_CLUSTER's guard_cycle {guard} never counts down to exactly 0: nothing that hangs"
            " would be ended.",
            guard=guard,
        )
        problems.append(_error(5, text, say("Use 0.25, 0.5 or 1.")))
    return problems


@register(TAG)
def database_settings(**_asked: Any) -> list[CheckMessage]:
    """Hold the database's settings against what workers and locks need."""
    return problems_of(settings.DATABASES["default"])


def problems_of(database: dict[str, Any]) -> list[CheckMessage]:
    """Return what forked workers or SQLite's locks would not survive of a database's settings."""
    problems: list[CheckMessage] = []
    if database.get("OPTIONS", {}).get("pool"):
        text = say("The database has a connection pool, whose sockets forked workers would share.")
        problems.append(_error(6, text, say("Take `pool` out of the database's OPTIONS.")))
    if database["ENGINE"].endswith("sqlite3"):
        kind = file_system(Path(database["NAME"]), _mounts())
        if kind in NETWORK_DISKS:
            text = say("The SQLite database lies on a network disk ({kind}).", kind=kind)
            hint = say("Put MADSEA_HOME on a local disk, or use PostgreSQL (DATABASE_URL).")
            problems.append(_error(7, text, hint))
    return problems


def _mounts() -> str:
    table = Path("/proc/mounts")
    return table.read_text(errors="surrogateescape") if table.exists() else ""


def file_system(path: Path, mounts: str) -> str:
    """Return the kind of file system that a path lies on, by a table like /proc/mounts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        folder = fields[1].replace("\\040", " ")
        if len(folder) >= len(best) and path.is_relative_to(folder):
            best, kind = folder, fields[2]
    return kind


@register(TAG, "production", deploy=True)
def real_server(**_asked: Any) -> list[CheckMessage]:
    """Refuse to take the preview server's images for production."""
    if settings.DEBUG or settings.COMFYUI_SERVERS or _is_registered():
        return []
    text = say(
        "DEBUG is off, and no ComfyUI server is registered: only the preview server would render."
    )
    return [_error(8, text, say("Set COMFYUI_SERVERS, or DEBUG=1 to try Madsea out."))]


def _is_registered() -> bool:
    try:
        return bool(servers.real_servers().exists())
    except DatabaseError:
        return False  # Not migrated yet.


@register(TAG, deploy=True)
def tls_ahead(**_asked: Any) -> list[CheckMessage]:
    """Say that nobody could sign in: Madsea itself speaks no TLS."""
    if not settings.MADSEA_HTTPS or settings.MADSEA_TRUSTED_PROXIES:
        return []
    text = say("MADSEA_HTTPS is on, and no proxy is believed that a request came by TLS.")
    hint = say("Name the proxy in MADSEA_TRUSTED_PROXIES: else forms of the admin are refused.")
    return [checks.Warning(text, hint=hint, id="madsea.W010")]


@register(Tags.database)
def carried_on(databases: Sequence[str] | None = None, **_asked: Any) -> list[CheckMessage]:
    """Refuse to migrate a database that has some of the tables of today's first migrations only."""
    recorders = [MigrationRecorder(connections[alias]) for alias in databases or ()]
    if not any(_is_earlier(recorder.applied_migrations()) for recorder in recorders):
        return []
    text = say("The database was made by an earlier Madsea.")
    hint = say(
        "Its tables are not carried on. Keep it with the Madsea that made it until its plans are"
        " done; then name a new MADSEA_HOME, or an empty database in DATABASE_URL. Published files"
        " stay, and `manage.py import_panels` and `import_concepts` take them."
    )
    return [_error(11, text, hint)]


def _is_earlier(applied: Iterable[tuple[str, str]]) -> bool:
    """Tell whether one of our apps lacks some of what its first migration replaces."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for app, name in applied:
        names[app].add(name)
    firsts = [
        migration
        for (_, name), migration in MigrationLoader(None).disk_migrations.items()
        if name == FIRST
    ]
    return any(
        names[first.app_label]
        and not names[first.app_label] >= {name for _, name in first.replaces}
        for first in firsts
    )
