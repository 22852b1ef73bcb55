"""What lies in a folder of images that come in: which file is of which plan, and which is refused.

Nothing is written, and no file opened: names and places alone are read here.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generation.errors import InvalidRequest, NotFound, Problem
from nomenclature import foreign_names, litter, rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, PlanTask, UnversionedName, with_plain_extension
from wording import say, words_of

#: Plans are numbered in tens, so that one can be put between two.
STEP = 10
FILES_MAX = 9999 // STEP

_SEQUENCE = re.compile(r"SQ[0-9]{4}", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """A file, and the task of the plan that it is an image of; version 0: its name has none.

    `place` is its path below the folder, by which it is told.
    """

    file: Path
    name: PlanTask
    version: int = 0
    place: str = ""


@dataclass
class Incoming:
    """A folder as it was understood: what is taken, refused (and why), passed over."""

    items: list[Item] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    n_passed_over: int = 0


def images_by_name(
    folder: Path, task: str, *, episode: str | None = None, versioned: bool = False
) -> Incoming:
    """Return the images of a folder, and of the folders in it, that follow the nomenclature.

    `versioned`: a name may have a version, and of several of a plan the last is taken. None as
    episode: any.

    Raises:
        InvalidRequest: the episode is none.
        NotFound: there is no such folder.
    """
    if episode is not None:
        check_names(episode=episode)
    incoming = Incoming()
    items: list[Item] = []
    for place in _places(folder, incoming):
        try:
            item = _item(folder, place, task, versioned)
        except NomenclatureError as error:
            incoming.refused.append(Problem(place, error.code, words_of(error)))
            continue
        stranger = _stranger(item, task, episode)
        items += [] if stranger else [item]
        incoming.refused += [stranger] if stranger else []
    _take_latest(items, incoming)
    return incoming


def images_in_order(folder: Path, task: str, *, episode: str, sequence_id: str) -> Incoming:
    """Return the images of a folder, in the order of their names, as plans 0010, 0020, ….

    Numbers in names count as numbers: `panel 2` comes before `panel 10`.

    Raises:
        InvalidRequest: one file is refused, so that the numbers of all others would be in doubt;
            or there are more than 999.
        NotFound: there is no such folder.
    """
    check_names(episode=episode, sequence_id=sequence_id)
    incoming = Incoming()
    places = sorted(_places(folder, incoming), key=_natural)
    reasons = ((place, _not_to_be_numbered(place, task)) for place in places)
    refuse(incoming.refused + [Problem(place, *reason) for place, reason in reasons if reason])
    if len(places) > FILES_MAX:
        detail = say(
            "{n} files: a sequence has room for {most} plans in steps of {step}.",
            n=len(places),
            most=FILES_MAX,
            step=STEP,
        )
        raise InvalidRequest([Problem("folder", "too_many_files", detail)])
    for number, place in enumerate(places, start=1):
        plan = PlanTask(episode, sequence_id, f"{STEP * number:04d}", task)
        incoming.items.append(Item(folder / place, plan, place=place))
    return incoming


def check_names(**given: str) -> None:
    """Check names of the nomenclature that come from a command line.

    Raises:
        InvalidRequest: with each that is none.
    """
    checks: dict[str, Callable[[object], str]] = {
        "project_id": rules.check_project_id,
        "episode": rules.check_episode,
        "sequence_id": rules.check_sequence_id,
    }
    problems: list[Problem] = []
    for name, value in given.items():
        try:
            checks[name](value)
        except NomenclatureError as error:
            problems.append(Problem(name, error.code, words_of(error)))
    refuse(problems)


def refuse(problems: list[Problem]) -> None:
    """Refuse all if there is a problem.

    Raises:
        InvalidRequest: there is one.
    """
    if problems:
        raise InvalidRequest(problems)


# Files ---------------------------------------------------------------------------------------


def _places(folder: Path, found: Incoming) -> Iterator[str]:
    """Yield the path below the folder of each file that may be somebody's, sorted.

    Hidden files and litter are counted; links to folders and what cannot be read are refused.
    """
    if not folder.is_dir():
        raise NotFound(say("There is no folder {folder}.", folder=folder), code="unknown_folder")

    def note(error: OSError) -> None:
        where = os.path.relpath(error.filename, folder)
        found.refused.append(
            Problem(where, "unreadable", say("It cannot be read: {reason}.", reason=error.strerror))
        )

    for at, folders, files in os.walk(folder, onerror=note):
        below = Path(at).relative_to(folder)
        kept = sorted(name for name in folders if not _is_passed_over(name))
        links = [name for name in kept if (Path(at) / name).is_symlink()]
        found.refused += [
            Problem(
                str(below / name), "linked_folder", say("It is a link to a folder: not followed.")
            )
            for name in links
        ]
        folders[:] = [name for name in kept if name not in links]
        visible = sorted(name for name in files if not _is_passed_over(name))
        found.n_passed_over += len(files) - len(visible)
        yield from (str(below / name) for name in visible)


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or litter.is_litter(name)


def _natural(place: str) -> list[tuple[int, str]]:
    pieces = re.split(r"([0-9]+)", place.lower())
    return [(int(piece), "") if index % 2 else (-1, piece) for index, piece in enumerate(pieces)]


# Names ---------------------------------------------------------------------------------------


def _item(folder: Path, place: str, task: str, versioned: bool) -> Item:
    path = Path(place)
    item = Item(folder / place, *_read_name(path, task, versioned), place=place)
    _check_folders(item, path)
    return item


def plan_of(filename: str, task: str) -> PlanTask:
    """Return the plan and task that the name of a single file tells, with a version or without.

    Raises:
        NomenclatureError: it tells none, another task, or is no name of one picture.
    """
    named, _ = _read_name(Path(filename), task, versioned=True)
    if named.task != task:
        raise NomenclatureError("task", named.task, repr(task), "wrong_task")
    return named


def _read_name(path: Path, task: str, versioned: bool) -> tuple[PlanTask, int]:
    _check_ending(path, task)
    foreign_names.check_one_picture(path.name, task)
    return _plan_and_version(with_plain_extension(path.name), versioned)


def _plan_and_version(name: str, versioned: bool) -> tuple[PlanTask, int]:
    try:
        return _plan_task(UnversionedName.parse(name)), 0
    except NomenclatureError as error:
        if not versioned or error.code != "unexpected_version":
            raise
    parsed = FileName.parse(name)
    return _plan_task(parsed), parsed.version


def _plan_task(name: PlanTask) -> PlanTask:
    return PlanTask(name.episode, name.sequence_id, name.plan, name.task)


def _check_ending(path: Path, task: str) -> None:
    taken = rules.TASKS[task].extensions
    if rules.plain_extension(path.suffix.removeprefix(".")) not in taken:
        expected = say(
            "{taken} or {last} (convert it, or take it out)",
            taken=", ".join(taken[:-1]),
            last=taken[-1],
        )
        raise NomenclatureError("extension", path.suffix, expected, "not_an_image")


def _check_folders(item: Item, path: Path) -> None:
    for folder in path.parts[:-1]:
        is_other = _SEQUENCE.fullmatch(folder) and folder.upper() != item.name.sequence_id
        if is_other:
            expected = say("{folder!r}, as its folder is called", folder=folder)
            raise NomenclatureError("sequence_id", item.name.sequence_id, expected, "wrong_folder")


def _not_to_be_numbered(place: str, task: str) -> tuple[str, str] | None:
    """Return why a file cannot be given a number by its order: code and sentence."""
    path = Path(place)
    if len(path.parts) > 1:
        detail = say("It lies in a folder of its own: number each sequence's folder by itself.")
        return "in_a_folder", detail
    try:
        _check_ending(path, task)
        foreign_names.check_one_picture(path.name, task)
    except NomenclatureError as error:
        return error.code, words_of(error)
    try:
        said = _plan_and_version(with_plain_extension(path.name), versioned=True)[0]
    except NomenclatureError:
        return None
    return "named", say(
        "Its name says which plan it is of ({stem}): import without numbers.", stem=said.stem
    )


def _stranger(item: Item, task: str, episode: str | None) -> Problem | None:
    for name, wanted in (("task", task), ("episode", episode)):
        given = getattr(item.name, name)
        if wanted not in {None, given}:
            detail = f"{name}: expected {wanted!r}; got {given!r}"
            return Problem(item.place, f"wrong_{name}", detail)
    return None


def _take_latest(items: Sequence[Item], found: Incoming) -> None:
    """Take the last version of each plan; where two files have it, both are refused."""
    of_plan: dict[PlanTask, list[Item]] = defaultdict(list)
    for image in items:
        of_plan[image.name].append(image)
    for same in of_plan.values():
        last = max(image.version for image in same)
        latest = [image for image in same if image.version == last]
        if len(latest) == 1:
            found.items += latest
            continue
        for image in latest:
            others = ", ".join(other.place for other in latest if other is not image)
            detail = say("{others} is of the same plan: which one is meant?", others=others)
            found.refused.append(Problem(image.place, "ambiguous", detail))
    found.items.sort(key=lambda item: item.place)
