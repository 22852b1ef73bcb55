"""The rule table of the nomenclature: what each field may hold, and the checks that apply it.

Strings stay strings: nothing is converted or trimmed, and digits are 0 to 9.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from nomenclature.errors import NomenclatureError
from wording import say

AI_CONCEPT = "AI-concept"
EXTRACTED_RAW = "extracted-raw"
ANIMATION = "Animation"

VERSION_MAX = 9999
PROJECT_ID_LENGTH_MAX = 64

_IMAGES = ("png", "jpg", "webp")
_VIDEOS = ("mp4", "mov")


@dataclass(frozen=True)
class Rule:
    """What a text field may hold: a pattern for the whole text, and the same in words."""

    pattern: re.Pattern[str]
    expected: str


@dataclass(frozen=True)
class Task:
    """A kind of work on a plan: its label, and the files it may be delivered as."""

    label: str
    media: Literal["image", "video"]
    extensions: tuple[str, ...]


# Seasons have one spelling each (S02, never S002), so that a season and the number that
# its episodes start with are derived from one another. Four digits bound the folder's name.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "project_id": Rule(
            re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?"),
            say(
                "1 to 64 letters (a-z, A-Z), digits, '.', '_' or '-', the first a letter "
                "or a digit, the last not a '.', such as 'madsea-2025-ep202'"
            ),
        ),
        "season": Rule(
            re.compile(r"S(?:[0-9]{2}|[1-9][0-9]{2,3})"),
            say(
                "'S' and the season's number in two digits (three or four from 100 on), "
                "such as 'S02'"
            ),
        ),
        "episode": Rule(
            re.compile(r"E(0|[1-9][0-9]{0,3})[0-9]{2}"),
            say("'E', the season's number without leading zeros and two digits, such as 'E202'"),
        ),
        "sequence_id": Rule(
            re.compile(r"SQ[0-9]{4}"), say("'SQ' and four digits, such as 'SQ0010'")
        ),
        "plan": Rule(re.compile(r"[0-9]{4}"), say("four digits, such as '0010'")),
    }
)

# A new task is one more line here. A task's name holds no '.' and no '/'.
TASKS: Mapping[str, Task] = MappingProxyType(
    {
        AI_CONCEPT: Task(say("AI concept"), "image", _IMAGES),
        EXTRACTED_RAW: Task(say("Storyboard panel"), "image", _IMAGES),
        ANIMATION: Task("Animation", "video", _VIDEOS),
    }
)

# As files are called that come from elsewhere; what Madsea publishes has the first spelling.
_OTHER_SPELLINGS = {"jpeg": "jpg"}

_VERSION = re.compile(r"v([0-9]{4})")
_VERSION_EXPECTED = say("'v' and four digits from 'v0001' to 'v9999'")

# A project is a folder, and studios share folders with Windows, where these open devices.
_WINDOWS_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?", re.IGNORECASE)


def check_project_id(value: object) -> str:
    """Return the project's identifier if it can name a folder on every system.

    That no other project has it in other capitals is for the database to say.
    Raises: NomenclatureError on `project_id`.
    """
    project_id = _check_text("project_id", value)
    if _WINDOWS_DEVICE.fullmatch(project_id):
        expected = say("a name that Windows does not reserve for a device")
        raise NomenclatureError("project_id", value, expected, "reserved_project_id")
    return project_id


def check_season(value: object) -> str:
    """Return the season (`S02`) if it is one; `S00` is one, for specials.

    Raises: NomenclatureError on `season`.
    """
    return _check_text("season", value)


def check_episode(value: object, season: object = None) -> str:
    """Return the episode (`E202`) if it is one, and one of that season.

    None as season: any season will do.
    Raises: NomenclatureError on `episode` or `season`.
    """
    episode = _check_text("episode", value)
    if season is not None and season_of(episode) != check_season(season):
        prefix = episode_prefix(season)
        expected = say(
            "an episode of {season}: '{prefix}' and two digits, such as '{prefix}01'",
            season=season,
            prefix=prefix,
        )
        raise NomenclatureError("episode", value, expected, "episode_not_in_season")
    return episode


def season_of(episode: object) -> str:
    """Return the season of an episode: `S02` for `E202`, `S10` for `E1001`, `S00` for `E001`.

    Raises: NomenclatureError on `episode`.
    """
    number = _check_text("episode", episode)[1:-2]
    return f"S{number:0>2}"


def episode_prefix(season: object) -> str:
    """Return what the episodes of a season start with: `E2` for `S02`, `E0` for `S00`.

    Raises: NomenclatureError on `season`.
    """
    return f"E{int(check_season(season)[1:])}"


def check_sequence_id(value: object) -> str:
    """Return the sequence (`SQ0010`) if it is one.

    Raises: NomenclatureError on `sequence_id`.
    """
    return _check_text("sequence_id", value)


def check_plan(value: object) -> str:
    """Return the plan (`0010`) if it is one.

    Raises: NomenclatureError on `plan`.
    """
    return _check_text("plan", value)


def check_task(value: object) -> str:
    """Return the task (`AI-concept`) if the table knows it, written exactly so.

    Raises: NomenclatureError on `task`.
    """
    expected = say("one of {listed}", listed=_listed(TASKS))
    task = _require_text("task", value, expected)
    if task not in TASKS:
        raise NomenclatureError("task", value, expected, "unknown_task")
    return task


def check_extension(value: object, task: object) -> str:
    """Return the extension (without its dot) if files of that task may have it.

    Raises: NomenclatureError on `extension` or `task`.
    """
    task = check_task(task)
    extensions = TASKS[task].extensions
    expected = say(
        "one of {listed}, in lower case, for {task}", listed=_listed(extensions), task=task
    )
    extension = _require_text("extension", value, expected)
    if extension not in extensions:
        raise NomenclatureError("extension", value, expected)
    return extension


def plain_extension(text: str) -> str:
    """Return an extension as Madsea writes it: `jpg` for `JPG`, `jpeg` and `JPEG`."""
    lower = text.lower()
    return _OTHER_SPELLINGS.get(lower, lower)


def check_version(value: object) -> int:
    """Return the version's number if it is an integer from 1 to 9999.

    Raises: NomenclatureError on `version`.
    """
    expected = say("an integer from 1 to {version_max}", version_max=VERSION_MAX)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NomenclatureError("version", value, expected, "not_an_integer")
    if not 1 <= value <= VERSION_MAX:
        raise NomenclatureError("version", value, expected)
    return value


def format_version(version: int) -> str:
    """Return the version as names have it: `v0001` for 1.

    Raises: NomenclatureError on `version`.
    """
    return f"v{check_version(version):04d}"


def parse_version(text: object) -> int:
    """Return the number of a version as names have it: 1 for `v0001`.

    Raises: NomenclatureError on `version`.
    """
    match = _VERSION.fullmatch(_require_text("version", text, _VERSION_EXPECTED))
    if match is None or match[1] == "0000":
        raise NomenclatureError("version", text, _VERSION_EXPECTED)
    return int(match[1])


def _check_text(field: str, value: object) -> str:
    rule = RULES[field]
    text = _require_text(field, value, rule.expected)
    if not rule.pattern.fullmatch(text):
        raise NomenclatureError(field, value, rule.expected)
    return text


def _require_text(field: str, value: object, expected: str) -> str:
    if not isinstance(value, str):
        raise NomenclatureError(field, value, f"a string: {expected}", "not_a_string")
    return value


def _listed(words: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
