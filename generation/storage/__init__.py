"""Result files: the only package that writes below the projects root.

A file is staged (written, synced, hashed) in a hidden folder of the volume where it is published,
and later linked to its final name without replacing anything there. The root and each volume below
it carry a mark: what lies where the mark is missing is not ours, and nothing is written there.
"""

from generation.storage import derived_files
from generation.storage.app_folders import names_in, put, remove_tree
from generation.storage.errors import (
    FileGone,
    FolderGone,
    NameTaken,
    NoHardLinks,
    StagedFileGone,
    StorageError,
    UnknownVolume,
    WrongVolume,
)
from generation.storage.files import (
    Content,
    StagedFile,
    absolute,
    discard,
    is_there,
    link,
    open_pieces,
    probe,
    read,
    read_in_pieces,
    stage,
    try_to_read,
)
from generation.storage.staging_cleanup import clear, left_over
from generation.storage.volume_marks import (
    APP_FOLDERS,
    DERIVED,
    MARK,
    NO_TARGET,
    OWN,
    STAGING,
    Marks,
    Target,
    is_empty,
    make_mark,
    make_root,
    read_mark,
    root,
    survey,
)

__all__ = [
    "APP_FOLDERS",
    "DERIVED",
    "MARK",
    "NO_TARGET",
    "OWN",
    "STAGING",
    "Content",
    "FileGone",
    "FolderGone",
    "Marks",
    "NameTaken",
    "NoHardLinks",
    "StagedFile",
    "StagedFileGone",
    "StorageError",
    "Target",
    "UnknownVolume",
    "WrongVolume",
    "absolute",
    "clear",
    "derived_files",
    "discard",
    "is_empty",
    "is_there",
    "left_over",
    "link",
    "make_mark",
    "make_root",
    "names_in",
    "open_pieces",
    "probe",
    "put",
    "read",
    "read_in_pieces",
    "read_mark",
    "remove_tree",
    "root",
    "stage",
    "survey",
    "try_to_read",
]
