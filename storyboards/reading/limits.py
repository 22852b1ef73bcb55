"""What reading a storyboard may take: its file, its parts, and the time and memory of the child."""

from dataclasses import dataclass

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class ReadingLimits:
    """The most that a file may be and cost; what is more is refused with words."""

    file_bytes: int = 500 * 10**6
    pages: int = 400
    boards: int = 5_000
    objects_per_page: int = 20_000  #: drawn pieces: pictures, texts, lines
    picture_pixels: int = 100_000_000
    picture_bytes: int = 64 * _MEBIBYTE
    written_bytes: int = 2_000 * _MEBIBYTE  #: all pictures together
    field_characters: int = 20_000  #: a longer text is cut, and that is a doubt
    archive_entries: int = 20_000
    unpacked_bytes: int = 2_000 * _MEBIBYTE
    unpacking_ratio: int = 200  #: how many times larger than packed a large entry may be
    document_bytes: int = 64 * _MEBIBYTE  #: a project file or an XML, unpacked
    cpu_s: int = 240
    wall_s: float = 600.0
    memory_bytes: int = 1_500 * _MEBIBYTE  #: beside what the process itself takes
