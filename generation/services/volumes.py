"""Volumes: which ones are ours, how one is adopted, and what is wrong with them just now.

The projects root and each disk below it carry a mark that the database knows. Where it is missing
everything waits. A volume that the database does not know yet is adopted without a word where it is
evidently the right one; else by `manage.py adopt_storage`.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from generation import storage
from generation.errors import Conflict
from generation.models import StorageTrouble, Version, Volume
from generation.selectors.prepared_queries import PreparedTuples
from generation.services import acts
from generation.services.parallel_calls import Asking
from wording import say

logger = logging.getLogger(__name__)

Done = TypeVar("Done")

#: So many of the newest and of the oldest files are looked for on a volume that is new.
LOOKED_FOR = 100
#: How long the tick waits for the disks.
PROBE_S = 5.0
SILENT = say("The disk does not answer in time.")
#: The most that is written to see whether there is room again.
PROBE_BYTES = 2**26


def _marks() -> QuerySet[Volume, tuple[str, str]]:
    return Volume.objects.order_by("pk").values_list("path", "mark")


#: Asked for every file.
_MARKS = PreparedTuples(_marks)
_ADOPT = say("If it is the right one, adopt it: manage.py adopt_storage")


def expected_marks() -> storage.Marks:
    """Return the marks that the database knows; the root is adopted at its first use.

    Raises:
        StorageError: the root is not adopted, and not evidently the right one.
    """
    marks: dict[str, str] = dict(_MARKS.rows())
    return marks if "" in marks else marks | {"": adopt_if_evident("")}


def run_in_folder(folder: str, act: Callable[[storage.Target], Done]) -> Done:
    """Do something in a folder; what is wrong there is noted, and what it lies on adopted.

    Raises:
        StorageError: what went wrong.
    """
    try:
        return _adopting(lambda: act(storage.Target(folder, expected_marks())))
    except storage.StorageError as error:
        note(error, folder)
        raise


def adopt_or_note(problem: storage.StorageError, path: str, **how: Any) -> bool:
    """See to what a thread met at a path, which has no database; tell whether to do it again.

    A volume that is evidently ours is adopted; other trouble is noted (`how`: see `note`).
    """
    problem = _unless_adopted(problem) or problem
    if isinstance(problem, storage.UnknownVolume):
        return True
    note(problem, path, **how)
    return False


def _unless_adopted(problem: storage.StorageError) -> storage.StorageError | None:
    """Adopt an unknown volume if it is evidently ours; return why it is not."""
    if not isinstance(problem, storage.UnknownVolume):
        return None
    try:
        adopt_if_evident(problem.path)
    except storage.StorageError as error:
        return error
    return None


def _adopting(act: Callable[[], Done]) -> Done:
    while True:
        try:
            return act()
        except storage.UnknownVolume as error:
            adopt_if_evident(error.path)


# Adopting -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FoundVolume:
    """What is known of a volume: its mark, the database's, and how many files were looked for."""

    path: str
    mark: str
    known_mark: str
    n_looked_for: int
    n_there: int

    @property
    def is_evident(self) -> bool:
        """Whether it holds what the database says is there."""
        return self.n_there > 0 or not self.n_looked_for


def adopt_if_evident(path: str) -> str:
    """Adopt a volume that is evidently the right one; return its mark.

    That is one with some published file of the database, or, where nothing is published there yet,
    one that no other Madsea has marked.

    Raises:
        StorageError: it is not, or it cannot be written.
    """
    found = _looked_at(path)
    is_others = bool(found.mark) and not found.n_there and not storage.is_empty(path)
    if found.is_evident and not is_others:
        return _adopt(path)
    known = Volume.objects.filter(path=path).values_list("mark", flat=True).first()
    if known is not None:
        return known
    where = storage.absolute(path)
    if is_others and not found.n_looked_for:
        words = say("{where} carries the mark of another Madsea.", where=where)
    else:
        words = say(
            "{where} holds none of the files that were published there: is it mounted?", where=where
        )
    raise storage.WrongVolume(path, f"{words} {_ADOPT}.")


def look_at(path: str) -> FoundVolume:
    """Return what is known of a volume, for whoever is to adopt it.

    Raises:
        Conflict: there is no such folder.
        StorageError: it cannot be read.
    """
    if path and not storage.absolute(path).is_dir():
        raise Conflict(
            say("There is no folder {absolute}.", absolute=storage.absolute(path)),
            code="unknown_folder",
        )
    return _looked_at(path)


def _looked_at(path: str) -> FoundVolume:
    files = _published(path)
    newest = files.order_by("-pk").values_list("path", flat=True)[:LOOKED_FOR]
    oldest = files.order_by("pk").values_list("path", flat=True)[:LOOKED_FOR]
    names = list(dict.fromkeys(chain(newest, oldest)))
    known = Volume.objects.filter(path=path).values_list("mark", flat=True).first()
    mark = storage.read_mark(path) if storage.absolute(path).is_dir() else ""
    return FoundVolume(path, mark, known or "", len(names), sum(map(storage.is_there, names)))


def _published(path: str) -> QuerySet[Version]:
    files = Version.objects.published()
    return files.filter(path__startswith=f"{path}/") if path else files


