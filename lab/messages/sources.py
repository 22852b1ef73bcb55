"""Where words stand that people read: literals in Python, marked texts in templates."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

#: How many of the first arguments are templates, of what marks them.
MARKS = {
    "say": 1,
    "to_say": 1,
    "say_n": 2,
    "_": 1,
    "gettext_lazy": 1,
    "ngettext_lazy": 2,
}
#: Where the tables of the story have theirs, by position or name.
TABLES: dict[str, tuple[int | str, ...]] = {"Event": (2, "without"), "FailureClass": (1, 4)}
_IN_TEMPLATES = re.compile(r"\b(?:n?gettext|_)\(")


@dataclass(frozen=True)
class Message:
    """A text to be told in other languages: its singular, its plural if it has one, its file."""

    one: str
    many: str
    file: str


class UnreadableError(Exception):
    """Something is marked that no catalogue can hold: only literals are gathered."""


def in_python(file: Path, root: Path, *, is_ours: bool = True) -> Iterator[Message]:
    """Yield what a module marks, and the docstrings of errors, which are their default messages.

    Of other packages' modules: only what they mark, as far as it can be read.

    Raises:
        UnreadableError: what is marked is no literal.
    """
    name = str(file.relative_to(root))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        n = MARKS.get(_called(node), 0) if isinstance(node, ast.Call) else 0
        if isinstance(node, ast.Call) and n and (is_ours or _holds_literals(node, n)):
            yield _message(node, n, name)
        if not is_ours:
            continue
        if isinstance(node, ast.Call) and _called(node) in TABLES:
            yield from (Message(text, "", name) for text in _in_table(node))
        if isinstance(node, ast.ClassDef) and _speaks(node):
            yield Message((ast.get_docstring(node) or "").partition("\n")[0], "", name)


def in_template(file: Path, root: Path) -> Iterator[Message]:
    """Yield what a template marks."""
    marked = templatize(file.read_text(encoding="utf-8"), origin=str(file))
    for place in _IN_TEMPLATES.finditer(marked):
        words = [ast.literal_eval(arg) for arg in _call_at(marked, place.start()).args[:2]]
        many = words[1] if place[0].startswith("n") else ""
        yield Message(words[0], many, str(file.relative_to(root)))


def _call_at(text: str, start: int) -> ast.Call:
    """Return the call that begins at a place of what Django makes of a template."""
    end = start
    while True:
        end = text.index(")", end) + 1
        try:
            call = ast.parse(text[start:end], mode="eval").body
        except SyntaxError:
            continue
        if isinstance(call, ast.Call):
            return call


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _message(call: ast.Call, n: int, name: str) -> Message:
    words = [arg.value for arg in call.args[:n] if isinstance(arg, ast.Constant)]
    if len(words) != n or not all(isinstance(word, str) for word in words):
        raise UnreadableError(f"{name}:{call.lineno}: {_called(call)} takes literals alone.")
    return Message(str(words[0]), str(words[1]) if n > 1 else "", name)


def _holds_literals(call: ast.Call, n: int) -> bool:
    return len(call.args) >= n and all(isinstance(arg, ast.Constant) for arg in call.args[:n])


def _in_table(call: ast.Call) -> Iterator[str]:
    named: dict[int | str, ast.expr] = {each.arg: each.value for each in call.keywords if each.arg}
    given = named | dict(enumerate(call.args))
    for place in TABLES[_called(call)]:
        value = given.get(place)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _speaks(node: ast.ClassDef) -> bool:
    """Tell whether a class is an error that is told to people: it has a `code` of its own."""
    own = (each for each in node.body if isinstance(each, ast.Assign))
    texts = (each for each in own if isinstance(each.value, ast.Constant))
    targets = (target for each in texts for target in each.targets)
    return any(isinstance(each, ast.Name) and each.id in _CODES for each in targets)


_CODES = ("code", "default_code")
