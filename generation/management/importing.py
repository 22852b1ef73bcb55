"""What both imports do once they know which file is of which plan."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.core.management.base import CommandError, OutputWrapper

from generation.errors import BadImage, Busy, Conflict
from generation.management.command import bar, counted
from generation.services import imports
from generation.services.imports import Item


def publish(
    items: Sequence[Item], project_id: str, *, actor: User | None, stdout: OutputWrapper
) -> None:
    """Publish every file as the next version of its plan and say what came of it.

    Raises:
        CommandError: some files were refused; the others are published.
    """
    plans = imports.plans_of(project_id, items)
    refused: list[str] = []
    published = 0
    for item in bar(items, "Importing"):
        try:
            version = imports.publish(item, plans[item.name], actor=actor)
        except (BadImage, Busy, Conflict) as error:
            refused.append(f"{item.file.name}: {error.detail}")
        else:
            published += version is not None
    same = len(items) - published - len(refused)
    summary = f"{counted(published, 'image')} published, {same} unchanged"
    if refused:
        raise CommandError("\n".join([*refused, f"{summary}, {len(refused)} refused."]))
    stdout.write(f"{summary}.")


def preview(items: Sequence[Item], project_id: str, stdout: OutputWrapper) -> None:
    """Say which file would become an image of which plan."""
    imports.check_project(project_id)
    for item in items:
        stdout.write(f"{item.file.name} → {project_id} {item.name.stem}")
    stdout.write(f"{counted(len(items), 'image')} would be published where they are new.")
