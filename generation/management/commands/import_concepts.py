"""Import a folder of images that were made elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.management import importing
from generation.management.command import MadseaCommand, actor
from generation.services import import_folder_scan, permissions, publication
from wording import say


class Command(MadseaCommand):
    help = say(
        "Import a folder of images named such as E202_SQ0010-0010_AI-concept.png, each published"
        " as the next version of its plan; one that is the last version already is left out."
        " Folders in it are followed; what is refused is told with its reason, ends with 1, and"
        " leaves the rest imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument("--project", required=True, metavar="PROJECT")
        importing.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked before anything is read.
        actor(options, permissions.TO_GIVE_IMAGES)
        folder = options["folder"]
        found = import_folder_scan.images_by_name(folder, publication.CONCEPT)
        importing.take(folder, found, options["project"], options, self.stdout)
