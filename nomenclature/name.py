"""Names of files as values: what a name says, and the text it is written as, and back.

`E202_SQ0010-0010_AI-concept_v0001.png`; a name that exists as a value is a legal name.
"""

import re
from dataclasses import dataclass
from typing import Self

from nomenclature import rules
from nomenclature.errors import NomenclatureError
from wording import say

_LIKE_A_VERSION = re.compile(r"v[0-9]*", re.IGNORECASE)


@dataclass(frozen=True)
class PlanTask:
    """One task of one plan: what all versions of a file have in common.

    Raises: NomenclatureError on the first field that is wrong.
    """

    episode: str
    sequence_id: str
    plan: str
    task: str

    def __post_init__(self) -> None:
        rules.check_episode(self.episode)
        rules.check_sequence_id(self.sequence_id)
        rules.check_plan(self.plan)
        rules.check_task(self.task)

    @property
    def season(self) -> str:
        """The season of the episode: `S02` for `E202`."""
        return rules.season_of(self.episode)

    @property
    def stem(self) -> str:
        """The name up to its version: `E202_SQ0010-0010_AI-concept`."""
        return f"{self.episode}_{self.sequence_id}-{self.plan}_{self.task}"


@dataclass(frozen=True)
class FileName(PlanTask):
    """The name of a published file: `E202_SQ0010-0010_AI-concept_v0001.png`.

    Raises: NomenclatureError on the first field that is wrong.
    """

    version: int
    extension: str

    def __post_init__(self) -> None:
        super().__post_init__()
        rules.check_version(self.version)
        rules.check_extension(self.extension, self.task)

    def __str__(self) -> str:
        return f"{self.stem}_{rules.format_version(self.version)}.{self.extension}"

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return the name that `str` writes as exactly this text.

        Raises: NomenclatureError on the first field that is wrong, or on `name` if the text
        is none.
        """
        name, extension = _split_extension(text)
        stem, version = _split_version(name)
        fields = _split_stem(stem)
        PlanTask(*fields)
        return cls(*fields, rules.parse_version(version), extension)


@dataclass(frozen=True)
class UnversionedName(PlanTask):
    """The name of a file that has no version yet: `E202_SQ0010-0010_AI-concept.png`.

    Raises: NomenclatureError on the first field that is wrong.
    """

    extension: str

    def __post_init__(self) -> None:
        super().__post_init__()
        rules.check_extension(self.extension, self.task)

    def __str__(self) -> str:
        return f"{self.stem}.{self.extension}"

    def at_version(self, version: int) -> FileName:
        """Return the name of this file as that version.

        Raises: NomenclatureError on `version`.
        """
        return FileName(
            self.episode, self.sequence_id, self.plan, self.task, version, self.extension
        )

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return the name that `str` writes as exactly this text.

        Raises: NomenclatureError on the first field that is wrong, on `version` if the text
        has one, or on `name` if the text is none.
        """
        stem, extension = _split_extension(text)
        version = _split_version(stem)[1]
        if _LIKE_A_VERSION.fullmatch(version):
            expected = say("a name without version, such as 'E202_SQ0010-0010_AI-concept.png'")
            raise NomenclatureError("version", version, expected, "unexpected_version")
        return cls(*_split_stem(stem), extension)


def with_plain_extension(text: str) -> str:
    """Return a name with its extension as Madsea writes it: `a.jpg` for `a.JPEG`."""
    name, dot, extension = text.rpartition(".")
    return f"{name}{dot}{rules.plain_extension(extension)}" if dot else text


# Names are cut loosely, each piece is then checked by its own rule: so that the error names
# the piece that is wrong. A missing piece is the empty text, which no rule accepts.


def _split_extension(text: object) -> tuple[str, str]:
    if not isinstance(text, str):
        expected = say("a string: a name such as 'E202_SQ0010-0010_AI-concept_v0001.png'")
        raise NomenclatureError("name", text, expected, "not_a_string")
    name, dot, extension = text.rpartition(".")
    return (name, extension) if dot else (text, "")


def _split_version(name: str) -> tuple[str, str]:
    pieces = name.split("_", 2)
    if len(pieces) < 3 or "_" not in pieces[2]:
        return name, ""
    stem, _, version = name.rpartition("_")
    return stem, version


def _split_stem(stem: str) -> tuple[str, str, str, str]:
    episode, _, rest = stem.partition("_")
    place, _, task = rest.partition("_")
    sequence_id, _, plan = place.partition("-")
    return episode, sequence_id, plan, task
