"""Read a table of decisions back in: all of them, or none."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation import safe_open
from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    counted,
    printable,
)
from review.services import decisions, review_tables
from review.services.decisions import Reviewer
from review.services.review_tables import MAX_BYTES, DecisionRow, TableReading
from wording import Sentence, say, to_say


class Command(MadseaCommand):
    help = say("Take the decisions of a CSV that export_reviews wrote, and somebody has filled in.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        by = Reviewer(actor(options, decisions.TO_DECIDE))
        try:
            content = safe_open.read_following_links(options["file"], MAX_BYTES)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        found = review_tables.read(content, by=by)
        for row in found.rows:
            self.stdout.write(_line(row))
        found.refuse()
        if not options["dry_run"]:
            found = review_tables.take(content, by=by)
        self.stdout.write(_summed_up(found, is_dry=options["dry_run"]))


def _line(row: DecisionRow) -> str:
    words = f" “{printable(row.asked.comment)}”" if row.asked.comment else ""
    done = say(" (already so)") if row.is_done else ""
    told = say("line {n}: {decision}", n=row.line, decision=row.asked.decision)
    return f"{told} {row.filename}{words}{done}"


def _summed_up(found: TableReading, *, is_dry: bool) -> str:
    template = (
        to_say("{decisions} would be taken, {done} so already, {rows} without a decision.")
        if is_dry
        else to_say("{decisions} taken, {done} so already, {rows} without a decision.")
    )
    parts = {
        "decisions": counted(len(found.to_take), "decision"),
        "done": found.n_done,
        "rows": counted(found.n_unchanged, "row"),
    }
    return str(Sentence(template, parts))
