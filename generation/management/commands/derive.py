"""Make what is derived of published files: their small pictures, the newest first."""

import logging
from argparse import ArgumentParser
from contextlib import suppress
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management.base import no_translations
from django.db import DatabaseError, InterfaceError, close_old_connections

from generation.errors import MadseaError
from generation.management.command import MadseaCommand, counted
from generation.runtime.processes import end_with, leave_on_sigterm
from generation.services import derived_making
from wording import say

logger = logging.getLogger(__name__)

LOOK_S = 1.0
#: After trouble with the database or the disk.
TROUBLE_S = 10.0


class Command(MadseaCommand):
    help = say(
        "Make the small pictures of published files that are still pending, the newest first, and"
        " remove those that nobody needs. `manage.py work` runs it with --follow by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--follow", action="store_true", help=say("go on with what is published")
        )
        parser.add_argument(
            "--again", action="store_true", help=say("try those again of which none could be made")
        )

    @no_translations
    def handle(self, *args: Any, follow: bool, again: bool, **options: Any) -> None:
        if again:
            derived_making.try_again()
        if follow:
            end_with(settings.MADSEA_ENDS_WITH)
            leave_on_sigterm()
            with suppress(KeyboardInterrupt):
                _follow()
            return
        n_settled, n_removed = _all()
        self.stdout.write(
            f"{counted(n_settled, 'version')} settled, {counted(n_removed, 'file')} removed."
        )


def _all() -> tuple[int, int]:
    """Do all that there is to do; return how many versions were settled and files removed."""
    swept = [derived_making.sweep(prefix) for prefix in derived_making.PREFIXES]
    derived_making.clear_of_older_releases()
    maker = derived_making.Maker()
    while maker.make_pending():
        """Go on with the next ones."""
    return maker.n_settled, sum(n_removed for n_removed, _ in swept)


def _follow() -> None:
    """Make what comes, until this process is ended; while there is nothing, look after the rest."""
    maker = derived_making.Maker()
    sweeper = derived_making.Sweeper()
    while True:
        close_old_connections()
        try:
            if maker.make_pending():
                continue
            sweeper.step()
        except (MadseaError, OSError, DatabaseError, InterfaceError) as error:
            logger.warning("small pictures come later: %s", error)
            sleep(TROUBLE_S)
        sleep(LOOK_S)
