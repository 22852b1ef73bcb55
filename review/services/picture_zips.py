"""Pictures taken away as one zip: what is in it is settled before its first byte is sent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from generation import showable_files, storage
from generation.errors import NotFound, Refusal
from generation.models import Version
from generation.services import volumes
from review.services import stored_zip
from review.services.stored_zip import ZipEntry
from wording import say

#: What lies beside the pictures: their hashes, as `sha256sum --check` reads them.
HASHES = "SHA256SUMS"
#: What is missing, and why; its name comes first in a list.
MISSING = "_MISSING.txt"
PIECE_BYTES = 256 * 2**10


@dataclass(frozen=True)
class PictureZip:
    """A zip that is ready to be sent; `missing` says in words what could not be put into it."""

    entries: Sequence[ZipEntry]
    missing: Sequence[str]

    @property
    def n_bytes(self) -> int:
        """How long it is."""
        return stored_zip.length(self.entries)

    def pieces(self) -> Iterator[bytes]:
        """Yield it, a piece at a time.

        Raises:
            NotAsPromised, StorageError: a file has gone or changed since: nothing more is sent.
        """
        return stored_zip.pieces(self.entries)


def pack(versions: Sequence[Version]) -> PictureZip:
    """Return the zip of some versions' files, as they are served, under their own names.

    A file that is not there is named in a text beside the others.

    Raises:
        Refusal: they are too many, or too large together.
        NotFound: there is none, or no file of any is there.
        Busy: what is served of one is still to be made, and too much is being decoded.
        StorageError: one cannot be read at this moment.
    """
    _refuse_too_much(versions)
    entries: list[tuple[Version, ZipEntry]] = []
    missing: list[str] = []
    for version in versions:
        try:
            entries.append((version, _entry(version)))
        except storage.FileGone as error:
            volumes.check(version.path)
            missing.append(error.detail)
    if not entries:
        raise NotFound(
            missing[0] if missing else say("There is no picture here to take away."),
            code="no_pictures",
        )
    return PictureZip([*_beside(entries, missing), *(entry for _, entry in entries)], missing)


def _refuse_too_much(versions: Sequence[Version]) -> None:
    most, most_gib = settings.MADSEA_ZIP_MAX_FILES, settings.MADSEA_ZIP_MAX_GIB
    if len(versions) > most:
        detail = say(
            "{n:,} pictures are more than one zip takes: {most:,} (MADSEA_ZIP_MAX_FILES)."
            " Choose one sequence, or a narrower filter.",
            n=len(versions),
            most=most,
        )
        raise Refusal(detail, code="too_many_pictures")
    n_bytes = sum(version.n_bytes for version in versions)
    if n_bytes > most_gib * 2**30:
        detail = say(
            "These pictures have {n:,} MiB together, and one zip takes {most:,} GiB"
            " (MADSEA_ZIP_MAX_GIB). Choose one sequence, or a narrower filter.",
            n=n_bytes // 2**20,
            most=most_gib,
        )
        raise Refusal(detail, code="too_large")


def _entry(version: Version) -> ZipEntry:
    """Return a version's file as an entry.

    Raises:
        FileGone: it is not there, or has become another file.
        StorageError, Busy: see `pack`.
    """
    at = _local(version.published_at or version.created_at)
    if not version.is_served_as_it_is:
        n_bytes = len(showable_files.content(version))
        return ZipEntry(str(version), n_bytes, at, lambda: [showable_files.content(version)])
    with storage.open_pieces(version.path) as handle:
        n_bytes = handle.seek(0, 2)
    if n_bytes != version.n_bytes:
        raise storage.FileGone(
            say("{version} is not the file that was published.", version=version)
        )
    return ZipEntry(str(version), n_bytes, at, lambda: _read(version.path))


def _read(path: str) -> Iterator[bytes]:
    with storage.open_pieces(path) as handle:
        while piece := handle.read(PIECE_BYTES):
            yield piece


def _beside(found: Iterable[tuple[Version, ZipEntry]], missing: Sequence[str]) -> list[ZipEntry]:
    sums = "".join(f"{version.shown_sha256}  {version}\n" for version, _ in found)
    texts = {HASHES: sums}
    if missing:
        words = say("These pictures could not be put into this archive:")
        texts = {MISSING: "\r\n".join([words, "", *missing, ""])} | texts
    now = _local(timezone.now())
    return [_text(name, text.encode(), now) for name, text in texts.items()]


def _text(name: str, content: bytes, at: datetime) -> ZipEntry:
    return ZipEntry(name, len(content), at, lambda: [content])


def _local(at: datetime) -> datetime:
    return timezone.localtime(at)
