"""Cancel unfinished batches."""

from typing import Any

from django.core.management.base import CommandParser

from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    bar,
    counted,
)
from generation.management.selection_options import add_choice, choice
from generation.models import Batch
from generation.selectors import selection
from generation.services import batches


class Command(MadseaCommand):
    help = (
        "Cancel unfinished batches, as the admin's Cancel does: what waits at once, what runs as"
        " soon as its server can be stopped. A filter chooses whole batches."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser, days_of="requested")
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options)
        found = list(selection.unfinished_batches(choice(options)))
        if not found:
            self.stdout.write("Nothing to do: no batch that fits is unfinished.")
            return
        if options["dry_run"]:
            self._list(found)
            return
        done = [batches.cancel(batch, actor=user) for batch in bar(found, "Cancelling")]
        n_batches = sum(not each.is_nothing for each in done)
        self.stdout.write(f"Cancel of {counted(n_batches, 'batch')} requested.")

    def _list(self, found: list[Batch]) -> None:
        for batch in found:
            done = f"{batch.n_done} of {counted(batch.n_total, 'plan')} done"
            where = f"{batch.episode.project} {batch.episode} {batch.style.code}"
            self.stdout.write(f"{batch} {where}: {batch.status}, {done}")
        self.stdout.write(f"{counted(len(found), 'batch')} would be cancelled.")
