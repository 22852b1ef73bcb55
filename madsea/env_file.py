"""The file `.env`, read whole or refused: what it says and nobody hears is a night's search."""

import codecs
import io
import re
from pathlib import Path

import dotenv
from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import Binding, parse_stream

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def load(file: Path) -> None:
    """Set the variables of a file that the environment does not have; no file is no error.

    Raises:
        ImproperlyConfigured: it cannot be read, is no UTF-8, or a line of it is no NAME=value.
    """
    text = _text(file)
    for binding in parse_stream(io.StringIO(text)):
        _check(file, binding)
    dotenv.load_dotenv(stream=io.StringIO(text), override=False)


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ImproperlyConfigured(f"{file} cannot be read: {error.strerror}.") from None
    if content.startswith(_WIDE) or b"\0" in content:
        raise ImproperlyConfigured(f"{file} is UTF-16, or no text: save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"{file}, line {line}, holds a character that is not UTF-8: save it as UTF-8."
        raise ImproperlyConfigured(text) from None


def _check(file: Path, binding: Binding) -> None:
    """Check that a line is a comment, blank, or NAME=value; its text may be a secret's."""
    is_blank = binding.key is None and not binding.error
    if is_blank or (_NAME.fullmatch(binding.key or "") and binding.value is not None):
        return
    written = binding.original.string
    line = binding.original.line + len(written) - len(written.lstrip("\n"))
    raise ImproperlyConfigured(
        f"{file}, line {line}, is no NAME=value: a value stands on one line, or in quotes."
    )
