"""Cancel unfinished batches."""

from typing import Any

from django.core.management.base import CommandParser

from generation.management.batch_progress import done_of
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
from generation.services import batches, permissions
from generation.state_words import in_words
from wording import say


class Command(MadseaCommand):
    help = say(
        "Cancel unfinished batches, as the admin's Cancel does: what waits at once, what runs as"
        " soon as its server can be stopped. A filter chooses whole batches."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(
            parser,
            since=say("requested that day or later"),
            until=say("requested that day or earlier"),
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options, permissions.TO_CANCEL)
        found = list(selection.unfinished_batches(choice(options)))
        if not found:
            self.stdout.write(str(say("Nothing to do: no batch that fits is unfinished.")))
            return
        if options["dry_run"]:
            self._list(found)
            return
        done = [batches.cancel(batch, actor=user) for batch in bar(found, say("Cancelling"))]
        n_batches = sum(not each.is_nothing for each in done)
        told = say("Cancel of {batches} requested.", batches=counted(n_batches, "batch"))
        self.stdout.write(str(told))

    def _list(self, found: list[Batch]) -> None:
        for batch in found:
            where = f"{batch.episode.project} {batch.episode} {batch.style.code}"
            self.stdout.write(f"{batch} {where}: {in_words(batch.status)}, {done_of(batch)}")
        told = say("{batches} would be cancelled.", batches=counted(len(found), "batch"))
        self.stdout.write(str(told))
