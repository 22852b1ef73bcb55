"""Drawing a contact sheet: A4 on its side, the pictures in a grid, each with its words below."""

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import reportlab
from PIL import Image
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from generation import safe_open
from review.sheets.job import PAGES, Cell, SheetJob

# Pictures stand in a PDF as the bytes that they are: writing them as letters took most of the time.
rl_config.useA85 = 0
_WIDTH, _HEIGHT = landscape(A4)
_MARGIN, _HEAD, _GAP = 24.0, 30.0, 9.0
_PLAIN, _BOLD = "Vera", "VeraBd"
_INK, _PALE = HexColor("#1b1f24"), HexColor("#6b7280")
_QUALITY = 85
#: A small picture is a few kilobytes; what is larger is none.
_PICTURE_MOST = 2**24
#: By pictures on a page: the size of the words, and how many lines a comment may have.
_WORDS = {6: (9.0, 4), 20: (6.5, 2)}


def draw(job: SheetJob) -> bytes:
    """Return the PDF."""
    _register()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(_WIDTH, _HEIGHT), pageCompression=1)
    canvas.setTitle(job.title)
    canvas.setCreator("Madsea")
    pages = _pages(job)
    for number, cells in enumerate(pages, 1):
        _head(canvas, job, number, len(pages))
        for place, cell in enumerate(cells):
            _Drawn(canvas, job, place).draw(cell)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _register() -> None:
    # The standard fonts of PDF know neither œ in every reader nor any other alphabet.
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (_PLAIN, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _pages(job: SheetJob) -> list[Sequence[Cell]]:
    starts = range(0, max(1, len(job.cells)), job.per_page)
    return [job.cells[start : start + job.per_page] for start in starts]


def _head(canvas: Any, job: SheetJob, number: int, n_pages: int) -> None:
    above = _HEIGHT - _MARGIN - 10
    canvas.setFillColor(_INK)
    canvas.setFont(_BOLD, 12)
    canvas.drawString(_MARGIN, above, job.title)
    canvas.setFillColor(_PALE)
    canvas.setFont(_PLAIN, 8)
    canvas.drawString(_MARGIN, above - 12, job.subtitle)
    told = job.page.format(page=number, pages=n_pages)
    canvas.drawRightString(_WIDTH - _MARGIN, above, told)


class _Drawn:
    """One cell of a page, drawn from above."""

    def __init__(self, canvas: Any, job: SheetJob, place: int) -> None:
        n_columns, n_rows = PAGES[job.per_page]
        self._canvas, self._job = canvas, job
        self._width = (_WIDTH - 2 * _MARGIN - (n_columns - 1) * _GAP) / n_columns
        self._height = (_HEIGHT - 2 * _MARGIN - _HEAD - (n_rows - 1) * _GAP) / n_rows
        row, column = divmod(place, n_columns)
        self._left = _MARGIN + column * (self._width + _GAP)
        self._top = _HEIGHT - _MARGIN - _HEAD - row * (self._height + _GAP)
        self._size, self._n_lines = _WORDS[job.per_page]

    def draw(self, cell: Cell) -> None:
        line = self._size * 1.25
        words = line * (1 + self._n_lines) + 4
        self._picture(cell, self._height - words)
        base = self._top - (self._height - words) - self._size - 2
        self._names(cell, base)
        self._comment(cell, base - line, line)

    def _picture(self, cell: Cell, height: float) -> None:
        picture = _jpeg(self._job.root, cell.picture)
        self._canvas.setStrokeColor(HexColor(cell.colour))
        self._canvas.setLineWidth(1.5)
        if picture is None:
            self._nothing(height)
            return
        wide, high = picture.getSize()
        factor = min(self._width / wide, height / high)
        wide, high = wide * factor, high * factor
        # Its words stand right below it.
        place = (self._left + (self._width - wide) / 2, self._top - height)
        self._canvas.drawImage(picture, *place, wide, high)
        self._canvas.rect(*place, wide, high)

    def _nothing(self, height: float) -> None:
        self._canvas.setFillColor(HexColor("#f1f2f4"))
        self._canvas.rect(self._left, self._top - height, self._width, height, fill=1)
        self._canvas.setFillColor(_PALE)
        self._canvas.setFont(_PLAIN, self._size)
        middle = self._left + self._width / 2
        self._canvas.drawCentredString(middle, self._top - height / 2, self._job.no_picture)

    def _names(self, cell: Cell, base: float) -> None:
        canvas = self._canvas
        canvas.setFont(_BOLD, self._size)
        canvas.setFillColor(HexColor(cell.colour))
        canvas.drawRightString(self._left + self._width, base, cell.state)
        room = self._width - canvas.stringWidth(cell.state, _BOLD, self._size) - 4
        version = f"  {cell.version}" if cell.version else ""
        named = f"{cell.name}{version}"
        canvas.setFillColor(_INK)
        canvas.drawString(self._left, base, self._cut(named, _BOLD, room))

    def _comment(self, cell: Cell, base: float, line: float) -> None:
        self._canvas.setFont(_PLAIN, self._size)
        self._canvas.setFillColor(_PALE)
        text = " ".join(cell.comment.split())
        lines = simpleSplit(text, _PLAIN, self._size, self._width)
        if len(lines) > self._n_lines:
            rest = " ".join(lines[self._n_lines - 1 :])
            lines = [*lines[: self._n_lines - 1], rest]
        for n, each in enumerate(lines):
            self._canvas.drawString(self._left, base - n * line, self._cut(each, _PLAIN))

    def _cut(self, text: str, font: str, room: float | None = None) -> str:
        """Return as much of a text as there is room for."""
        wide = self._width if room is None else room
        if self._canvas.stringWidth(text, font, self._size) <= wide:
            return text
        while text and self._canvas.stringWidth(f"{text}…", font, self._size) > wide:
            text = text[:-1]
        return f"{text}…"


class _Jpeg(ImageReader):  # type: ignore[misc]
    """A JPEG, put into a PDF as it is and known there by its bytes: nobody decodes it again."""

    _dataA = None  # noqa: N815

    def getRGBData(self) -> bytes:  # noqa: N802
        """Return what tells it from other pictures, of which each is written once."""
        content: bytes = self.fp.getvalue()
        return content


def _jpeg(root: str, path: str) -> _Jpeg | None:
    """Return a small picture as a PDF holds it; None where it is not there."""
    if not path:
        return None
    with suppress(OSError, ValueError), safe_open.open_file(Path(root), path) as handle:
        packed = io.BytesIO()
        with Image.open(io.BytesIO(handle.read(_PICTURE_MOST))) as picture:
            picture.convert("RGB").save(packed, "JPEG", quality=_QUALITY)
        packed.seek(0)
        return _Jpeg(packed)
    return None
