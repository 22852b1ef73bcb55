"""What systems, file managers and storage leave in folders: nobody's files, whatever the case.

No name here is one that the naming rule allows, so nothing that somebody made is passed over.
"""

import re

_FILES = frozenset(
    # macOS; an icon's name ends in a carriage return.
    {".ds_store", "icon\r", ".localized", ".apdisk", ".volumeicon.icns"}
    # Windows
    | {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"}
    # KDE, Picasa, Bridge, Dropbox
    | {
        ".directory",
        ".hidden",
        "picasa.ini",
        ".picasa.ini",
        ".bridgesort",
        ".bridgelabelsandratings",
    }
    | {".dropbox", ".dropbox.attr"}
)

#: A folder of this name is nobody's with all that is in it.
_FOLDERS = frozenset(
    # macOS, and what Macs make on servers
    {".spotlight-v100", ".trashes", ".fseventsd", ".temporaryitems", ".documentrevisions-v100"}
    | {".appledouble", ".appledb", ".appledesktop", "network trash folder", "temporary items"}
    | {"__macosx", ".trash"}
    # Windows
    | {"$recycle.bin", "system volume information"}
    # Synology, QNAP, NetApp, ZFS, Btrfs, ext4, XFS
    | {"@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", ".@__thumb", "@tmp"}
    | {"@sharebin", "@sharesnap", ".streams", ".snapshot", ".snapshots", "~snapshot", ".zfs"}
    | {".recycle", "lost+found", ".ckpt"}
    # Linux desktops, Bridge, and programs that keep folders the same
    | {".thumbnails", ".xvpics", ".bridgecache", ".dropbox.cache", ".stfolder", ".stversions"}
    | {".syncthing", ".sync", ".tmp.drivedownload", ".tmp.driveupload"}
)

#: By how the name begins, or as a whole.
_PATTERNS = re.compile(
    r"\._.*"  # macOS keeps beside a file what other systems cannot hold
    r"|\.nfs[0-9a-f]{8,}"  # NFS keeps a file that was deleted while somebody had it open
    r"|\.smbdelete.*|\.fuse_hidden.*|\.cifs[0-9a-f]{4,}"
    r"|~\$.*|\.~lock\..*#"  # office programs: somebody has a document open
    r"|\.trash-[0-9]+"
    r"|\.com\.apple\..*"
    r"|\.syncthing\..*\.tmp|~syncthing~.*\.tmp"
    r"|\..*\.sw[a-p]",  # Vim
    re.DOTALL,
)


def is_litter_file(name: str) -> bool:
    """Tell whether a file of this name is nobody's."""
    lower = name.lower()
    return lower in _FILES or bool(_PATTERNS.fullmatch(lower))


def is_litter_folder(name: str) -> bool:
    """Tell whether a folder of this name, with all that is in it, is nobody's."""
    lower = name.lower()
    return lower in _FOLDERS or bool(_PATTERNS.fullmatch(lower))


def is_litter(name: str) -> bool:
    """Tell whether a file or a folder of this name is nobody's."""
    return is_litter_file(name) or is_litter_folder(name)
