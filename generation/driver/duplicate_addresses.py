"""Twins: two registered addresses of one ComfyUI, seen by the driver of either.

Asked before the first prompt is posted, so that no more of them are ever there than one server may
have; and seen for nothing in every queue that is looked at.
"""

import re
from collections.abc import Iterable
from time import monotonic

from django.conf import settings

from generation.comfyui.client import Client
from generation.comfyui.protocol import Queue
from generation.driver.flights import Flight
from generation.models import Attempt, Server
from generation.services import address_conflicts, prompt_graphs
from generation.services.server_leases import Lease

#: So long a server that is the only one in use is not asked about again.
ALONE_S = 2.0
_OURS = re.compile(rf"{prompt_graphs.FOLDER}/([0-9a-f-]{{36}})")


class DuplicateAddresses:
    """Tells one driver's server from all others; `is_aside` once it stands aside for one."""

    def __init__(self, lease: Lease, client: Client) -> None:
        self._server = lease.server
        self._client = client
        self._apart: set[int] = set()
        self._alone_until = 0.0
        self._judged: set[str] = set()
        self._has_twins = address_conflicts.has_twins(lease.server)
        self.is_aside = False

    @property
    def n_there(self) -> int:
        """How many prompts are on the server by its other addresses."""
        return address_conflicts.n_through_twins(self._server) if self._has_twins else 0

    def check_turn(self, flight: Flight) -> bool:
        """Compare this server with the others; return whether a prompt may be posted to it.

        It may when every other one is another ComfyUI, or has nothing. Of two that have nothing
        yet, the one whose plan was claimed first goes first.

        Raises:
            ComfyError: the server did not answer.
        """
        if not self._ask_for_others():
            return not self.is_aside
        others = address_conflicts.open_elsewhere(self._server, self._apart)
        self._compare([attempt for attempt in others if attempt.acknowledged_at is not None])
        waits_for = (attempt.pk for attempt in others if attempt.acknowledged_at is None)
        return not self.is_aside and not any(pk < flight.attempt.pk for pk in waits_for)

    def _ask_for_others(self) -> bool:
        """Return whether other servers are in use, asked now and then while there are none.

        One that is new compares itself with this one.
        """
        if monotonic() < self._alone_until:
            return False
        if address_conflicts.has_others(self._server, self._apart):
            return True
        self._alone_until = monotonic() + ALONE_S
        return False

    def has_place(self, n_posted: int) -> bool:
        """Tell whether one more prompt fits beside ours that are posted and those of the twins.

        What was claimed before a twin was seen would else be one too many.
        """
        return not self._has_twins or n_posted + self.n_there < settings.MADSEA_DEPTH

    def find_foreign(self, queue: Queue, flights: Iterable[Flight]) -> None:
        """See whether the queue holds what was posted to another address."""
        ours = {str(flight.attempt.prompt_id) for flight in flights}
        queued = {match[1] for prefix in queue.by_prefix if (match := _OURS.fullmatch(prefix))}
        strange = queued - ours - self._judged
        if strange:
            self._judged |= strange
            for other in address_conflicts.open_by_prompt(self._server, strange):
                self._join_with(other)

    def _compare(self, known: list[Attempt]) -> None:
        queue = self._client.queue() if known else Queue((), ())
        for attempt in known:
            if self._has(attempt, queue):
                self._join_with(attempt.server)
            elif address_conflicts.is_open(attempt):
                # Its own server has had it all the while.
                self._apart.add(attempt.server_id)

    def _has(self, attempt: Attempt, queue: Queue) -> bool:
        is_queued = attempt.id_on_server in queue or queue.named(prompt_graphs.prefix_of(attempt))
        return bool(is_queued) or self._client.history(attempt.id_on_server) is not None

    def _join_with(self, other: Server) -> None:
        if address_conflicts.stand_twin_aside(self._server, other) == self._server:
            self.is_aside = True
        else:
            self._has_twins = True
