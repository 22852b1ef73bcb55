"""Panels and concepts that come from outside: published as a plan's next version."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef

from generation import queueing
from generation.errors import Conflict
from generation.models import Plan, PlanRun, Version
from generation.services import images, transitions, versions
from generation.states import RunState, VersionState, WaitReason


def import_panel(plan: Plan, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish a storyboard image as the plan's next panel; runs that waited for it go on.

    Raises:
        BadImage: the file is no usable image, or of another format than its name says.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    version = _import(plan, versions.PANEL, content, filename, actor)
    release([plan.pk])
    return version


def import_concept(plan: Plan, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish an image made elsewhere as the plan's next concept.

    Raises:
        BadImage: the file is no usable image, or of another format than its name says.
        Conflict: version 9999 is taken.
        StorageError: the projects folder cannot be written.
    """
    return _import(plan, versions.CONCEPT, content, filename, actor)


def _import(plan: Plan, task: str, content: bytes, filename: str, actor: User | None) -> Version:
    image = images.stage(content, filename=filename)
    try:
        version = versions.reserve_import(plan, task, image, actor=actor)
    except Conflict:
        versions.discard(image)
        raise
    return versions.finish(version)


def release(plan_ids: Sequence[int]) -> int:
    """Let the runs go on that waited for the panels of these plans; return how many."""
    waiting = PlanRun.objects.filter(
        plan_id__in=plan_ids, wait_reason=WaitReason.PANEL, state=RunState.QUEUED
    )
    batch_ids = sorted(set(waiting.values_list("batch_id", flat=True)))
    released = sum(transitions.release_panel(batch_id, plan_ids) for batch_id in batch_ids)
    if released:
        queueing.wake()
    return released


def release_all() -> int:
    """Release every run whose panel is there: what a cut-off import has left waiting."""
    panel = Version.objects.filter(
        plan=OuterRef("plan"), task=versions.PANEL, state=VersionState.PUBLISHED
    )
    waiting = PlanRun.objects.filter(
        Exists(panel), wait_reason=WaitReason.PANEL, state=RunState.QUEUED
    )
    plan_ids = list(waiting.values_list("plan_id", flat=True).distinct()[:1000])
    return release(plan_ids) if plan_ids else 0
