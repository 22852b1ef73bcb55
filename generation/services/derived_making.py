"""What is made of published files behind everybody's back: small pictures and measures.

The newest first; a version is `pending` until it has them. They are made by one process of
`manage.py work`, of low priority, and by no driver and no web thread: see `manage.py derive`.
"""

import logging
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import monotonic, time

from django.conf import settings

from generation import storage, thumbnails
from generation.errors import Busy
from generation.examined_images import UnreadableImage
from generation.models import Version
from generation.models.version import Derived
from generation.services import picture_measurement, volumes
from generation.storage import derived_files

logger = logging.getLogger(__name__)

#: What is made before it is written down, in one statement: the newest come soon.
MOST = 8
#: How long what cannot be made now is left alone.
DEFERRED_S = 60.0
#: A draft of somebody who was cut off.
DRAFT_S = 3600.0
SWEEP_EVERY_S = 24 * 3600.0
#: What a SHA-256 begins with: each has a folder of its own.
PREFIXES = tuple(f"{number:02x}" for number in range(256))


class Maker:
    """Makes what is pending; what cannot be made now does not keep the others from their turn."""

    def __init__(self) -> None:
        self.n_settled = 0
        self._deferred: dict[int, float] = {}

    def make_pending(self) -> int:
        """Make what is derived of the newest pending versions; return how many were tried.

        0: none is pending, or all that are were tried a moment ago.

        Raises:
            StorageError: the projects root cannot be used: nothing was tried.
        """
        marks = volumes.expected_marks()
        settled: dict[Derived, list[int]] = {Derived.MADE: [], Derived.NONE: []}
        pending = self._pending()
        for version in pending:
            result = self._make(version, marks)
            if result is None:
                self._deferred[version.pk] = monotonic()
            else:
                settled[result].append(version.pk)
        self.n_settled += sum(_write_down(ids, result) for result, ids in settled.items())
        return len(pending)

    def _pending(self) -> list[Version]:
        recent = monotonic() - DEFERRED_S
        self._deferred = {pk: at for pk, at in self._deferred.items() if at > recent}
        rows = Version.objects.derivable().order_by("-pk")
        # As long as few are deferred, they are passed over here and not in the database.
        newest = rows[: MOST + len(self._deferred)]
        return list(islice((row for row in newest if row.pk not in self._deferred), MOST))

    def _make(self, version: Version, marks: storage.Marks) -> Derived | None:
        try:
            thumbnails.make(version, marks)
            picture_measurement.take(version, marks)
        except (UnreadableImage, storage.FileGone) as error:
            if isinstance(error, storage.FolderGone):
                return None  # A share that is away comes back.
            logger.warning("%s has no small pictures: %s", version, error)
            return Derived.NONE
        except (storage.StorageError, Busy) as error:
            logger.warning("The small pictures of %s come later: %s", version, error)
            return None
        return Derived.MADE


def _write_down(ids: list[int], result: Derived) -> int:
    return Version.objects.derivable().filter(pk__in=ids).update(derived=result) if ids else 0


def try_again() -> int:
    """Have those tried once more of which nothing could be made; return how many."""
    return Version.objects.filter(derived=Derived.NONE).update(derived=Derived.PENDING)


# What is kept, held against the versions ----------------------------------------------------------


class Sweeper:
    """Goes over all that is kept, a small part at each step, once a day."""

    def __init__(self) -> None:
        self._left: list[str] = []
        self._is_due_s = 0.0

    def step(self) -> None:
        """Sweep the next part, if one is due.

        Raises:
            StorageError: the folder cannot be read or written.
        """
        if not self._left:
            if monotonic() < self._is_due_s:
                return
            clear_of_older_releases()
            self._left = list(PREFIXES)
            self._is_due_s = monotonic() + SWEEP_EVERY_S
        sweep(self._left.pop())


def sweep(prefix: str) -> tuple[int, int]:
    """Hold the thumbnails whose names begin with two letters against the versions that there are.

    Returns how many files nobody needs were removed, and how many versions are pending again as
    one of theirs is missing.

    Raises:
        StorageError: the folder cannot be read or written.
    """
    at = f"{thumbnails.FOLDER}/{prefix}"
    # The files first: those of a version that is made meanwhile are no finding.
    there = derived_files.names_in(at)
    of_prefix = Version.objects.published().filter(sha256__gte=prefix, sha256__lt=f"{prefix}g")
    rows = dict(of_prefix.filter(derived=Derived.MADE).values_list("pk", "sha256"))
    known = set(of_prefix.values_list("sha256", flat=True))
    needed = {name for sha256 in known for name in _names(sha256)}
    young = time() - DRAFT_S
    stray = [name for name, changed_s in there.items() if name not in needed and changed_s < young]
    lost = [pk for pk, sha256 in rows.items() if any(name not in there for name in _names(sha256))]
    again = Version.objects.filter(pk__in=lost, derived=Derived.MADE)
    return derived_files.forget(at, stray), again.update(derived=Derived.PENDING)


def _names(sha256: str) -> Iterator[str]:
    return (thumbnails.name(sha256, width_px) for width_px in thumbnails.WIDTHS_PX)


def clear_of_older_releases() -> int:
    """Remove what an older Madsea has made: folders of older series, and the one in this home.

    Returns how many folders there were.
    """
    older = {f"thumbnails-{series}" for series in range(thumbnails.SERIES)}
    folders = sorted(older & derived_files.names_in().keys())
    for folder in folders:
        derived_files.remove(folder)
    own = Path(settings.MADSEA_HOME) / "thumbnails"
    has_own = own.is_dir()
    shutil.rmtree(own, ignore_errors=True)
    return len(folders) + has_own
