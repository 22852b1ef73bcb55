"""What a page says stands in tags that the catalogues are gathered from."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

TEMPLATES = sorted(
    file for file in (ROOT / "templates").rglob("*.html") if "drf_spectacular" not in file.parts
)
TAGS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MARKED = re.compile(r"\{% blocktranslate.*?\{% endblocktranslate %\}", re.DOTALL)
UNREAD = re.compile(r"<(script|style|code)\b.*?</\1>|<[^>]*>", re.DOTALL)
#: Names, not words; and what only classes are made of.
NAMES = re.compile(r"\b(?:ComfyUI|Madsea|Esc|Ctrl|madsea-\w+|app-|model-)\b|\bapp-|\bmodel-")
WORD = re.compile(r"[A-Za-z]{3,}")


def bare(file: Path) -> list[str]:
    """The words of a template that stand in no tag."""
    text = TAGS.sub(" ", MARKED.sub(" ", file.read_text(encoding="utf-8")))
    return WORD.findall(NAMES.sub(" ", UNREAD.sub(" ", text)))


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_template_says_nothing_outside_of_its_tags(file: Path) -> None:
    assert bare(file) == []
