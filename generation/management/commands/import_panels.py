"""Import a folder of storyboard panels."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.management import importing
from generation.management.command import MadseaCommand, actor
from generation.services import import_folder_scan, permissions, publication
from wording import say


class Command(MadseaCommand):
    help = say(
        "Import a folder of storyboard panels, each published as the next version of its plan's"
        " panel; a panel that is the last version already is left out. Folders in it are followed;"
        " what is refused is told with its reason, ends with 1, and leaves the rest imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT")
        parser.add_argument("episode", metavar="EPISODE", help=say("such as E202"))
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument(
            "--numbered",
            metavar="SQ0010",
            help=say(
                "the files are this sequence's plans 0010, 0020, … in the order of their names;"
                " without it, they are named such as E202_SQ0010-0010_extracted-raw.png"
            ),
        )
        importing.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked before anything is read.
        actor(options, permissions.TO_GIVE_IMAGES)
        folder, episode, sequence = options["folder"], options["episode"], options["numbered"]
        if sequence is None:
            found = import_folder_scan.images_by_name(
                folder, publication.PANEL, episode=episode, versioned=True
            )
        else:
            found = import_folder_scan.images_in_order(
                folder, publication.PANEL, episode=episode, sequence_id=sequence
            )
        importing.take(folder, found, options["project"], options, self.stdout)
