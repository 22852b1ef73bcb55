"""A storyboard becomes plans: with their texts and panels, all or none of them.

All files are staged first. Then one transaction makes what is missing of the production tree,
writes the texts and reserves the panels' versions. Giving the files their names afterwards can be
cut off and repeated: the tick finishes what was left.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation import storage
from generation.errors import BadImage, Conflict, InvalidRequest, Problem
from generation.models import Plan, Style, Version
from generation.services import (
    bulk_panel_import,
    outside_images,
    plan_attributes,
    production_tree,
    publication,
)
from generation.services.bulk_panel_import import PANEL, PlanKey
from generation.services.plan_attributes import Author
from generation.services.publication import Image
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import PlanTask
from wording import say

logger = logging.getLogger(__name__)

#: So many plans are made at once.
PLANS_MAX = 5_000
SOURCE = "storyboard"


@dataclass(frozen=True)
class NewPlan:
    """A plan that is to be there, with what is known of it.

    `texts` are some of `plan_attributes.FIELDS`; what it does not name stays as it is. `panel` is
    the file of its picture, None where it has none or keeps the one that it has.
    """

    sequence_id: str
    plan: str
    texts: Mapping[str, Any] = field(default_factory=dict)
    panel: Path | None = None

    @property
    def key(self) -> PlanKey:
        """Its place in the episode's tree."""
        return PlanKey(self.sequence_id, self.plan)


@dataclass(frozen=True)
class MadePlans:
    """What became of a storyboard's plans.

    `plans` are all of them, `new` those that were not there, `changed` the ids of those of which
    something was written. `panels` are the versions that were made; `n_left` of them could not get
    their names yet: the tick goes on with them.
    """

    plans: Mapping[PlanKey, Plan]
    new: frozenset[PlanKey]
    changed: frozenset[int]
    panels: Sequence[Version]
    n_left: int


@dataclass(frozen=True)
class _Place:
    project_id: str
    season: str
    episode: str


def make_plans(
    project_id: str,
    season: str,
    episode: str,
    plans: Sequence[NewPlan],
    *,
    by: User | None,
    source: str = SOURCE,
    on_step: Callable[[], None] = lambda: None,
) -> MadePlans:
    """Have these plans, their texts and panels; repeating it changes nothing more.

    Not to be called within a transaction: it stages files before its own, and names them after it.
    `source` says in the plans' histories where their texts come from. `on_step` is called after
    each picture that was staged or named; what it raises ends the rest: before the plans are made
    nothing is left, afterwards the tick goes on with the names.

    Raises:
        InvalidRequest: with every problem, each at its place: `plans.3.dialogue`.
        Conflict: version 9999 of a panel is taken.
        Busy: too much is being decoded just now.
        StorageError: the projects folder cannot be written.
    """
    place = _Place(project_id, season, episode)
    _check(place, plans)
    production_tree.check_spelling(project_id)
    with ExitStack() as undo:
        images = _stage(place, plans, undo, on_step)
        made = _write(place, plans, images, Author(by, source))
        undo.pop_all()
    _discard_unused(images.values(), made.panels)
    return _published(made, on_step)


def _stage(
    place: _Place, plans: Sequence[NewPlan], undo: ExitStack, on_step: Callable[[], None]
) -> dict[PlanKey, Image]:
    """Stage the plans' pictures, but for those that are their plan's last panel already.

    Raises:
        InvalidRequest: some are no usable images.
    """
    last = bulk_panel_import.last_of_episode(place.project_id, place.episode)
    images: dict[PlanKey, Image] = {}
    problems: list[Problem] = []
    for index, new in enumerate(plans):
        if new.panel is None:
            continue
        name = PlanTask(place.episode, new.sequence_id, new.plan, PANEL)
        sha256 = last.get(new.key, "")
        try:
            image = bulk_panel_import.stage(place.project_id, name, new.panel, sha256)
        except BadImage as error:
            problems.append(Problem(f"plans.{index}.panel", error.code, error.detail))
            continue
        if image is not None:
            undo.callback(publication.discard, image)
            images[new.key] = image
        on_step()
    if problems:
        raise InvalidRequest(problems)
    return images


