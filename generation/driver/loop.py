"""The driver's loop: lease, adopt, claim, post, follow, fetch, publish; then look once more.

Whatever goes wrong with the database ends it: a successor adopts what is in flight, so there is
nothing here that has to be saved. Source: protocol.md §8.1, §16.
"""

import logging
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Protocol

from django.conf import settings
from django.db import close_old_connections

from generation import queueing
from generation.comfyui.client import Client
from generation.comfyui.http_transport import Timeouts
from generation.driver import unforeseen_errors
from generation.driver.flight_control import FlightControl
from generation.driver.heartbeat import BEAT_EVERY_S, Heartbeat
from generation.driver.socket_listener import SocketListener
from generation.driver.stages import Running
from generation.driver.transfers import Message, TransferDone, Transfers
from generation.errors import Fenced
from generation.models import Attempt
from generation.services import server_leases, servers, transitions
from generation.services.claims import Desk
from generation.services.server_leases import Lease

logger = logging.getLogger(__name__)

#: The longest that one call may take: even one begun late in a beat ends before the lease does.
TIMEOUTS = Timeouts(connect_s=3.0, read_s=5.0, whole_s=8.0)
OBEY_EVERY_S = 0.5
PROGRESS_EVERY_S = 0.5
IDLE_WAIT_S = 0.1
#: After how long a driver makes room for another, where servers are more than workers.
TURN_S = 20.0


class StopSignal(Protocol):
    """Says when to leave."""

    def poll(self) -> bool:
        """Return whether the driver must leave now."""


def drive(server_id: int, *, stop: StopSignal) -> None:
    """Drive a server until there is nothing left for it; return at once when another does.

    Work that came while the lease was being given back is not stranded: it is looked for again.
    """
    lease = server_leases.take(server_id)
    if lease is None:
        return
    try:
        with suppress(Fenced):
            Driver(lease, stop).run()
    except Exception as error:
        if unforeseen_errors.is_foreseen(error):
            raise
        unforeseen_errors.end_all_in_hand(lease, error)
    finally:
        server_leases.give_back(lease)
    if not stop.poll():
        queueing.wake()
        queueing.wake_left_behind()


class Driver:
    """One run of the loop under one lease."""

    def __init__(self, lease: Lease, stop: StopSignal) -> None:
        self._lease = lease
        self._stop = stop
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._pictures: deque[TransferDone] = deque()
        where = servers.endpoint_of(lease.server)
        self._heartbeat = Heartbeat(lease)
        self._client = Client(where, timeouts=TIMEOUTS, before=self._heartbeat.before)
        # The threads have one of their own: they never touch the database.
        self._files = Client(where, timeouts=TIMEOUTS)
        self._transfers = Transfers(self._files, self._inbox)
        self._socket = SocketListener(where, self._inbox)
        self._desk = Desk(lease)
        self._control = FlightControl(
            lease,
            self._client,
            desk=self._desk,
            transfers=self._transfers,
            socket=self._socket,
        )
        self._began_at = monotonic()
        self._ends_at = self._began_at + settings.MADSEA_DRIVER_LIFE_S
        self._busy_at = self._beat_at = self._obeyed_at = self._reported_at = monotonic()
        self._claims_at = 0.0

    def run(self) -> None:
        """Loop until nothing is left, the life budget is used up, or the workers stop.

        What runs on the server is left running: the next driver adopts it.

        Raises:
            Fenced: the lease is another's now.
        """
        logger.info("driving %s", self._lease.server.name)
        try:
            self._control.adopt()
            # Before any claim, which a draining server would refuse: what was given up here goes.
            self._control.advance()
            while not self._stop.poll():
                self._turn()
                self._note_work()
                if self._is_over():
                    break
            self._control.remember()
        finally:
            self._socket.close()
            self._transfers.close()
            self._client.close()
            self._files.close()
            logger.info("leaving %s", self._lease.server.name)

    def _note_work(self) -> None:
        if self._control.flights:
            self._busy_at = monotonic()

    def _is_over(self) -> bool:
        now = monotonic()
        if now > self._ends_at or self._control.is_set_aside:
            return True
        if self._control.flights:
            return False
        is_idle = now - self._busy_at > settings.MADSEA_LINGER_S
        return is_idle or self._control.reachability.is_lost

    def _turn(self) -> None:
        self._beat()
        self._obey()
        self._control.advance()
        if self._control.is_set_aside:
            return
        self._fill()
        self._listen()
        self._publish()
        self._report()
        if self._control.flights:
            self._busy_at = monotonic()

    def _beat(self) -> None:
        if monotonic() - self._beat_at < min(BEAT_EVERY_S, settings.MADSEA_LEASE_S / 3):
            return
        self._beat_at = monotonic()
        close_old_connections()
        self._heartbeat.beat()
        self._control.remember()
        self._control.reachability.check(is_idle=not self._control.flights)
        if monotonic() - self._began_at > TURN_S and server_leases.another_server_waits(
            self._lease
        ):
            self._ends_at = 0.0

    def _obey(self) -> None:
        if self._control.flights and monotonic() - self._obeyed_at >= OBEY_EVERY_S:
            self._obeyed_at = monotonic()
            self._control.obey()

    def _fill(self) -> None:
        """Claim until the server has its depth, and post each before the next is claimed.

        When there is nothing to claim, or the server may not take more, it is looked for again a
        moment later, not with every word of the socket.
        """
        while self._control.has_room() and monotonic() >= self._claims_at:
            attempt = self._claim()
            if attempt is None:
                self._claims_at = monotonic() + IDLE_WAIT_S
                return
            self._control.take(attempt)
            self._control.advance()
            if self._control.is_set_aside:
                return

    def _claim(self) -> Attempt | None:
        try:
            return self._desk.claim(in_flight=self._control.flights.n_on_server)
        except Fenced:
            self._drain()
            return None

    def _drain(self) -> None:
        """Go on with what is in flight, if the lease is ours and only claiming is forbidden."""
        if not server_leases.beat(self._lease) or not self._control.flights:
            raise Fenced(f"{self._lease.server.name} is another's, or takes nothing more.")

    def _listen(self) -> None:
        """Wait for the next message, then take all that have come, and none that come meanwhile."""
        wait_s = 0.0 if self._pictures else min(IDLE_WAIT_S, self._control.due_in_s())
        try:
            message = self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait()
        except Empty:
            return
        self._hear(message)
        for _ in range(self._inbox.qsize()):
            self._hear(self._inbox.get())

    def _hear(self, message: Message) -> None:
        """Take a message; pictures have time until the server has its next prompt."""
        if isinstance(message, TransferDone) and message.has_pictures:
            self._pictures.append(message)
        else:
            self._control.hear(message)

    def _publish(self) -> None:
        """Reserve and publish the pictures of one attempt, which takes longer than all else."""
        if self._pictures:
            self._control.hear(self._pictures.popleft())

    def _report(self) -> None:
        now = monotonic()
        if now - self._reported_at < PROGRESS_EVERY_S:
            return
        # What is rendered has no progress but its publication.
        for flight in self._control.flights.in_stage(Running):
            progress = flight.progress
            # Nobody is helped by the progress of what is rendered in less than that.
            is_quick = now - (progress.first_heard_at or now) < PROGRESS_EVERY_S
            if not is_quick and progress.pct > progress.written_pct:
                self._reported_at = now
                transitions.advance(flight.attempt, progress.pct)
                progress.written_pct = progress.pct
