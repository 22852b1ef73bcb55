"""The catalogues: one for each app, beside it, and how they are written and compiled."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import django
import django_q
import unfold
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from lab.messages.sources import Message, in_python, in_template

ROOT = Path(__file__).resolve().parents[2]
FRENCH = "fr"
#: The theme has no French of its own, and the queue has not all of it.
_OTHERS = tuple(Path(each.__file__).parent for each in (unfold, django_q))
#: Of them no page of ours shows these: what a log, a terminal or an import of tables says.
_UNSEEN = {"management", "import_export", "cluster.py", "worker.py", "monitor.py", "timeout.py"}
#: Nothing in a catalogue changes with the day on which it was made.
_MADE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AppCatalogue:
    """What one catalogue is of: folders of modules and of templates, below the root."""

    home: str
    modules: tuple[str, ...]
    templates: tuple[str, ...]

    @property
    def po(self) -> Path:
        """The file that people write."""
        return ROOT / self.home / "locale" / FRENCH / "LC_MESSAGES" / "django.po"

    @property
    def mo(self) -> Path:
        """The file that Django reads."""
        return self.po.with_suffix(".mo")


APPS = tuple(name for name in ("generation", "storyboards", "review") if (ROOT / name).is_dir())
#: What belongs to no app.
SITE = AppCatalogue(
    "madsea",
    ("madsea", "nomenclature", "wording"),
    (
        "templates/madsea",
        "templates/registration",
        "templates/unfold",
        "templates/admin/index.html",
    ),
)
PARTS = (
    *(
        AppCatalogue(name, (name,), (f"templates/admin/{name}", f"templates/{name}"))
        for name in APPS
    ),
    SITE,
)


def gathered(part: AppCatalogue) -> dict[str, Message]:
    """Return what is marked in a part, by its singular; the first file that says it counts."""
    found: dict[str, Message] = {}
    for message in _messages(part):
        known = found.setdefault(message.one, message)
        if message.many and not known.many:
            found[message.one] = message
    found.pop("", None)
    return dict(sorted(found.items()))


def _messages(part: AppCatalogue) -> Iterator[Message]:
    for file in _files(part.modules, "*.py"):
        if "migrations" not in file.parts:
            yield from in_python(file, ROOT)
    for file in _files(part.templates, "*.html"):
        yield from in_template(file, ROOT)
    if part is SITE:
        yield from _of_others()


def _of_others() -> Iterator[Message]:
    """Yield what other packages' pages say, and neither they nor Django have in French."""
    known = _french_of_others()
    for package in _OTHERS:
        for file in sorted((package / "templates").rglob("*.html")):
            yield from (each for each in in_template(file, package.parent) if each.one not in known)
        for file in sorted(package.rglob("*.py")):
            if not _UNSEEN & set(file.parts):
                told = in_python(file, package.parent, is_ours=False)
                yield from (each for each in told if each.one not in known)


def _french_of_others() -> frozenset[str]:
    places = ("conf", "contrib/admin", "contrib/auth")
    folders = [Path(django.__file__).parent / place / "locale" for place in places]
    folders.append(Path(django_q.__file__).parent / "locale")
    known: set[str] = set()
    for folder in folders:
        with (folder / FRENCH / "LC_MESSAGES/django.mo").open("rb") as file:
            known |= {singular(each.id) for each in read_mo(file) if each.id}
    return frozenset(known)


def singular(key: object) -> str:
    """Return what a message is known by."""
    return str(key[0] if isinstance(key, tuple | list) else key)


def _files(places: Iterable[str], pattern: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob(pattern))


def read(part: AppCatalogue) -> Catalog:
    """Return what a part's catalogue says in French; an empty one where there is none."""
    if not part.po.exists():
        return Catalog(locale=FRENCH)
    with part.po.open("rb") as file:
        return read_po(file, locale=FRENCH)


def updated(part: AppCatalogue) -> Catalog:
    """Return the catalogue with everything that is marked now, and nothing else."""
    old, new = read(part), Catalog(locale=FRENCH, creation_date=_MADE, revision_date=_MADE)
    for message in gathered(part).values():
        known = old.get(message.one)
        key = (message.one, message.many) if message.many else message.one
        is_alike = known is not None and bool(message.many) == isinstance(known.id, tuple)
        new.add(key, known.string if known and is_alike else "", [(message.file, 0)])
    return new


def save(part: AppCatalogue, catalogue: Catalog) -> None:
    """Write a catalogue, and compile it; an empty one is none."""
    if not len(catalogue):
        return
    part.po.parent.mkdir(parents=True, exist_ok=True)
    with part.po.open("wb") as file:
        write_po(file, catalogue, width=100, sort_output=True, include_lineno=False)
    with part.mo.open("wb") as file:
        write_mo(file, catalogue)


def lacking(catalogue: Catalog) -> list[str]:
    """Return what has no French, or French that is only guessed."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and (message.fuzzy or not all(_strings(message.string)))
    ]


def _strings(string: object) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (str(string or ""),)
