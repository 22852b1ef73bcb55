"""Panels and concepts that come from outside: published as a plan's next version."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef

from generation import queueing
from generation.errors import Conflict
from generation.models import Plan, PlanRun, Version
from generation.services import (
    acts,
    image_staging,
    permissions,
    publication,
    transitions,
    version_numbers,
    volumes,
)
from generation.services.image_staging import CheckedImage


def import_panel(plan: Plan, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish a storyboard image as the plan's next panel; runs that waited for it go on.

    Raises:
        Forbidden: who gives it may not.
        BadImage: the file is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    return publish_panel(plan, image_staging.check(content, filename=filename), actor=actor)


def publish_panel(plan: Plan, checked: CheckedImage, *, actor: User | None) -> Version:
    """Publish an image that was checked as the plan's next panel; runs that waited for it go on.

    Raises:
        Forbidden: who gives it may not.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    version = _publish(plan, publication.PANEL, checked, actor)
    release_waiting_runs([plan.pk])
    return version


def import_concept(plan: Plan, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish an image made elsewhere as the plan's next concept.

    Raises:
        Forbidden: who gives it may not.
        BadImage: the file is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    return publish_concept(plan, image_staging.check(content, filename=filename), actor=actor)


def publish_concept(plan: Plan, checked: CheckedImage, *, actor: User | None) -> Version:
    """Publish an image that was checked as the plan's next concept.

    Raises:
        Forbidden: who gives it may not.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    return _publish(plan, publication.CONCEPT, checked, actor)


def _publish(plan: Plan, task: str, checked: CheckedImage, actor: User | None) -> Version:
    permissions.require(actor, *permissions.TO_GIVE_IMAGES)
    folder = version_numbers.folder_of(plan.pk, task)
    image = volumes.run_in_folder(folder, lambda to: image_staging.put(checked, to))
    try:
        with transaction.atomic():
            version = publication.reserve_import(plan, task, image, actor=actor)
            acts.record("give", version, by=actor)
    except Conflict:
        publication.discard(image)
        raise
    image_staging.keep_served(image)
    return publication.finish(version)


def release_waiting_runs(plan_ids: Sequence[int]) -> int:
    """Let the runs go on that waited for the panels of these plans; return how many."""
    waiting = PlanRun.objects.waiting_for_panel().filter(plan_id__in=plan_ids)
    batch_ids = sorted(set(waiting.values_list("batch_id", flat=True)))
    released = sum(transitions.release_panel(batch_id, plan_ids) for batch_id in batch_ids)
    if released:
        queueing.wake()
    return released


def release_all_waiting_runs() -> int:
    """Release every run whose panel is there: what a cut-off import has left waiting."""
    panel = Version.objects.panels().filter(plan=OuterRef("plan"))
    waiting = PlanRun.objects.waiting_for_panel().filter(Exists(panel))
    plan_ids = list(waiting.values_list("plan_id", flat=True).distinct()[:1000])
    return release_waiting_runs(plan_ids) if plan_ids else 0
