"""Storyboards for tests: PDFs drawn as exporters draw them, and pictures for their boards."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

#: The bytes of a JPEG go into the PDF as they are.
rl_config.useA85 = 0

WIDTH, HEIGHT = 595, 842
_LEFT, _TOP, _PICTURE_WIDTH, _PICTURE_HEIGHT = 40, 100, 160, 90
_ROW = 180
PER_PAGE = 3


def jpeg(seed: int, size: tuple[int, int] = (160, 90)) -> bytes:
    """Return a picture that differs by its seed."""
    return _encoded(_drawing(seed, size), "JPEG")


def png(seed: int, size: tuple[int, int] = (160, 90)) -> bytes:
    """Return a picture without loss that differs by its seed."""
    return _encoded(_drawing(seed, size), "PNG")


def blank_jpeg(size: tuple[int, int] = (160, 90)) -> bytes:
    """Return a picture on which nothing is drawn."""
    return _encoded(Image.new("RGB", size, "white"), "JPEG")


def _drawing(seed: int, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((10 + seed % 50, 10, 60 + seed % 50, 70), fill="black")
    draw.text((2, 2), str(seed), fill="black")
    return image


def _encoded(image: Image.Image, kind: str) -> bytes:
    held = io.BytesIO()
    image.save(held, kind)
    return held.getvalue()


@dataclass(frozen=True)
class Drawn:
    """One board of a PDF; a text of several lines is drawn as such."""

    label: str = "1A"
    time: str = "0:00"
    picture: bytes = field(default_factory=lambda: jpeg(1))
    dialogue: str = ""
    action: str = ""


def pdf(
    path: Path,
    boards: list[Drawn],
    *,
    header: str = "",
    logo: bytes = b"",
    texts_first: bool = False,
    **options: Any,
) -> Path:
    """Draw a PDF in the classic layout, one column, and return its path."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), **options)
    for start in range(0, len(boards), PER_PAGE):
        here = boards[start : start + PER_PAGE]
        _text(canvas, 22, 34, "TITLE", "Helvetica-Bold", 13)
        _text(canvas, 22, 43, header, "Helvetica", 5)
        for rows in _in_order(here, texts_first=texts_first):
            for part, row, board in rows:
                part(canvas, row, board)
        if logo:
            canvas.drawImage(ImageReader(io.BytesIO(logo)), 500, 10, 80, 60)
        canvas.showPage()
    canvas.save()
    return path


def scenes(path: Path, scenes: list[tuple[str, str, list[Drawn]]]) -> Path:
    """Draw scenes (title, header, boards) one after another, each from a new page on."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT))
    for title, header, boards in scenes:
        for start in range(0, len(boards), PER_PAGE):
            _text(canvas, 22, 34, title, "Helvetica-Bold", 13)
            _text(canvas, 22, 43, header, "Helvetica", 5)
            for row, board in enumerate(boards[start : start + PER_PAGE]):
                _picture(canvas, row, board)
                _texts(canvas, row, board)
            canvas.showPage()
    canvas.save()
    return path


def _in_order(here: list[Drawn], *, texts_first: bool) -> list[list[Any]]:
    """Return what is drawn: each board's picture and texts, or all texts and then all pictures."""
    numbered = list(enumerate(here))
    if texts_first:
        return [[(part, *row) for row in numbered] for part in (_texts, _picture)]
    return [[(part, *row) for part in (_picture, _texts)] for row in numbered]


def pages(path: Path, n_pages: int, picture: bytes) -> Path:
    """Draw a PDF of so many pages with one board on each, and return its path."""
    boards = [Drawn(f"{n}A", f"{n // 60}:{n % 60:02}", picture) for n in range(1, n_pages + 1)]
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT))
    for board in boards:
        _picture(canvas, 0, board)
        _texts(canvas, 0, board)
        canvas.showPage()
    canvas.save()
    return path


def _picture(canvas: Canvas, row: int, board: Drawn) -> None:
    low = HEIGHT - _TOP - row * _ROW - _PICTURE_HEIGHT
    reader = ImageReader(io.BytesIO(board.picture))
    canvas.drawImage(reader, _LEFT, low, _PICTURE_WIDTH, _PICTURE_HEIGHT, mask="auto")


def _texts(canvas: Canvas, row: int, board: Drawn) -> None:
    top = _TOP + row * _ROW
    _text(canvas, _LEFT, top - 3, board.label, "Helvetica-Bold", 6)
    _text(canvas, _LEFT + _PICTURE_WIDTH - 12, top - 3, board.time, "Helvetica", 4)
    below = top + _PICTURE_HEIGHT + 10
    for line in board.dialogue.splitlines():
        width = canvas.stringWidth(line, "Helvetica-Bold", 7)
        middle = _LEFT + (_PICTURE_WIDTH - width) / 2
        _text(canvas, middle, below, line, "Helvetica-Bold", 7)
        below += 8.4
    below += 7
    for line in board.action.splitlines():
        _text(canvas, _LEFT, below, line, "Helvetica-Oblique", 7)
        below += 8.4


def _text(canvas: Canvas, left: float, down: float, text: str, font: str, size: float) -> None:
    if text:
        canvas.setFont(font, size)
        canvas.drawString(left, HEIGHT - down, text)


def text_only(path: Path) -> Path:
    """Draw a PDF with a text and no picture, and return its path."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT))
    _text(canvas, 40, 100, "Dear director,", "Helvetica", 12)
    canvas.showPage()
    canvas.save()
    return path


def pixels(content: bytes) -> bytes:
    """Return the pixels that a picture shows."""
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


def nested_pdf(*, levels: int, width: int) -> bytes:
    """Return a PDF whose page draws a form so many times, which draws a form so many times, …"""
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</XObject<</F 6 0 R>>/Font<</T 5 0 R>>>>>>"
    )
    drawn = b"/F Do " * width
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page,
        _stream(b"", drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources"
    objects += [
        _stream(form + b"<</XObject<</F %d 0 R>>>>" % (7 + level), drawn) for level in range(levels)
    ]
    text = b"BT /T 7 Tf 10 10 Td (x) Tj ET"
    objects.append(_stream(form + b"<</Font<</T 5 0 R>>>>", text))
    return _numbered(objects)


def _stream(fields: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (fields, len(content), content)


def _numbered(objects: list[bytes]) -> bytes:
    whole = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        whole
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(whole))
    )
