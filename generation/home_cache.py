"""What can be made again at any time from a published file: kept under MADSEA_HOME, best effort."""

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)


def place(kind: str, series: int, sha256: str, suffix: str) -> Path:
    """Return where something of a kind is kept, made of the file with this SHA-256.

    `series` counts how things of the kind have been made: what was made otherwise is not found.
    """
    folder = Path(settings.MADSEA_HOME) / kind / f"{series}" / sha256[:2]
    return folder / f"{sha256}{suffix}"


def read_kept(file: Path) -> bytes | None:
    """Return what is kept; None: nothing that can be read."""
    with suppress(OSError):
        return file.read_bytes()
    return None


def keep(file: Path, content: bytes) -> None:
    """Keep something whole or not at all; where that fails, it is made again."""
    # Two may keep the same: each writes a file of its own, the last replaces the first.
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(draft, content)
        draft.replace(file)
    except OSError as error:
        logger.warning("%s is not kept: %s", file, error.strerror or error)
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _write_synced(file: Path, content: bytes) -> None:
    with file.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
