"""What is nobody else's: files and folders that are shut to others, and secrets made once."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from madsea import environment


def keep_private(file: Path, *, make: bool = False) -> None:
    """Leave a file to its owner, and to a group that was let in on purpose; make it if asked to.

    What others may read was made under a usual umask: 0644 becomes 0600, 0664 becomes 0660, while
    0640 is somebody's will. Where the file is not ours to change, nothing is.
    """
    with contextlib.suppress(OSError):
        if make and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        _shut_out_others(file)


def keep_private_folder(folder: Path) -> None:
    """Do the same to a folder, which is made."""
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _shut_out_others(folder)


def _shut_out_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IRWXO:
        path.chmod(mode & ~(stat.S_IRWXO if mode & stat.S_IWGRP else stat.S_IRWXO | stat.S_IRWXG))


def kept_secret(name: str, file: Path) -> str:
    """Return the variable, else the secret kept in `file`, made on first use (mode 0600).

    Raises:
        ImproperlyConfigured: the file cannot be read or made, or is empty.
    """
    given = environment.text(name)
    if given:
        return given
    try:
        if not file.exists():
            _keep_secret(file)
        return _read_secret(name, file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ImproperlyConfigured(f"{name}: {file} cannot be read ({reason}).") from None


def _keep_secret(file: Path) -> None:
    """Make the secret whole before it gets its name: two processes may start at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


def _read_secret(name: str, file: Path) -> str:
    value = file.read_text(encoding="utf-8").strip()
    if not value:
        raise ImproperlyConfigured(f"{file} is empty: remove it, or set {name}.")
    return value
