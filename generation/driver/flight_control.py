"""Flight control: observes each flight, asks the state machine, and carries out its effects."""

from collections import deque
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

from django.conf import settings

from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError
from generation.comfyui.protocol import Event, Queue
from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver import prompt_exchange, timeouts
from generation.driver.duplicate_addresses import DuplicateAddresses
from generation.driver.flights import Flight, Flights
from generation.driver.observations import Observation
from generation.driver.performer import Performer, remember_watched
from generation.driver.reachability import Reachability
from generation.driver.socket_listener import SocketListener
from generation.driver.stages import (
    ON_SERVER,
    Ended,
    Posting,
    Preparing,
    Publishing,
    Running,
    Stopping,
)
from generation.driver.state_machine import decide
from generation.driver.transfers import (
    Message,
    SocketClosed,
    TransferDone,
    TransferFailed,
    Transfers,
)
from generation.driver.unforeseen_errors import Guard
from generation.errors import Fenced
from generation.models import Attempt, Version
from generation.services import servers, transitions
from generation.services.claims import Desk
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome
from wording import words_of

#: So many rendered attempts may wait for our own disks before a driver takes nothing more.
SHORT_MOST = 16


class FlightControl:
    """Moves the flights of one driver along."""

    def __init__(
        self,
        lease: Lease,
        client: Client,
        *,
        desk: Desk,
        transfers: Transfers,
        socket: SocketListener,
    ) -> None:
        self.flights = Flights()
        self.reachability = Reachability(lease.server, client)
        self._lease = lease
        self._client = client
        self._duplicates = DuplicateAddresses(lease, client)
        self._performer = Performer(
            lease, client, desk=desk, transfers=transfers, socket=socket, flights=self.flights
        )
        self._guard = Guard(self._performer.failed)

    # Taking attempts on ---------------------------------------------------------------------------

    def adopt(self) -> None:
        """Take over what the driver before left in flight; finish what it had reserved."""
        for attempt in self._lease.adopted:
            attempt.lease_token = self._lease.token
            with self._guard.step(attempt):
                self._adopt(attempt)

    def _adopt(self, attempt: Attempt) -> None:
        reserved = Version.objects.reserved().filter(attempt=attempt)
        if versions := tuple(reserved.order_by("number")):
            flight = self.flights.add(attempt, Publishing())
            self._follow(flight, seen.NumbersReserved(versions))
        elif attempt.acknowledged_at is not None:
            self.flights.add(attempt, timeouts.recalled_stage(attempt))
            transitions.note(attempt, "adopted")
        elif attempt.graph:
            self.flights.add(attempt, Posting(due_at=monotonic()))
            transitions.note(attempt, "adopted")
        else:
            self.take(attempt)

    def take(self, attempt: Attempt) -> None:
        """Take on an attempt that was claimed just now."""
        with self._guard.step(attempt):
            flight = self.flights.add(attempt, Preparing(due_at=monotonic()))
            self._follow(flight, seen.Claimed())

    def remember(self) -> None:
        """Write down what the next driver has to know of the flights."""
        for flight in self.flights.in_stage(Running, Stopping):
            remember_watched(flight)

    def has_room(self) -> bool:
        """Tell whether the server may be given one more prompt.

        What is being fetched occupies the server no more, but must not pile up either; nor does
        what our own disk does not take, of which no more is claimed.
        """
        depth, n_short = settings.MADSEA_DEPTH, self.flights.n_short
        n_on_server = self.flights.n_on_server
        has_place = n_on_server < depth and len(self.flights) - n_short < 2 * depth
        if not has_place or n_short >= SHORT_MOST or self.reachability.is_lost:
            return False
        return n_on_server + self._duplicates.n_there < depth

    @property
    def is_set_aside(self) -> bool:
        """Whether the server was set aside: nothing is left to do for it."""
        return self._performer.failed.is_set_aside

    # One turn -------------------------------------------------------------------------------------

    def due_in_s(self) -> float:
        """Return in how many seconds there is something to do without any message."""
        due_at = max(self.flights.due_at(), self.reachability.pause_ends_at)
        return max(0.0, due_at - monotonic())

    def advance(self) -> None:
        """Post what is ready, look for what is due, unless the server is in trouble."""
        if self.reachability.is_paused:
            return
        try:
            self.reachability.ask_again()
            self._tell(self.reachability.take_news(answers=True))
            self._performer.removal.sweep(ours=self.flights.prompt_ids())
            for flight in self._due(Preparing):
                with self._guard.step(flight.attempt):
                    self._follow(flight, self._turn(flight))
            self._look(self._due(*ON_SERVER))
        except ComfyError as error:
            # No answer, or none that tells anything: every flight stays what it was.
            self.reachability.failed(error)
            self._tell(self.reachability.take_news(answers=False), detail=words_of(error))
        else:
            self.reachability.worked()

    def _due(self, *stages: Any) -> list[Flight]:
        now = monotonic()
        return [flight for flight in self.flights.in_stage(*stages) if flight.stage.due_at <= now]

    def _tell(self, event: str, **details: object) -> None:
        for flight in self.flights if event else ():
            # One that was taken away meanwhile is dropped at the next look.
            with suppress(Fenced):
                transitions.note(flight.attempt, event, **details)

    def _turn(self, flight: Flight) -> Observation:
        """Observe whether a flight's prompt may be posted now."""
        if self._performer.split.is_proven:
            return seen.ServerStoodAside()
        is_turn = self._duplicates.check_turn(flight)
        if is_turn and self._duplicates.has_place(self.flights.n_posted):
            return seen.TurnCame(has_panel=self._performer.panels.has(flight))
        return seen.ServerStoodAside() if self._duplicates.is_aside else seen.TurnDelayed()

    def _look(self, due: list[Flight]) -> None:
        """Look for every flight that is due: in the queue first, then in the history."""
        if not due:
            return
        self._performer.split.prepare(due)
        # Of what has ended, as the socket says, the queue tells nothing.
        only_ended = all(getattr(flight.stage, "has_ended", False) for flight in due)
        queue = Queue((), ()) if only_ended else self._client.queue()
        self._duplicates.find_foreign(queue, self.flights)
        for flight in due:
            if flight not in self.flights:
                continue
            with self._guard.step(flight.attempt):
                self._follow(flight, self._performer.lookup.find(flight, queue))

    # Messages -------------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        """Take one message of the socket, or of the threads that move files."""
        match message:
            case TransferDone() | TransferFailed():
                self._hear_transfer(message)
            case SocketClosed(was_open=was_open):
                for flight in self.flights:
                    self._follow(flight, seen.SocketLost())
                if was_open:
                    servers.read_again(self._lease.server)
            case _:
                self._hear_event(message)

    def _hear_event(self, event: Event) -> None:
        flight = self.flights.with_prompt(getattr(event, "prompt_id", ""))
        if flight is None:
            return
        flight.progress.hear(event)
        if getattr(event, "node", "") is None:
            self._follow(flight, seen.EndHeard())

    def _hear_transfer(self, message: TransferDone | TransferFailed) -> None:
        """Take what came of a transfer; pictures of an attempt that is over are discarded."""
        flight = self.flights.of(message.attempt_id)
        if flight is None:
            observed = getattr(message, "observation", None)
            if isinstance(observed, seen.PicturesFetched):
                self._performer.publisher.discard(None, do.Discard(observed.images))
            return
        with self._guard.step(flight.attempt):
            if isinstance(message, TransferFailed):
                raise message.problem
            self._follow_outside(flight, self._completed(flight, message.observation))

    def _completed(self, flight: Flight, observed: Observation) -> Observation:
        """Return what a thread observed with what takes the database, or the graph, to know."""
        match observed:
            case seen.PicturesFetched(images=images):
                misfit = prompt_exchange.misfit(flight.attempt, images)
                return replace(observed, misfit=misfit)
            case seen.PicturesNotFetched():
                return self._performer.publisher.settled(flight, observed)
            case seen.PanelNotUploaded():
                return self._performer.panels.settled(flight, observed)
        return observed

    # Cancels --------------------------------------------------------------------------------------

    def obey(self) -> None:
        """Stop what was cancelled, let go of what was taken away."""
        # The last first: else what waits on the server starts once what runs there has stopped.
        rows = Attempt.objects.filter(pk__in=self.flights.ids()).order_by("-pk")
        states = rows.values_list("pk", "outcome", "run__cancel_requested_at")
        for attempt_id, outcome, cancelled_at in states:
            flight = self.flights.of(attempt_id)
            is_closed = outcome != AttemptOutcome.OPEN
            if flight is None or not (is_closed or cancelled_at is not None):
                continue
            with self._guard.step(flight.attempt):
                observed = seen.AttemptClosed() if is_closed else seen.CancelRequested()
                self._follow_outside(flight, observed)

    # The state machine ----------------------------------------------------------------------------

    def _follow_outside(self, flight: Flight, observed: Observation) -> None:
        """Follow what was observed outside of a turn, which trouble with the server would end."""
        try:
            self._follow(flight, observed)
        except ComfyError as error:
            self.reachability.failed(error)

    def _follow(self, flight: Flight, observed: Observation) -> None:
        """Bring a flight to its next stage, and on to those that follow from it at once.

        Raises:
            ComfyError: the server did not answer, or is to be left alone for a moment.
            Fenced: the attempt, or the lease, is no longer ours.
        """
        seen_so_far, troubles = deque([observed]), list[ComfyError]()
        while seen_so_far and flight in self.flights:
            stage, effects = decide(flight.stage, seen_so_far.popleft(), monotonic())
            if not isinstance(stage, Ended):
                flight.stage = stage
            for effect in effects:
                if isinstance(effect, do.PauseServer):
                    troubles.append(effect.error)
                elif (follows := self._performer.perform(flight, effect)) is not None:
                    seen_so_far.append(follows)
            if isinstance(stage, Ended):
                self.flights.remove(flight)
        for trouble in troubles:
            raise trouble
