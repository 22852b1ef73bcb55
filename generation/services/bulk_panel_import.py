"""Panels of many plans: staged one by one, their numbers taken together."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth.models import User

from generation.models import Plan, Version
from generation.models.version import VersionQuerySet
from generation.services import image_staging, publication, version_numbers, volumes
from generation.services.publication import Image
from generation.states import VersionState
from nomenclature import paths
from nomenclature.name import PlanTask

PANEL = publication.PANEL


class PlanKey(NamedTuple):
    """A plan within its episode."""

    sequence_id: str
    plan: str


@dataclass(frozen=True)
class _Last:
    """The last number of a plan's panels, the SHA-256 of its file, and whether numbers are open."""

    number: int = 0
    sha256: str = ""
    has_open: bool = False


def stage(project_id: str, name: PlanTask, file: Path, last_sha256: str) -> Image | None:
    """Stage a plan's panel where it will be published; None where it is the last one already.

    What is served of it is kept at once, so that the image holds no bytes.

    Raises:
        BadImage: it is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        StorageError: the projects folder cannot be written.
    """
    content = image_staging.content_of(file)
    if last_sha256 and hashlib.sha256(content).hexdigest() == last_sha256:
        return None
    checked = image_staging.check(content, filename=file.name)
    folder = str(paths.folder(project_id, name))
    image = volumes.run_in_folder(folder, lambda to: image_staging.put(checked, to))
    image_staging.keep_served(image)
    return replace(image, served=None, known_served_sha256=image.served_sha256())


def last_of_episode(project_id: str, episode: str) -> dict[PlanKey, str]:
    """Return the SHA-256 of the last panel of each plan of an episode that has one."""
    above = "plan__sequence"
    of_episode = Version.objects.filter(
        **{f"{above}__episode__code": episode, f"{above}__episode__project__code": project_id},
        task=PANEL,
    ).exclude(state=VersionState.OPEN)
    columns = (f"{above}__code", "plan__code", "sha256")
    rows = of_episode.order_by("number").values_list(*columns)
    return {PlanKey(sequence_id, plan): sha256 for sequence_id, plan, sha256 in rows}


def reserve(
    images: Mapping[int, Image], plans: Iterable[Plan], *, actor: User | None
) -> list[Version]:
    """Take the next panel numbers of plans, by their ids, for staged images.

    The plans are locked by whoever calls it, in whose transaction it is. One whose last panel is
    the same file gets none.

    Raises:
        Conflict: version 9999 of one is taken.
    """
    last = _last_of(images)
    origin = Version.Origin.IMPORT
    versions = [
        publication.unsaved_version(
            number, images[plan.pk], plan=plan, task=PANEL, origin=origin, created_by=actor
        )
        for plan, number in _numbered(images, plans, last)
    ]
    return Version.objects.bulk_create(versions, batch_size=500)


def _numbered(
    images: Mapping[int, Image], plans: Iterable[Plan], last: Mapping[int, _Last]
) -> Iterator[tuple[Plan, int]]:
    for plan in plans:
        known = last.get(plan.pk, _Last())
        if plan.pk not in images or known.sha256 == images[plan.pk].staged.sha256:
            continue
        if known.has_open or known.number >= version_numbers.LAST_NUMBER:
            yield plan, version_numbers.take_numbers(plan, PANEL, 1)[0]
        else:
            yield plan, known.number + 1


def _last_of(images: Mapping[int, Image]) -> dict[int, _Last]:
    last_by_plan: dict[int, _Last] = {}
    for plan_id, number, state, sha256 in _panels_of(images).values_list(
        "plan_id", "number", "state", "sha256"
    ):
        before = last_by_plan.get(plan_id, _Last())
        is_open = state == VersionState.OPEN
        file = before.sha256 if is_open else sha256
        last_by_plan[plan_id] = _Last(number, file, before.has_open or is_open)
    return last_by_plan


def _panels_of(images: Mapping[int, Image]) -> VersionQuerySet:
    return Version.objects.filter(plan__in=list(images), task=PANEL).order_by("number")
