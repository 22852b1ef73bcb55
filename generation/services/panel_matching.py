"""Panels that are dropped on a sequence: which plan each is of, by its name or by its order."""

from django.contrib.auth.models import User

from generation.errors import InvalidRequest, Problem
from generation.models import Sequence, Version
from generation.services import (
    image_staging,
    import_folder_scan,
    outside_images,
    permissions,
    production_tree,
    publication,
)
from generation.services.import_folder_scan import STEP
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import with_plain_extension
from wording import say, words_of

PLAN_LAST = 9999


def take(
    sequence: Sequence, content: bytes, *, filename: str, order: int | None, actor: User | None
) -> Version:
    """Publish an image as the next panel of a plan of the sequence, which is made if need be.

    `order` is the file's place among those that come together, from 0: the first is that of the
    sequence's first plan. None where its name tells the plan.

    Raises:
        Forbidden: who gives it may not.
        BadImage: it is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: version 9999 is taken.
        InvalidRequest: its name tells no plan of this sequence, or there is no number left.
        StorageError: the projects folder cannot be written.
    """
    permissions.require(actor, *permissions.TO_GIVE_IMAGES)
    plan = _by_name(sequence, filename) if order is None else _by_order(sequence, order)
    # First, so that a file that is no image leaves no plan behind.
    checked = image_staging.check(content, filename=filename)
    episode = sequence.episode
    tree = {sequence.code: [plan]}
    found = production_tree.ensure_plans(episode.project.code, episode.season, episode.code, tree)
    return outside_images.publish_panel(found[sequence.code, plan], checked, actor=actor)


def _by_name(sequence: Sequence, filename: str) -> str:
    """Return the plan that a name tells: by the nomenclature, or by the plan's number alone."""
    stem = with_plain_extension(filename).rpartition(".")[0]
    if rules.RULES["plan"].pattern.fullmatch(stem):
        return stem
    try:
        named = import_folder_scan.plan_of(filename, publication.PANEL)
    except NomenclatureError as error:
        raise InvalidRequest([Problem("file", error.code, words_of(error))]) from error
    wanted = {"episode": sequence.episode.code, "sequence_id": sequence.code}
    for name, value in wanted.items():
        if getattr(named, name) != value:
            detail = f"{name}: expected {value!r}; got {getattr(named, name)!r}"
            raise InvalidRequest([Problem("file", f"wrong_{name}", detail)])
    return named.plan


def _by_order(sequence: Sequence, order: int) -> str:
    """Return the plan at a place of the sequence; beyond the last one, the next in steps of ten."""
    known = list(sequence.plans.order_by("code").values_list("code", flat=True))
    if order < len(known):
        return known[order]
    last = int(known[-1]) // STEP * STEP if known else 0
    number = last + STEP * (order - len(known) + 1)
    if number > PLAN_LAST:
        detail = say(
            "{sequence} has no number left for it: plans end at {plan_last}.",
            sequence=sequence.code,
            plan_last=PLAN_LAST,
        )
        raise InvalidRequest([Problem("file", "no_number", detail)])
    return f"{number:04d}"
