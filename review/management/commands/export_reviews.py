"""Write what a filter of the light table shows as a table that can be read back in."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management.command import MadseaCommand, counted
from review.selectors import light_table
from review.selectors.light_table import Show, TableQuery
from review.services import exports, review_tables
from wording import say


class Command(MadseaCommand):
    help = say(
        "Write pictures with their states and comments as CSV, to be filled in and read back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, metavar="PROJECT")
        parser.add_argument("--episode", required=True, metavar="E202")
        parser.add_argument("--sequence", metavar="SQ0010", default="")
        parser.add_argument("--show", choices=[show.value for show in Show], default=Show.ALL.value)
        parser.add_argument("--style", default="")
        parser.add_argument("--separator", choices=(";", ","), default=";")
        parser.add_argument("--output", type=Path, help=say("without it: standard output"))

    def handle(self, *args: Any, **options: Any) -> None:
        of = light_table.episode(options["project"], options["episode"])
        asked = TableQuery(None, options["sequence"], Show(options["show"]), options["style"])
        selection = exports.select(of, asked)
        content = review_tables.as_csv(selection, options["separator"])
        if options["output"] is None:
            self.stdout.write(content.decode(), ending="")
            return
        try:
            with options["output"].open("xb") as file:
                file.write(content)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
        pictures = counted(len(selection.version_ids), "picture")
        written = say("{pictures} written to {file}.", pictures=pictures, file=options["output"])
        self.stdout.write(str(written))
