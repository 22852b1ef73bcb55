"""What a person reads of a page: its texts, and the attributes that browsers show or speak."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

#: Shown as a hint, spoken, or printed into an empty field.
_SPOKEN = ("title", "aria-label", "placeholder", "alt", "aria-description")
_UNREAD = frozenset({"script", "style", "code", "pre", "textarea", "svg", "template"})
#: What a field has held, such as a prompt.
_VALUES = ("data-held",)
_EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr", "col", "area"})


class _Reader(HTMLParser):
    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._unread: list[bool] = [False]
        self._tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        is_unread = self._unread[-1] or self._is_unread(tag, of)
        if not is_unread:
            self.texts += _spoken(tag, of)
        if tag not in _EMPTY:
            self._tags.append(tag)
            self._unread.append(is_unread)

    def _is_unread(self, tag: str, of: dict[str, str]) -> bool:
        # Icons are letters of a font, and the button of another language is in that one.
        is_icon = "material-symbols-outlined" in of.get("class", "")
        is_other = tag != "html" and of.get("lang", self._language) != self._language
        return tag in _UNREAD or is_icon or is_other or of.get("translate") == "no"

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._tags:
            return
        while self._tags:
            self._unread.pop()
            if self._tags.pop() == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._unread[-1]:
            self.texts.append(data)


def _spoken(tag: str, of: dict[str, str]) -> Iterator[str]:
    yield from (of[name] for name in _SPOKEN if name in of)
    if tag == "input" and of.get("type") in {"submit", "button", "reset"}:
        yield of.get("value", "")
    # A script's words stand in data attributes; other values there are no sentences.
    words = {name: value for name, value in of.items() if name not in _VALUES}
    yield from (value for name, value in words.items() if name.startswith("data-") and " " in value)


def of_page(html: str, language: str) -> list[str]:
    """Return the texts of a page, each once, its blanks made one."""
    reader = _Reader(language)
    reader.feed(html)
    reader.close()
    texts = (" ".join(text.split()) for text in reader.texts)
    return list(dict.fromkeys(text for text in texts if text))


#: What of an answer of the API is a sentence for people.
_SENTENCES = frozenset({"detail", "message", "remedy", "reasons", "reason", "warning", "text"})


def of_answer(document: Any) -> Iterator[str]:
    """Yield the sentences of a JSON answer."""
    for name, value in document.items() if isinstance(document, dict) else ():
        if name in _SENTENCES and isinstance(value, str):
            yield value
        elif name in _SENTENCES and isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))
        yield from of_answer(value)
    for value in document if isinstance(document, list) else ():
        yield from of_answer(value)
