"""A table of boards as CSV beside their pictures: a row for each board, in the order of the story.

As spreadsheets write it: commas, semicolons or tabs; UTF-8, UTF-16, or the code page of Windows;
columns in any order, by their English or French names. A picture is named by its file.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from nomenclature import rules
from nomenclature.errors import NomenclatureError
from storyboards.reading import clean_texts, consistency_doubts, natural_order
from storyboards.reading.archives import Archive
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import BadPicture, PictureFolder, Progress
from storyboards.reading.storyboard_model import Board, Doubt, PictureFile, Storyboard

SUFFIX = ".csv"
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_DELIMITERS = ";,\t"
#: What a column may be called, without accents and in small letters.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "picture": ("picture", "image", "file", "filename", "file name", "fichier", "nom du fichier"),
    "label": ("label", "etiquette", "board", "panneau", "shot", "numero", "no", "n°"),
    "uid": ("uid",),
    "dialogue": ("dialogue", "dialogues", "dialog", "voix", "voix off"),
    "action": ("action", "actions", "action notes", "description"),
    "notes": ("notes", "note", "remarques", "commentaire", "commentaires", "comments"),
    "duration": ("duration", "duree", "duration s", "duree s", "duration ms", "duree ms"),
    "sequence": ("sequence", "sequence id"),
    "plan": ("plan",),
}
_COLUMNS = {name: column for column, names in _NAMES.items() for name in names}
_TEXTS = ("dialogue", "action", "notes")
_SECONDS = re.compile(r"(\d{1,6})(?:[.,](\d{1,3}))?\s*s?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?")
#: What keeps a spreadsheet from taking a text for a formula.
_GUARDED = re.compile(r"^'(?=[=+\-@])")
_NAMED_FILES_MAX = 20


@dataclass(frozen=True)
class Table:
    """The rows of a CSV; each has its columns' texts."""

    file: str
    rows: Sequence[Mapping[str, str]]
    is_in_ms: bool  #: its durations are milliseconds


def find(archive: Archive, limits: ReadingLimits) -> Table | None:
    """Return the first table that names pictures; None where there is none.

    Raises:
        UnreadableStoryboard: a table is too large.
    """
    for name in sorted(archive.names(), key=natural_order.key):
        if name.casefold().endswith(SUFFIX):
            table = _table(name, archive.read(name, limits.document_bytes))
            if table is not None:
                return table
    return None


def read(
    table: Table,
    archive: Archive,
    pictures: PictureFolder,
    limits: ReadingLimits,
    on_progress: Progress,
) -> Storyboard:
    """Return the storyboard of a table.

    Raises:
        UnreadableStoryboard: it has too many boards.
    """
    if len(table.rows) > limits.boards:
        raise consistency_doubts.too_many_boards(len(table.rows), limits)
    files = _Files(archive, table.file)
    boards = []
    for position, row in enumerate(table.rows, start=1):
        file = files.of(row["picture"])
        picture = _picture(file, row["picture"], archive, pictures, limits)
        boards.append(_board(position, row, picture, table, limits))
        on_progress(position, len(table.rows))
    labelled = sum(bool(consistency_doubts.LABEL.fullmatch(each.label)) for each in boards)
    checked = consistency_doubts.with_doubts(_timed(boards), has_labels=2 * labelled > len(boards))
    title = clean_texts.one_line(archive.name, 255)
    return Storyboard("csv", title, tuple(checked), tuple(files.doubts()))


# The table ----------------------------------------------------------------------------------------


def _table(file: str, content: bytes) -> Table | None:
    """Return the rows of a CSV, read by the delimiter that tells most; None: it names no pictures.

    What `csv` stumbles over is no table.
    """
    text, delimiters = _without_separator(_decoded(content))
    headers = {each: _header(text, each) for each in delimiters}
    delimiter = max(headers, key=lambda each: len(headers[each]))
    columns = headers[delimiter]
    if "picture" not in columns.values():
        return None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    except csv.Error:
        return None
    rows = [row for line in lines if any((row := _row(line, columns)).values())]
    is_in_ms = bool(re.search(r"\bms\b", _plain(text.partition("\n")[0])))
    return Table(file, rows, is_in_ms) if rows else None


def _without_separator(text: str) -> tuple[str, str]:
    """Return a CSV, and by what its cells may be told apart: some say so in a line of their own."""
    first, _, rest = text.partition("\n")
    said = re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE)
    return (rest, said[1]) if said else (text, _DELIMITERS)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _header(text: str, delimiter: str) -> dict[int, str]:
    """Return which column each place of a row is, as far as its name is known."""
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return {}
    found: dict[int, str] = {}
    for at, name in enumerate(names):
        column = _COLUMNS.get(_plain(name))
        if column and column not in found.values():
            found[at] = column
    return found


