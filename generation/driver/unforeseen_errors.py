"""The guard: what nobody foresaw ends one attempt with a code, not its driver and the others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DataError, Error, IntegrityError

from generation.comfyui.errors import ComfyError
from generation.driver.attempt_endings import AttemptEndings
from generation.errors import Fenced, PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.services import servers, transitions
from generation.services.server_leases import Lease
from generation.workflows.errors import GraphError
from wording import say, words_of

logger = logging.getLogger(__name__)


class Guard:
    """Stands around each step of one driver's flights."""

    def __init__(self, failed: AttemptEndings) -> None:
        self._failed = failed

    @contextmanager
    def step(self, attempt: Attempt) -> Iterator[None]:
        """End the attempt if its step fails as nobody foresaw: its plan is tried elsewhere.

        Trouble with the server, the lease or the database goes on to who deals with it.
        """
        try:
            yield
        except Exception as error:
            if is_foreseen(error):
                raise
            self._failed.fail_attempt(attempt, _told(error, attempt))


def is_foreseen(error: Exception) -> bool:
    """Tell whether an error is one that a driver lives with, or ends for.

    What a database refuses to store is none: a successor would be refused the same.
    """
    if isinstance(error, DataError | IntegrityError):
        return False
    return isinstance(error, ComfyError | Fenced | Error)


def _told(error: Exception, attempt: Attempt) -> PlanFailure:
    if isinstance(error, GraphError):
        return failure("invalid_graph", words_of(error))
    logger.error("attempt %s: the driver stumbled", attempt.pk, exc_info=error)
    return failure(
        "driver_error", say("Madsea's driver failed: {kind}.", kind=type(error).__name__)
    )


def end_all_in_hand(lease: Lease, error: Exception) -> None:
    """End all that a driver had in hand when it failed outside of any flight.

    Else driver after driver would take it on and fail as well, and its plans would run for ever.
    """
    logger.error("the driver of %s stumbled", lease.server.name, exc_info=error)
    servers.note_silence(
        lease.server, say("Madsea's driver failed there: {kind}.", kind=type(error).__name__)
    )
    why = failure("driver_error", say("Madsea's driver failed: {kind}.", kind=type(error).__name__))
    held = Attempt.objects.under_way().filter(server=lease.server, lease_token=lease.token)
    for attempt in held.select_related("run", "server"):
        attempt.lease_token = lease.token
        transitions.fail(attempt, why, is_left_behind=True)