def _write(
    place: _Place, plans: Sequence[NewPlan], images: Mapping[PlanKey, Image], author: Author
) -> MadePlans:
    tree: dict[str, list[str]] = {}
    for new in plans:
        tree.setdefault(new.sequence_id, []).append(new.plan)
    with transaction.atomic():
        known = _known(place)
        ensured = production_tree.ensure_plans(place.project_id, place.season, place.episode, tree)
        rows = {PlanKey(*key): plan for key, plan in ensured.items()}
        # Locks all of them: what follows is of no one else.
        texts = {rows[new.key].pk: new.texts for new in plans}
        changed = plan_attributes.write_all(texts, by=author.by, source=author.source)
        by_id = {rows[key].pk: image for key, image in images.items()}
        panels = bulk_panel_import.reserve(by_id, rows.values(), actor=author.by)
    return MadePlans(rows, frozenset(rows.keys() - known), changed, panels, len(panels))


def _known(place: _Place) -> set[PlanKey]:
    """Return the plans that the episode has already."""
    above = "sequence__episode"
    of_episode = Plan.objects.filter(
        **{f"{above}__code": place.episode, f"{above}__project__code": place.project_id}
    )
    return {PlanKey(*codes) for codes in of_episode.values_list("sequence__code", "code")}


def _discard_unused(images: Iterable[Image], panels: Sequence[Version]) -> None:
    used = {version.staging_path for version in panels}
    for image in images:
        if image.staged.path not in used:
            publication.discard(image)


def _published(made: MadePlans, on_step: Callable[[], None]) -> MadePlans:
    """Give the panels their names, as far as that can be done now; runs that waited go on."""
    n_left = 0
    for version in made.panels:
        try:
            publication.finish(version)
        except (storage.StorageError, Conflict) as error:
            logger.warning("%s stays reserved: %s", version, error)
            n_left += 1
        on_step()
    outside_images.release_waiting_runs([version.plan_id for version in made.panels])
    return MadePlans(made.plans, made.new, made.changed, made.panels, n_left)


# What is taken -----------------------------------------------------------------------------------


def _check(place: _Place, plans: Sequence[NewPlan]) -> None:
    """Check all names and texts.

    Raises:
        InvalidRequest: with every problem.
    """
    problems = [
        *_wrong_names(
            {
                "project_id": (rules.check_project_id, place.project_id),
                "season": (rules.check_season, place.season),
                "episode": (lambda value: rules.check_episode(value, place.season), place.episode),
            }
        )
    ]
    if len(plans) > PLANS_MAX:
        detail = say(
            "At most {plans_max:,} plans can be made at once, not {n:,}.",
            plans_max=PLANS_MAX,
            n=len(plans),
        )
        problems.append(Problem("plans", "too_many_plans", detail))
    else:
        problems += _wrong_plans(plans)
    if problems:
        raise InvalidRequest(problems)


def _wrong_plans(plans: Sequence[NewPlan]) -> list[Problem]:
    styles = list(Style.objects.values_list("code", flat=True))
    problems: list[Problem] = []
    first: dict[PlanKey, int] = {}
    for index, new in enumerate(plans):
        at = f"plans.{index}"
        names = {
            f"{at}.sequence_id": (rules.check_sequence_id, new.sequence_id),
            f"{at}.plan": (rules.check_plan, new.plan),
        }
        problems += _wrong_names(names)
        problems += plan_attributes.check(new.texts, f"{at}.", styles=styles)
        if first.setdefault(new.key, index) != index:
            detail = say(
                "Plan {plan} of {sequence_id} stands at plans.{first}.",
                plan=new.plan,
                sequence_id=new.sequence_id,
                first=first[new.key],
            )
            problems.append(Problem(at, "duplicate_plan", detail))
    return problems


def _wrong_names(names: Mapping[str, tuple[Any, object]]) -> list[Problem]:
    problems: list[Problem] = []
    for attr, (check, value) in names.items():
        try:
            check(value)
        except NomenclatureError as error:
            problems.append(
                Problem(attr, error.code, say("Expected {expected}.", expected=error.expected))
            )
    return problems
