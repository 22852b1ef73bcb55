"""Read the storyboards that wait, and end."""

from typing import Any

from django.core.management.base import no_translations

from generation.management.command import MadseaCommand, counted
from storyboards.services import reading_queue
from wording import say


class Command(MadseaCommand):
    help = say(
        "Read the storyboards that wait for it, one after another, and end. Madsea starts it by"
        " itself when a storyboard comes in; where another one reads on this machine it ends at"
        " once."
    )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        n_read = reading_queue.read_waiting()
        if n_read:
            self.stdout.write(f"{counted(n_read, 'storyboard')} read.")
