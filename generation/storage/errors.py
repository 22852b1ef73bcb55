"""What can be wrong with the projects folder, judged by whether it passes.

A full or read-only disk, a share that is away, a folder that may not be written: whoever waits gets
over it, or an administrator mends it for all plans at once. A name that is too long, a file where a
folder should be, a file system without hard links: waiting changes nothing.
"""

import errno

from generation.errors import MadseaError
from wording import say

#: What nobody gets over by waiting.
PERMANENT = frozenset(
    {
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ELOOP,
        errno.EEXIST,
        errno.EINVAL,
        errno.EILSEQ,
        errno.EFBIG,
        errno.EMLINK,
        errno.EXDEV,
    }
)
#: What a file system without hard links answers when it is asked for one.
WITHOUT_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_WORDS = {
    errno.ENOSPC: say("the disk is full"),
    errno.EDQUOT: say("the disk quota is used up"),
    errno.EROFS: say("the disk is read only"),
    errno.EACCES: say("Madsea's user may not do this there"),
    errno.EPERM: say("Madsea's user may not do this there"),
    errno.EIO: say("the disk does not work (input/output error)"),
    errno.ESTALE: say("the share was taken away (stale handle)"),
    errno.ENAMETOOLONG: say("the name is too long for its file system"),
    errno.EEXIST: say("something that is no plain file lies there"),
    errno.ENOTDIR: say("a file lies where a folder should be"),
    errno.EXDEV: say("the file cannot be linked there from any folder"),
}


class StorageError(MadseaError):
    """The projects folder cannot be used."""

    code = "storage"
    is_permanent = False
    #: How much was to be written.
    n_bytes = 1


class WrongVolume(StorageError):
    """A volume does not carry the mark that the database knows."""

    code = "wrong_volume"

    def __init__(self, path: str, detail: str) -> None:
        self.path = path
        super().__init__(detail)


class UnknownVolume(StorageError):
    """A volume of its own that the database does not know; `path` "" is the root itself."""

    code = "unknown_volume"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            say("{path} is a volume that is not adopted.", path=path or "The projects folder")
        )


class NoHardLinks(StorageError):
    """The file system has no hard links, by which files are published."""

    code = "no_hard_links"
    is_permanent = True


class StagedFileGone(StorageError):
    """The staged file is not there any more: somebody has removed it."""

    code = "staged_file_gone"


class FileGone(StorageError):
    """The file is not there any more: somebody has removed it, or put something else there."""

    code = "file_gone"
    is_permanent = True


class FolderGone(FileGone):
    """The whole folder of a file is not there: it may come back, as a share does."""

    code = "folder_gone"
    is_permanent = False


class NameTaken(MadseaError):
    """Another file lies under the name."""

    code = "name_taken"


def storage_error(error: OSError, what: str) -> StorageError:
    """Return the storage's error for one of the system's, about `what`."""
    words = _WORDS.get(error.errno or 0) or error.strerror or str(error)
    found = StorageError(f"{what}: {words}")
    found.is_permanent = error.errno in PERMANENT
    return found


def no_hard_links(what: str) -> NoHardLinks:
    """Return the error of a file system that has none."""
    return NoHardLinks(
        say("{what}: its file system has no hard links, by which files are published.", what=what)
    )
