"""What a page about one row shows, before it is HTML: facts, pictures, tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from wording import say

Cell = SafeString | str

NO_STATUS = SafeString("")


@dataclass(frozen=True)
class Alert:
    """What went wrong, and what to do about it."""

    title: str
    message: str
    remedy: str = ""
    code: str = ""


@dataclass(frozen=True)
class PagePicture:
    """A version to look at."""

    caption: str
    image: SafeString
    note: Cell = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells; `more` is a link to the whole list where this shows a part."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = say("Nothing yet.")
    more: Cell = ""

    @property
    def labelled(self) -> list[list[tuple[str, Cell]]]:
        """Each row's cells with their headers, which stand beside them on a phone."""
        return [list(zip(self.headers, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Form:
    """Where the fields are sent that name this id: a form of their own, apart from the buttons."""

    id: str
    url: str


@dataclass(frozen=True)
class DropPlace:
    """Where files are dropped: the address that takes them, and what is said of them."""

    url: str
    title: str
    hint: str
    is_many: bool = False


@dataclass
class Page:
    """All that is shown about one row."""

    name: str
    status: SafeString = NO_STATUS
    alert: Alert | None = None
    pictures: list[PagePicture] = field(default_factory=list)
    #: Small pictures beside one another.
    strip: SafeString = NO_STATUS
    facts: list[tuple[str, Cell]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    documents: list[tuple[str, str]] = field(default_factory=list)
    unfinished: bool = False
    #: The episode that it shows, where it shows one: it is told what changes of it.
    episode_id: int | None = None
    forms: list[Form] = field(default_factory=list)
    drops: list[DropPlace] = field(default_factory=list)
