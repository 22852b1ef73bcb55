"""Import a folder of images that were made elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management import importing
from generation.management.command import MadseaCommand, actor, add_actor, add_dry_run
from generation.services import imports, versions


class Command(MadseaCommand):
    help = (
        "Import a folder of images named such as E202_SQ0010-0010_AI-concept.png, each published"
        " as the next version of its plan; one that is the last version already is left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument("--project", required=True, metavar="PROJECT")
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options)
        items = imports.named(options["folder"], versions.CONCEPT)
        if not items:
            raise CommandError(f"There is no image in {options['folder']}.")
        if options["dry_run"]:
            importing.preview(items, options["project"], self.stdout)
        else:
            importing.publish(items, options["project"], actor=user, stdout=self.stdout)