def _plain(name: str) -> str:
    """Return a column's name without accents, brackets and capital letters."""
    letters = unicodedata.normalize("NFD", name.casefold())
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(re.sub(r"[_()\[\]./-]", " ", bare).split())


def _row(cells: Sequence[str], columns: Mapping[int, str]) -> dict[str, str]:
    row = dict.fromkeys(_NAMES, "")
    for at, column in columns.items():
        if at < len(cells):
            row[column] = clean_texts.clean(_GUARDED.sub("", cells[at])).strip()
    return row


# Its pictures -------------------------------------------------------------------------------------


class _Files:
    """The pictures of an archive, by what a table may call them."""

    def __init__(self, archive: Archive, table: str) -> None:
        self._table = table
        self._names = sorted(
            (name for name in archive.names() if name.casefold().endswith(_PICTURES)),
            key=natural_order.key,
        )
        self._by_key: dict[str, str] = {}
        self._used: set[str] = set()
        beside = PurePosixPath(table).parent
        for name in self._names:
            path = PurePosixPath(name)
            within = path.relative_to(beside) if path.is_relative_to(beside) else path
            for key in (str(within), name, path.name, path.stem):
                self._by_key.setdefault(_key(key), name)

    def of(self, said: str) -> str:
        """Return the file that a row names; empty where there is none."""
        key = _key(said.replace("\\", "/").removeprefix("./"))
        found = self._by_key.get(key) or self._by_key.get(_key(PurePosixPath(key).name), "")
        if key and found:
            self._used.add(found)
        return found if key else ""

    def doubts(self) -> Iterator[Doubt]:
        """Yield what is to be said of the pictures that no row names."""
        left = [name for name in self._names if name not in self._used]
        if left:
            data = {"n": len(left), "file": self._table, "files": left[:_NAMED_FILES_MAX]}
            yield Doubt("pictures_unnamed", data)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _picture(
    file: str, said: str, archive: Archive, pictures: PictureFolder, limits: ReadingLimits
) -> tuple[PictureFile | None, bool, tuple[Doubt, ...]]:
    """Return a row's picture, whether nothing is drawn on it, and what is wrong with it."""
    if not file:
        doubts = (Doubt("picture_file_missing", {"file": said[:255]}),) if said else ()
        return None, False, doubts
    try:
        return *pictures.put(archive.read(file, limits.picture_bytes)), ()
    except BadPicture as error:
        return None, False, (Doubt(error.code, {**error.data, "file": file}),)


# Its boards ---------------------------------------------------------------------------------------


def _board(
    position: int,
    row: Mapping[str, str],
    picture: tuple[PictureFile | None, bool, tuple[Doubt, ...]],
    table: Table,
    limits: ReadingLimits,
) -> Board:
    most = limits.field_characters
    file, is_blank, doubts = picture
    cut = [name for name in _TEXTS if len(row[name]) > most]
    duration_ms = _ms(row["duration"], is_in_ms=table.is_in_ms)
    sequence_id, plan = _place(row)
    if duration_ms is None and row["duration"]:
        doubts = (*doubts, Doubt("duration_unclear", {"text": row["duration"][:64]}))
    return Board(
        position=position,
        page=None,
        label=clean_texts.one_line(row["label"], 64),
        uid=clean_texts.one_line(row["uid"], 64),
        start_ms=None,
        duration_ms=duration_ms,
        dialogue=row["dialogue"][:most],
        action=row["action"][:most],
        notes=row["notes"][:most],
        picture=file,
        is_blank=is_blank,
        doubts=(
            *doubts,
            *(Doubt("text_too_long", {"field": name, "most": most}) for name in cut),
        ),
        sequence_id=sequence_id,
        plan=plan,
    )


def _place(row: Mapping[str, str]) -> tuple[str, str]:
    """Return the sequence and the plan that a row names, where both are names of ours."""
    try:
        rules.check_sequence_id(row["sequence"])
        rules.check_plan(row["plan"])
    except NomenclatureError:
        return "", ""
    return row["sequence"], row["plan"]


def _ms(text: str, *, is_in_ms: bool) -> int | None:
    """Return a duration: `2`, `2,5`, `0:02`, `0:00:02.5`; None where it is none of these."""
    if is_in_ms and re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return int(text)
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds, part = clock.groups()
        whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
        return whole * 1000 + _thousandths(part)
    if seconds := _SECONDS.fullmatch(text):
        return int(seconds[1]) * 1000 + _thousandths(seconds[2])
    return None


def _thousandths(digits: str | None) -> int:
    return int((digits or "").ljust(3, "0"))


def _timed(boards: Sequence[Board]) -> list[Board]:
    """Return boards with when they begin, as far as all before them tell how long they last."""
    starts: list[int | None] = [0]
    for board in boards:
        above, lasts = starts[-1], board.duration_ms
        starts.append(None if above is None or lasts is None else above + lasts)
    return [replace(board, start_ms=at) for board, at in zip(boards, starts, strict=False)]
