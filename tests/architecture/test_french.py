"""Everything that people read is there in French, fits what it translates, and is compiled."""

import re
from gettext import GNUTranslations
from string import Formatter

import pytest
from babel.messages.catalog import Message

from lab.messages import catalogues
from lab.messages.catalogues import PARTS, ROOT, AppCatalogue

_PERCENT = re.compile(r"%(?:\((\w+)\))?[sd]")


@pytest.fixture(params=PARTS, ids=[part.home for part in PARTS])
def part(request: pytest.FixtureRequest) -> AppCatalogue:
    """One catalogue, and what it is of."""
    found: AppCatalogue = request.param
    return found


def forms(message: Message) -> list[tuple[str, str]]:
    """Each form of a message in English and in French; French may have the number in neither."""
    one_and_many = message.id if isinstance(message.id, tuple) else (message.id,)
    french = message.string if isinstance(message.string, tuple) else (message.string,)
    return list(zip(map(str, one_and_many), map(str, french), strict=True))


def messages(part: AppCatalogue) -> list[Message]:
    """What the catalogue in the repository holds."""
    return [message for message in catalogues.read(part) if message.id]


def fields(text: str) -> set[str]:
    """The names that are filled in."""
    named = {name for _, name, _, _ in Formatter().parse(text) if name} if "{" in text else set()
    return named | set(_PERCENT.findall(text))


def test_no_sentence_lacks_its_french(part: AppCatalogue) -> None:
    assert catalogues.lacking(catalogues.updated(part)) == []


def test_the_catalogue_holds_what_is_said_and_nothing_else(part: AppCatalogue) -> None:
    held = {catalogues.singular(message.id) for message in messages(part)}

    assert held == set(catalogues.gathered(part))


def test_what_is_filled_in_is_the_same_in_french(part: AppCatalogue) -> None:
    wrong = [
        (english, french)
        for message in messages(part)
        for english, french in forms(message)
        if fields(french) - {"n"} != fields(english) - {"n"}
        or fields(french) > fields(str(message.id))
    ]

    assert wrong == []


def test_french_has_its_spaces_quotes_and_apostrophes(part: AppCatalogue) -> None:
    """A space that no line breaks at stands before ; : ! ? and inside « »."""
    careless = re.compile(r" [;:!?»](?:\s|$)|« |\w'\w|[“”]")

    assert [
        french for each in messages(part) for _, french in forms(each) if careless.search(french)
    ] == []


def test_the_catalogues_are_compiled_from_what_is_written(part: AppCatalogue) -> None:
    if not part.po.exists():
        pytest.skip("nothing of it is said yet")
    with part.mo.open("rb") as file:
        compiled = GNUTranslations(file)
    written = {catalogues.singular(message.id): forms(message)[0][1] for message in messages(part)}

    assert {english: first(compiled, english) for english in written} == written


def first(compiled: GNUTranslations, english: str) -> str:
    """The French of a text as Django will find it; the singular where there are several."""
    told = compiled.gettext(english)
    return compiled.ngettext(english, english, 1) if told == english else told


def test_every_app_has_its_catalogue() -> None:
    apps = {file.parent.name for file in ROOT.glob("*/apps.py")}

    assert apps <= {part.home for part in PARTS}


def test_what_is_said_in_two_places_has_one_french() -> None:
    """Django has one table of sentences for all apps: of two translations one would be unheard."""
    found: dict[str, set[object]] = {}
    for each in PARTS:
        for message in messages(each):
            found.setdefault(catalogues.singular(message.id), set()).add(message.string)

    assert {english: french for english, french in found.items() if len(french) > 1} == {}
