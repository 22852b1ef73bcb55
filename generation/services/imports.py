"""Folders of images that come in: every file is given its plan first, then each is published.

Nothing is written before the whole folder has been understood.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from generation import beneath
from generation.errors import BadImage, InvalidRequest, NotFound, Problem
from generation.models import Plan, Version
from generation.services import images, panels, production, versions
from nomenclature import rules
from nomenclature.audit import LITTER
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, PlanTask, UnversionedName

#: Plans are numbered in tens, so that one can be put between two.
STEP = 10
FILES_MAX = 9999 // STEP
IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True)
class Item:
    """A file, and the task of the plan that it is an image of; version 0: its name has none."""

    file: Path
    name: PlanTask
    version: int = 0


def named(
    folder: Path, task: str, *, episode: str | None = None, versioned: bool = False
) -> list[Item]:
    """Return the images of a folder whose names follow the nomenclature.

    `versioned`: a name may have a version, and of several of a plan the last is taken. None as
    episode: any.

    Raises:
        InvalidRequest: with every file that has another name, another task or another episode.
        NotFound: there is no such folder.
    """
    items, problems = _each(_files(folder), lambda file: _item(file, versioned))
    problems += _strangers(items, task, episode)
    latest: dict[PlanTask, Item] = {}
    for item in sorted(items, key=lambda item: item.version):
        before = latest.get(item.name)
        if before is not None and before.version == item.version:
            detail = f"{before.file.name} is of the same plan: which one is meant?"
            problems.append(Problem(item.file.name, "ambiguous", detail))
        latest[item.name] = item
    _refuse(problems)
    return sorted(latest.values(), key=lambda item: item.file.name)


def numbered(folder: Path, task: str, *, episode: str, sequence_id: str) -> list[Item]:
    """Return the images of a folder, in the order of their names, as plans 0010, 0020, ….

    Numbers in names count as numbers: `panel 2` comes before `panel 10`.

    Raises:
        InvalidRequest: a file is no image by its name, or there are more than 999.
        NotFound: there is no such folder.
    """
    _check_names(episode=episode, sequence_id=sequence_id)
    files = sorted(_files(folder), key=_natural)
    strange = [file for file in files if file.suffix.lower() not in IMAGE_ENDINGS]
    _refuse([Problem(file.name, "not_an_image", "Its name is no image's.") for file in strange])
    if len(files) > FILES_MAX:
        detail = (
            f"{len(files)} files: a sequence has room for {FILES_MAX} plans in steps of {STEP}."
        )
        raise InvalidRequest([Problem("folder", "too_many_files", detail)])
    return [
        Item(file, PlanTask(episode, sequence_id, f"{STEP * number:04d}", task))
        for number, file in enumerate(files, start=1)
    ]


def _check_names(**given: str) -> None:
    checks: dict[str, Callable[[object], str]] = {
        "episode": rules.check_episode,
        "sequence_id": rules.check_sequence_id,
    }
    problems: list[Problem] = []
    for field, value in given.items():
        try:
            checks[field](value)
        except NomenclatureError as error:
            problems.append(Problem(field, error.code, str(error)))
    _refuse(problems)


def _each(files: Iterable[Path], read: Callable[[Path], Item]) -> tuple[list[Item], list[Problem]]:
    items: list[Item] = []
    problems: list[Problem] = []
    for file in files:
        try:
            items.append(read(file))
        except NomenclatureError as error:
            problems.append(Problem(file.name, error.code, str(error)))
    return items, problems


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.", code="unknown_folder")
    visible = (each for each in folder.iterdir() if not each.name.startswith("."))
    return sorted(each for each in visible if each.name not in LITTER)


def _strangers(items: list[Item], task: str, episode: str | None) -> list[Problem]:
    problems: list[Problem] = []
    for item in items:
        for field, wanted in (("task", task), ("episode", episode)):
            given = getattr(item.name, field)
            if wanted not in {None, given}:
                detail = f"{field}: expected {wanted!r}; got {given!r}"
                problems.append(Problem(item.file.name, f"wrong_{field}", detail))
    return problems


def _item(file: Path, versioned: bool) -> Item:
    try:
        return Item(file, _plan_task(UnversionedName.parse(file.name)))
    except NomenclatureError as error:
        if not versioned or error.code != "unexpected_version":
            raise
    return _versioned(file)


def _versioned(file: Path) -> Item:
    name = FileName.parse(file.name)
    return Item(file, _plan_task(name), name.version)


def _plan_task(name: PlanTask) -> PlanTask:
    return PlanTask(name.episode, name.sequence_id, name.plan, name.task)


def _natural(file: Path) -> list[tuple[int, str]]:
    pieces = re.split(r"([0-9]+)", file.name.lower())
    return [(int(piece), "") if index % 2 else (-1, piece) for index, piece in enumerate(pieces)]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidRequest(problems)


def plans_of(project_id: str, items: Sequence[Item]) -> Mapping[PlanTask, Plan]:
    """Return the plan of every item, creating what is missing of the production tree.

    Raises:
        InvalidRequest: the project exists in another spelling, or its name is none.
    """
    check_project(project_id)
    found: dict[PlanTask, Plan] = {}
    for episode in sorted({item.name.episode for item in items}):
        of_episode = [item.name for item in items if item.name.episode == episode]
        tree: dict[str, list[str]] = {}
        for name in of_episode:
            tree.setdefault(name.sequence_id, []).append(name.plan)
        plans = production.ensure_plans(project_id, rules.season_of(episode), episode, tree)
        found |= {name: plans[name.sequence_id, name.plan] for name in of_episode}
    return found


def check_project(project_id: str) -> None:
    """Check the name of a project that comes from a command line.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        rules.check_project_id(project_id)
    except NomenclatureError as error:
        raise InvalidRequest([Problem("project_id", error.code, str(error))]) from error


def publish(item: Item, plan: Plan, *, actor: User | None) -> Version | None:
    """Publish a file as the next version of its plan; None when it is the last version already.

    Raises:
        BadImage: it is no usable image, or of another format than its name says.
    """
    content = _content(item.file)
    if _is_last(plan, item.name.task, content):
        return None
    take = panels.import_panel if item.name.task == versions.PANEL else panels.import_concept
    return take(plan, content, filename=item.file.name, actor=actor)


def _content(file: Path) -> bytes:
    """Return a file's bytes; one that is too large, or would never end, is not read."""
    limit = settings.MADSEA_IMAGE_MAX_BYTES
    try:
        with beneath.plain(file) as handle:
            images.check_size(os.fstat(handle.fileno()).st_size)
            return handle.read(limit)
    except OSError as error:
        raise BadImage(error.strerror or str(error), code="unreadable", attr="file") from error


def _is_last(plan: Plan, task: str, content: bytes) -> bool:
    last = plan.versions.filter(task=task).order_by("-number").first()
    return last is not None and last.sha256 == hashlib.sha256(content).hexdigest()
