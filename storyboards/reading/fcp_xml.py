"""When pictures begin and how long they last, from an XML of Final Cut Pro 7 (`xmeml`).

Storyboard Pro and Storyboarder write one beside the pictures that they export. The parser knows no
entities and follows no address: a document that declares any is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote
from xml.parsers import expat

_DEPTH_MAX = 60
_ELEMENTS_MAX = 500_000
_TEXT_MAX = 10_000
#: NTSC's rates are a thousandth slower than their names say.
_NTSC = 1000 / 1001


class BadXml(Exception):
    """A document that is no XML, or one that is not read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Element:
    """An element with what stands in it."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def child(self, *path: str) -> "Element | None":
        """Return the first element at this path below; None: there is none."""
        name, *below = path
        element = next((child for child in self.children if child.name == name), None)
        return element.child(*below) if element and below else element

    def text_of(self, *path: str) -> str:
        """Return the text of the first element at this path below, or nothing."""
        element = self.child(*path)
        return element.text.strip() if element else ""

    def every(self, name: str) -> Iterator["Element"]:
        """Yield all elements of a name below, in their order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.every(name)


@dataclass(frozen=True)
class Clip:
    """One picture on the time line; the end is exclusive."""

    file: str  #: its name without folders
    start_ms: int
    end_ms: int
    name: str = ""  #: what its program calls it


def clips(content: bytes) -> list[Clip]:
    """Return the pictures of a time line in their order.

    Raises:
        BadXml: it is no XML, or declares what is not read.
    """
    root = tree(content)
    files: dict[str, str] = {}
    found = []
    for sequence in root.every("sequence"):
        rate = _rate(sequence) or 25.0
        for clip_item in sequence.every("clipitem"):
            clip = _clip(clip_item, _rate(clip_item) or rate, files)
            if clip is not None:
                found.append(clip)
    return found


def _clip(item: Element, rate: float, files: dict[str, str]) -> Clip | None:
    name = _file_name(item, files)
    start, end = _number(item.text_of("start")), _number(item.text_of("end"))
    if not name or start is None or end is None or not 0 <= start < end:
        return None
    return Clip(name, round(start * 1000 / rate), round(end * 1000 / rate))


def file_name(address: str) -> str:
    """Return what the file at an address is called, without its folders."""
    return PurePosixPath(unquote(address).replace("\\", "/")).name


def _file_name(item: Element, files: dict[str, str]) -> str:
    """Return the name of a clip's file, which is described once and then named by its id."""
    file = item.child("file")
    if file is None:
        return item.text_of("name")
    name = file_name(file.text_of("pathurl")) or file_name(file.text_of("name"))
    known = files.setdefault(file.attributes.get("id", ""), name) if name else ""
    return name or known or files.get(file.attributes.get("id", ""), "")


def _rate(of: Element) -> float | None:
    """Return the frames of a second that an element tells."""
    frames = _number(of.text_of("rate", "timebase"))
    if not frames or not 1 <= frames <= 1000:
        return None
    return frames * _NTSC if of.text_of("rate", "ntsc").upper() == "TRUE" else frames


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def tree(content: bytes) -> Element:
    """Return what an XML holds, below an element of no name.

    Raises:
        BadXml: it is no XML, or declares what is not read.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.EntityDeclHandler = builder.entity
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        raise BadXml("xml_damaged") from error
    return builder.root


class _Builder:
    """Makes elements of what the parser tells."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._n_elements = 0

    def doctype(self, _name: str, system: str | None, public: str | None, has_own: int) -> None:
        """Take a document type's name, and nothing else of it."""
        if system or public or has_own:
            raise BadXml("xml_declares_entities")

    def entity(self, *_declared: Any) -> None:
        """Refuse what a document declares."""
        raise BadXml("xml_declares_entities")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self._n_elements += 1
        if self._n_elements > _ELEMENTS_MAX or len(self._open) > _DEPTH_MAX:
            raise BadXml("xml_too_large")
        element = Element(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        """Close it."""
        self._open.pop()

    def text(self, text: str) -> None:
        """Add text to it."""
        element = self._open[-1]
        if len(element.text) < _TEXT_MAX:
            element.text += text
