"""What a file really is, read from its first bytes: the extension that its name must have."""

HEAD_BYTES = 16

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
)
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def extension_of(head: bytes) -> str | None:
    """Return the extension of a file that starts with these bytes (16 are enough).

    None: it is of no kind that a task is delivered as.
    """
    for start, extension in _STARTS:
        if head.startswith(start):
            return extension
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return _video_extension(head)


def _video_extension(head: bytes) -> str | None:
    # ISO base media: a box is its length (4 bytes), its type (4), and for `ftyp` its brand (4).
    if head[4:8] == b"ftyp":
        return "mov" if head[8:12] == b"qt  " else "mp4"
    return "mov" if head[4:8] in _OLD_QUICKTIME else None
