"""Import a folder of storyboard panels."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management import importing
from generation.management.command import MadseaCommand, actor, add_actor, add_dry_run
from generation.services import imports, versions


class Command(MadseaCommand):
    help = (
        "Import a folder of storyboard panels, each published as the next version of its plan's"
        " panel; a panel that is the last version already is left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT")
        parser.add_argument("episode", metavar="EPISODE", help="such as E202")
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument(
            "--numbered",
            metavar="SQ0010",
            help="the files are this sequence's plans 0010, 0020, … in the order of their names;"
            " without it, they are named such as E202_SQ0010-0010_extracted-raw.png",
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options)
        folder, episode, sequence = options["folder"], options["episode"], options["numbered"]
        if sequence is None:
            items = imports.named(folder, versions.PANEL, episode=episode, versioned=True)
        else:
            items = imports.numbered(folder, versions.PANEL, episode=episode, sequence_id=sequence)
        if not items:
            raise CommandError(f"There is no panel in {folder}.")
        if options["dry_run"]:
            importing.preview(items, options["project"], self.stdout)
        else:
            importing.publish(items, options["project"], actor=user, stdout=self.stdout)
