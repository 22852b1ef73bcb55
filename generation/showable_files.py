"""What is served of a file: renders as they are, of all others what a picture needs.

The cleaned copies are derived: the master on disk keeps every byte that came in.
"""

import hashlib
from pathlib import Path

from generation import home_cache, image_decoding, storage
from generation.examined_images import Examined, UnreadableImage
from generation.models import Version
from wording import say

#: Counts how copies have been made.
SERIES = 1


class NotShowable(storage.FileGone):
    """The file is no image that can be shown."""

    code = "not_showable"


def content(version: Version, marks: storage.Marks | None = None) -> bytes:
    """Return the bytes that are shown of a version, and sent to servers.

    `marks` are those that its volume must carry; None: none is looked for.

    Raises:
        NotShowable: it is no image, or another than its name says.
        FileGone: it is no longer on disk, or has become another file.
        StorageError: it cannot be read.
        Busy: it has to be cleaned, and too much is being decoded just now.
    """
    if version.is_served_as_it_is:
        return master(version, marks)
    kept = home_cache.read_kept(_place(version.sha256))
    if kept is not None:
        return kept
    whole = master(version, marks)
    clean = examine_master(version, whole).served
    keep(version.sha256, whole if clean is None else clean)
    return whole if clean is None else clean


def master(version: Version, marks: storage.Marks | None = None) -> bytes:
    """Return the file itself; what has grown since is another file, and is not read.

    Raises:
        FileGone: it is no longer on disk, or has become another file.
        StorageError: it cannot be read.
    """
    return storage.read(version.path, max_bytes=version.n_bytes, marks=marks or {})


def examine_master(version: Version, whole: bytes) -> Examined:
    """Return what a version's file is and what is served of it.

    Raises:
        NotShowable: it is no image, or another than its name says.
        FileGone: it is not the file that was published.
        Busy: too much is being decoded just now.
    """
    if hash_of(whole) != version.sha256:
        raise storage.FileGone(
            say("{version} is not the file that was published.", version=version)
        )
    try:
        examined = image_decoding.examine(whole)
    except UnreadableImage as error:
        raise NotShowable(
            say("{version} cannot be shown: {error}", version=version, error=error)
        ) from error
    if examined.decoded.format != version.extension:
        really = examined.decoded.format.upper()
        raise NotShowable(
            say(
                "{version} cannot be shown: it is a {really} image.", version=version, really=really
            )
        )
    return examined


def hash_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def keep(sha256: str, clean: bytes) -> None:
    """Keep what is served of the file with this SHA-256."""
    home_cache.keep(_place(sha256), clean)


def _place(sha256: str) -> Path:
    return home_cache.place("served", SERIES, sha256, "")
