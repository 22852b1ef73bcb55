"""What both imports do once they know which file is of which plan."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser, OutputWrapper

from generation.errors import BadImage, Busy, Conflict, Problem
from generation.management.command import (
    actor,
    add_actor,
    add_dry_run,
    bar,
    counted,
    listed,
    printable,
)
from generation.management.new_project_confirmation import add_create, confirm
from generation.services import image_imports, import_folder_scan
from generation.services.import_folder_scan import Incoming, Item
from generation.storage import StorageError
from wording import say


def add_options(parser: CommandParser) -> None:
    """Add what both imports take."""
    parser.add_argument(
        "--strict", action="store_true", help=say("import nothing where one file is refused")
    )
    add_create(parser)
    add_actor(parser)
    add_dry_run(parser)


@dataclass
class Import:
    """One import of a folder, and what came of it so far."""

    folder: Path
    found: Incoming
    project_id: str
    user: User | None
    n_published: int = 0
    n_unchanged: int = 0

    def publish(self) -> None:
        """Publish every file that can be.

        Raises:
            CommandError: the projects folder cannot be written; what came before it is published.
        """
        try:
            for image in bar(list(self.found.items), say("Importing")):
                self._publish(image)
        except StorageError as error:
            rest = say("the rest was not tried: import it again.")
            text = f"{error.detail}\n{self.summary}; {rest}"
            raise CommandError(text) from error

    def check(self) -> None:
        """Read and decode every file, and write nothing; what cannot be taken is refused."""
        for image in bar(list(self.found.items), say("Checking")):
            try:
                image_imports.check(image)
            except (BadImage, Busy) as error:
                self._refuse(image, error)
                self.found.items.remove(image)

    def _publish(self, item: Item) -> None:
        try:
            version = image_imports.publish(item, self.project_id, actor=self.user)
        except (BadImage, Busy, Conflict) as error:
            self._refuse(item, error)
        else:
            self.n_published += version is not None
            self.n_unchanged += version is None

    def _refuse(self, item: Item, error: BadImage | Busy | Conflict) -> None:
        self.found.refused.append(Problem(item.place, error.code, error.detail))

    @property
    def summary(self) -> str:
        """What came of it so far."""
        return say(
            "{images} published, {n_unchanged} unchanged",
            images=counted(self.n_published, "image"),
            n_unchanged=self.n_unchanged,
        )

    def end(self, summary: str, stdout: OutputWrapper) -> None:
        """Say what came of it.

        Raises:
            CommandError: files were refused; each with its reason.
        """
        refused = self.found.refused
        parts = [summary]
        parts += [say("{n} refused", n=len(refused))] if refused else []
        parts += (
            [say("{n} passed over", n=self.found.n_passed_over)] if self.found.n_passed_over else []
        )
        if refused:
            reasons = [printable(f"{each.attr}: {each.detail}") for each in refused]
            raise CommandError("\n".join([*reasons, f"{listed(parts)}."]))
        stdout.write(f"{listed(parts)}.")


def take(
    folder: Path, found: Incoming, project_id: str, options: Any, stdout: OutputWrapper
) -> None:
    """Publish the files of a folder, or say what would be published.

    Raises:
        CommandError: there is none, some were refused, or the project is new and may be mistyped.
    """
    import_folder_scan.check_names(project_id=project_id)
    if not found.items and not found.refused:
        raise CommandError(say("There is no image in {folder}.", folder=folder))
    this = Import(folder, found, project_id, actor(options))
    episodes = sorted({image.name.episode for image in found.items})
    if episodes:
        confirm(project_id, episodes, options, stdout)
    if options["dry_run"] or options["strict"]:
        this.check()
    if options["dry_run"]:
        _preview(this, stdout)
    elif options["strict"] and found.refused:
        this.end(say("Nothing is imported (--strict)"), stdout)
    else:
        this.publish()
        this.end(this.summary, stdout)


def _preview(this: Import, stdout: OutputWrapper) -> None:
    items = this.found.items
    for image in items:
        stdout.write(printable(f"{image.place} → {this.project_id} {image.name.stem}"))
    summary = say(
        "{images} would be published where they are new", images=counted(len(items), "image")
    )
    this.end(summary, stdout)
