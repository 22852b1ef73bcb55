"""What a PDF draws, in its order: pictures and pieces of text, each with its place on its page.

PDFium keeps the order of drawing and gives embedded JPEGs byte for byte. Its coordinates begin at
the bottom of a page; here they begin at its top left. A typographic point is 1/72 inch.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from storyboards.reading import clean_texts
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import (
    BadPicture,
    PictureFolder,
    Progress,
    check_size,
    on_white,
)
from storyboards.reading.storyboard_model import PictureFile, UnreadableStoryboard
from wording import say

_SUBSET = re.compile(r"^[A-Z]{6}\+")
#: A hyphen at a line's end comes out of PDFium as one of these.
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-", "\u00ad": "-"})
_DEPTH_MAX = 8
_JPEG = b"\xff\xd8\xff"
#: The most pixels of a rendered picture, and how many times larger than the embedded one it is.
_RENDERED_PIXELS, _GROWN = 25_000_000, 2
_EDGE_PX, _OPAQUE = 2, 250


@dataclass(frozen=True)
class Box:
    """A place on a page, in points from its top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """How wide it is."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """How high it is."""
        return self.bottom - self.top

    @property
    def centre(self) -> float:
        """The middle between its left and its right."""
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Placement:
    """A picture where a page draws it; the same picture may be drawn many times."""

    order: int
    box: Box
    content: str  #: known by the SHA-256 of what the PDF holds
    picture: PictureFile | None
    is_blank: bool
    trouble: BadPicture | None  #: why there is no picture


@dataclass(frozen=True)
class TextPiece:
    """A text that is drawn in one go: one line, or a part of one."""

    order: int
    text: str
    font: str
    size: float
    left: float  #: where its first character begins
    baseline: float
    box: Box  #: of its ink


@dataclass(frozen=True)
class Page:
    """What one page draws, in its order."""

    number: int  #: from 1
    placements: tuple[Placement, ...]
    pieces: tuple[TextPiece, ...]


@dataclass(frozen=True)
class PdfContent:
    """What a PDF draws, page by page, and the title that it says it has."""

    title: str
    pages: tuple[Page, ...]


def read(
    source: Path, pictures: PictureFolder, limits: ReadingLimits, on_progress: Progress
) -> PdfContent:
    """Read a PDF and write its pictures.

    Raises:
        UnreadableStoryboard: it is encrypted, broken, or too large.
    """
    document = _opened(source)
    try:
        n_pages = len(document)
        _check_pages(n_pages, limits)
        title = clean_texts.one_line(str(document.get_metadata_value("Title")), 255)
        reader = _Reader(pictures, limits)
        pages = []
        for index in range(n_pages):
            pages.append(reader.page(document, index))
            on_progress(index + 1, n_pages)
        return PdfContent(title, tuple(pages))
    finally:
        document.close()


def _opened(source: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}:
            raise UnreadableStoryboard(
                "encrypted",
                say("The PDF is protected by a password. Save it without one, and send it again."),
            ) from error
        raise broken_pdf() from error


def broken_pdf(page: int | None = None) -> UnreadableStoryboard:
    """Return the refusal of a PDF that is damaged."""
    where = "" if page is None else say(" on page {page}", page=page)
    data = {} if page is None else {"page": page}
    sentence = say("The PDF is damaged{where}. Export it again, and send that.", where=where)
    return UnreadableStoryboard("broken", sentence, **data)


def _check_pages(n_pages: int, limits: ReadingLimits) -> None:
    if n_pages > limits.pages:
        raise UnreadableStoryboard(
            "too_many_pages",
            say(
                "The PDF has {n_pages:,} pages; at most {pages:,} are read. Send it in parts.",
                n_pages=n_pages,
                pages=limits.pages,
            ),
            pages=n_pages,
            max_pages=limits.pages,
        )
    if not n_pages:
        raise broken_pdf()


class _Reader:
    """Reads pages, and remembers the pictures that it has seen."""

    def __init__(self, pictures: PictureFolder, limits: ReadingLimits) -> None:
        self._pictures = pictures
        self._limits = limits
        self._seen: dict[str, tuple[PictureFile | None, bool, BadPicture | None]] = {}

    def page(self, document: pypdfium2.PdfDocument, index: int) -> Page:
        """Return what a page draws."""
        try:
            page = document[index]
            try:
                return self._drawn(page, index + 1)
            finally:
                page.close()
        except pypdfium2.PdfiumError as error:
            raise broken_pdf(index + 1) from error

    def _drawn(self, page: pypdfium2.PdfPage, number: int) -> Page:
        placements: list[Placement] = []
        pieces: list[TextPiece] = []
        texts = page.get_textpage()
        top = page.get_mediabox()[3]
        for order, drawn in enumerate(self._objects(page, texts, number)):
            if isinstance(drawn, pypdfium2.PdfImage):
                placements.append(self._placement(drawn, order, _box(drawn, top)))
            elif isinstance(drawn, pypdfium2.PdfTextObj):
                pieces.extend(_pieces(drawn, order, top))
        texts.close()
        return Page(number, tuple(placements), tuple(pieces))

    def _objects(
        self, page: pypdfium2.PdfPage, texts: pypdfium2.PdfTextPage, number: int
    ) -> Iterator[pypdfium2.PdfObject]:
        most = self._limits.objects_per_page
        for order, drawn in enumerate(page.get_objects(max_depth=_DEPTH_MAX, textpage=texts)):
            if order >= most:
                raise UnreadableStoryboard(
                    "too_complex",
                    say(
                        "Page {number} of the PDF is drawn of more than {most:,} pieces.",
                        number=number,
                        most=most,
                    ),
                    page=number,
                    max_pieces=most,
                )
            yield drawn

    def _placement(self, image: pypdfium2.PdfImage, order: int, box: Box) -> Placement:
        width, height = image.get_px_size()
        stored = sha256(image.get_data())
        stored.update(f" {width} {height}".encode())
        content = stored.hexdigest()
        if content not in self._seen:
            self._seen[content] = self._picture(image)
        return Placement(order, box, content, *self._seen[content])

    def _picture(
        self, image: pypdfium2.PdfImage
    ) -> tuple[PictureFile | None, bool, BadPicture | None]:
        try:
            check_size(image.get_px_size(), self._limits)
            return *self._put(image), None
        except BadPicture as error:
            return None, False, error
        except pypdfium2.PdfiumError:
            return None, False, BadPicture("picture_damaged")

    def _put(self, image: pypdfium2.PdfImage) -> tuple[PictureFile, bool]:
        if image.get_filters(skip_simple=True) == ["DCTDecode"]:
            content = bytes(image.get_data(decode_simple=True))
            if content.startswith(_JPEG):
                return self._pictures.put(content)
        return self._pictures.put_image(_shown(image))


def _shown(image: pypdfium2.PdfImage) -> Image.Image:
    """Return a picture that is no JPEG as its pixels, on white where it is transparent."""
    exact = image.get_bitmap().to_pil()
    left, low, right, high = image.get_bounds()
    width, height = right - left, high - low
    if not _is_small(width * height) or not _has_mask(image):
        return on_white(exact)
    scale = max(exact.width / width, exact.height / height)
    if not _is_small(width * height * scale**2 / _GROWN):
        return on_white(exact)
    return on_white(image.get_bitmap(render=True).to_pil()).convert("RGB")


def _is_small(n_pixels: float) -> bool:
    return 1 <= n_pixels <= _RENDERED_PIXELS


def _has_mask(image: pypdfium2.PdfImage) -> bool:
    """Tell whether a picture is transparent somewhere, apart from its soft edges."""
    shown = image.get_bitmap(render=True, scale_to_original=False).to_pil()
    if shown.mode != "RGBA" or min(shown.size) <= 2 * _EDGE_PX:
        return False
    width, height = shown.size
    inner = shown.crop((_EDGE_PX, _EDGE_PX, width - _EDGE_PX, height - _EDGE_PX))
    return int(inner.getchannel("A").getextrema()[0]) < _OPAQUE


def _box(drawn: pypdfium2.PdfObject, top: float) -> Box:
    left, low, right, high = drawn.get_bounds()
    return _placed(drawn.container, Box(left, low, right, high), top)


def _placed(container: pypdfium2.PdfObject | None, box: Box, top: float) -> Box:
    """Return a box in the page's own coordinates, counted from its top."""
    corners = [(box.left, box.top), (box.right, box.bottom)]
    while container is not None:
        matrix = container.get_matrix()
        corners = [matrix.on_point(x, y) for x, y in corners]
        container = container.container
    (x1, y1), (x2, y2) = corners
    return Box(min(x1, x2), top - max(y1, y2), max(x1, x2), top - min(y1, y2))


def _pieces(drawn: pypdfium2.PdfTextObj, order: int, top: float) -> Iterator[TextPiece]:
    """Yield a text, unless nothing of it is seen."""
    try:
        text = drawn.extract().translate(_HYPHENS).replace("\r", "").replace("\n", "")
    except pypdfium2.PdfiumError:
        return
    if not text.strip():
        return
    matrix = drawn.get_matrix()
    scale = math.hypot(matrix.c, matrix.d) or 1.0
    origin = _placed(drawn.container, Box(matrix.e, matrix.f, matrix.e, matrix.f), top)
    yield TextPiece(
        order=order,
        text=text,
        font=_SUBSET.sub("", drawn.get_font().get_base_name()),
        size=drawn.get_font_size() * scale,
        left=origin.left,
        baseline=origin.top,
        box=_box(drawn, top),
    )
