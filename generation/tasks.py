"""What django-q2's workers run: one driver, and the tick.

Both speak English, whatever `LANGUAGE_CODE` is: what they leave in rows and logs is told in the
language of whoever reads it, if it is told to people.
"""

import logging

from django.db import DatabaseError, InterfaceError
from django.utils.translation import override

from generation import queueing
from generation.driver import drive as drive_server
from generation.services import servers
from generation.services.tick import tick as set_going_again

logger = logging.getLogger(__name__)


@override("en")
def drive(server_id: int) -> None:
    """Drive a server; a database that went away ends it, and a successor adopts the rest."""
    try:
        drive_server(server_id, stop=queueing.StopSignal())
    except (DatabaseError, InterfaceError):
        logger.exception("the driver of server %s lost its database", server_id)


@override("en")
def tick() -> None:
    """Repair what a lost message, a killed process or a server's return has left to do.

    A plain `qcluster` has nobody else who registers the servers of the settings. The workers of
    `manage.py work` leave it to their main process, whose watchdog knows no work but drivers.
    """
    if queueing.ticks_by_itself():
        return
    servers.register_new()
    set_going_again()