def adopt(path: str, *, even_if_empty: bool = False, actor: User | None = None) -> FoundVolume:
    """Make a volume ours, whatever mark it had; return what was known of it.

    A mark that it carries is kept. Plans that waited go on.

    Raises:
        Conflict: none of the files that were published there is there, and `even_if_empty` is off.
        StorageError: it cannot be written.
    """
    found = look_at(path)
    if not found.is_evident and not even_if_empty:
        raise Conflict(
            say(
                "{absolute} holds none of {n_looked_for} files that were published there. "
                "Mount the right volume; or, if they are lost, adopt this one with "
                "--without-files.",
                absolute=storage.absolute(path),
                n_looked_for=found.n_looked_for,
            ),
            code="not_the_volume",
        )
    mark = storage.make_mark(path)
    with transaction.atomic():
        volume = _known_by(path, mark)
        before = {"mark": found.known_mark}
        acts.record("adopt", volume, by=actor, before=before, after={"mark": mark})
    watch()
    return found


def _adopt(path: str) -> str:
    mark = storage.make_mark(path)
    _known_by(path, mark)
    return mark


def _known_by(path: str, mark: str) -> Volume:
    volume, _ = Volume.objects.update_or_create(path=path, defaults={"mark": mark})
    logger.info("%s is adopted, with the mark %s", storage.absolute(path), mark)
    return volume


def try_out(folder: str) -> None:
    """Try whether files can be published in a folder, as at the start.

    Raises:
        StorageError: they cannot.
    """
    _adopting(lambda: storage.probe(storage.Target(folder, _known())))


def mark_troubles() -> list[str]:
    """Return what is wrong with the marks of the volumes, a sentence each."""
    try:
        return [why for _, why in wrong_volumes()] if _known() else []
    except storage.StorageError as error:
        return [error.detail]


def check(path: str) -> None:
    """Make sure of the volumes on the way to a file that was not found.

    Raises:
        StorageError: one of them is not there, so nothing can be said of the file.
    """
    marks: dict[str, str] = dict(_MARKS.rows())
    with suppress(storage.UnknownVolume):
        storage.survey(path.rpartition("/")[0], marks)


def wrong_volumes() -> list[tuple[str, str]]:
    """Return the volumes that do not carry the mark which the database knows, and why."""
    known = dict(Volume.objects.values_list("path", "mark"))
    found = ((path, _problem(partial(storage.survey, path, known))) for path in sorted(known))
    return [
        (path or ".", each.detail)
        for path, each in found
        if isinstance(each, storage.WrongVolume) and each.path == path
    ]


def _known() -> storage.Marks:
    """Return the marks; a database that is not migrated yet knows none, and the root is made."""
    try:
        return expected_marks()
    except DatabaseError:
        storage.make_root()
        return {}


# What is wrong ------------------------------------------------------------------------------------


def note(
    error: storage.StorageError, path: str, *, n_bytes: int = 0, is_reading: bool = False
) -> None:
    """Record trouble that passes: no plan that it concerns is begun until the tick finds it over.

    It concerns the project of `path`, or all projects if the root is wrong. Trouble of one plan
    alone, or trouble that does not pass, is not recorded.
    """
    if error.is_permanent or isinstance(error, storage.StagedFileGone):
        return
    is_of_all = isinstance(error, storage.WrongVolume) and not error.path
    scope = "" if is_of_all else path.partition("/")[0]
    n_bytes = min(n_bytes or error.n_bytes, PROBE_BYTES)
    fields = {"path": path, "n_bytes": n_bytes, "is_reading": is_reading}
    fields["detail"] = error.detail
    _, is_new = StorageTrouble.objects.update_or_create(scope=scope, defaults=fields)
    if is_new:
        logger.warning("storage: %s", error.detail)


def watch() -> None:
    """Try again whatever could not be used, and the root; what works again is no trouble any more.

    In threads, as a disk can hang like a server.
    """
    try:
        marks = expected_marks()
    except storage.StorageError as error:
        note(error if isinstance(error, storage.WrongVolume) else _of_root(error), "")
        return
    troubles = {each.scope: each for each in StorageTrouble.objects.all()}
    questions = {"": partial(_problem, partial(storage.survey, "", marks))}
    for scope, each in troubles.items():
        if scope:
            questions[scope] = partial(_problem, _probe(each, marks))
    for scope, problem in _probes.ask(questions, PROBE_S):
        _judge(scope, troubles.get(scope), problem)


def _probe(trouble: StorageTrouble, marks: storage.Marks) -> Callable[[], None]:
    if trouble.is_reading:
        return partial(storage.try_to_read, trouble.path, marks)
    return partial(storage.probe, storage.Target(trouble.path, marks), trouble.n_bytes)


_probes: Asking[storage.StorageError | str] = Asking()


def _problem(probe: Callable[[], None]) -> storage.StorageError | str:
    try:
        probe()
    except storage.StorageError as error:
        return error
    return ""


def _judge(
    scope: str, known: StorageTrouble | None, problem: storage.StorageError | str | None
) -> None:
    if problem is None:
        problem = storage.StorageError(SILENT)
    if isinstance(problem, storage.StorageError):
        problem = _unless_adopted(problem) or problem
    if isinstance(problem, str | storage.UnknownVolume) or problem.is_permanent:
        # What does not pass is told to each plan that meets it.
        StorageTrouble.objects.filter(scope=scope).delete()
        return
    error = problem if scope or isinstance(problem, storage.WrongVolume) else _of_root(problem)
    if known is None or known.detail != error.detail:
        how: dict[str, Any] = {}
        if known is not None:
            how = {"n_bytes": known.n_bytes, "is_reading": known.is_reading}
        note(error, known.path if known else "", **how)


def _of_root(error: storage.StorageError) -> storage.WrongVolume:
    return storage.WrongVolume("", error.detail)


def end_trouble(folder: str) -> None:
    """Forget the trouble with a folder's project: something was stored there just now."""
    StorageTrouble.objects.filter(scope=folder.partition("/")[0]).delete()
