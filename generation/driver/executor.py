"""The pilot: what the driver does with its flights, one step at a time."""

from collections.abc import Collection
from contextlib import suppress
from time import monotonic

from django.conf import settings

from generation.comfyui.client import Client
from generation.comfyui.errors import (
    ANSWERED,
    ComfyError,
    Denied,
    Refused,
    TooLarge,
    Unreachable,
)
from generation.comfyui.protocol import Accepted, History, OutputFile, Queue
from generation.driver import interpretation
from generation.driver.duplicate_addresses import Twins
from generation.driver.failed_attempts import Outcomes
from generation.driver.flight import ON_SERVER, UNPOSTED, Flight, Stage
from generation.driver.guard import Guard
from generation.driver.panels import Panels
from generation.driver.prompt_lookup import Finder
from generation.driver.prompt_removal import Remover
from generation.driver.publisher import ERRORS_MOST, Landing
from generation.driver.reachability import Contact
from generation.driver.socket_listener import Watch
from generation.driver.split_address import LOOKS_ABSENT, Split
from generation.driver.timeouts import Patience
from generation.driver.transfers import Courier, Fetched, Message, SocketLost, Stumbled, Uploaded
from generation.errors import Fenced, PlanFailure
from generation.failures import failure
from generation.models import Attempt, Version
from generation.services import servers, transitions
from generation.services.leases import Lease
from generation.states import AttemptOutcome, VersionState

LOOK_RUNNING_S = 2.0
LOOK_BLIND_S = 1.0
LOOK_STOPPING_S = 0.5
LOOK_TWINS_S = 0.05
ABSENT_AGAIN_S = 3.0
SOCKET_WAIT_S = 1.0
#: POSTs without any answer, after each of which the prompt was not there, though all else answered.
UNANSWERED_MOST = 10
#: So many rendered images may wait for our own disks before a driver takes nothing more.
SHORT_MOST = 16


class Pilot:
    """Holds the flights of one driver; `flights` maps attempt ids to what is in the air."""

    def __init__(self, lease: Lease, client: Client, courier: Courier, watch: Watch) -> None:
        self.flights: dict[int, Flight] = {}
        self._lease = lease
        self._client = client
        self._watch = watch
        self.contact = Contact(lease.server, client)
        self._finder = Finder(client)
        self._twins = Twins(lease, client)
        self._split = Split(lease, client)
        self._remover = Remover(lease, client)
        self._outcomes = Outcomes(lease, client, self.flights)
        self._guard = Guard(self._outcomes)
        self._landing = Landing(lease, courier, self.contact, self._outcomes, self.flights)
        self._panels = Panels(courier, self.contact, self._outcomes)
        self._patience = Patience()

    # Taking flights on -------------------------------------------------------------------------

    def adopt(self) -> None:
        """Take over what the driver before left in flight; finish what it had reserved."""
        for attempt in self._lease.adopted:
            attempt.lease_token = self._lease.token
            with self._guard.step(attempt):
                self._adopt(attempt)

    def _adopt(self, attempt: Attempt) -> None:
        reserved = Version.objects.filter(attempt=attempt, state=VersionState.RESERVED).first()
        if reserved is not None:
            self._landing.publish(reserved)
            return
        was_seen = attempt.acknowledged_at is not None
        stage = Stage.POSTED if was_seen else Stage.DOUBTFUL
        flight = self.flights[attempt.pk] = Flight(attempt, stage)
        self._patience.recall(flight)
        transitions.note(attempt, "adopted")

    def remember(self) -> None:
        """Write down what the next driver has to know of the flights."""
        for flight in self.flights.values():
            if flight.stage in ON_SERVER:
                self._patience.remember(flight)

    def take(self, attempt: Attempt) -> None:
        """Take on an attempt that was claimed just now."""
        with self._guard.step(attempt):
            self.flights[attempt.pk] = Flight(attempt, Stage.READY)

    @property
    def n_on_server(self) -> int:
        """How many flights have their prompt on the server, or on the way there."""
        busy = (flight for flight in self.flights.values() if not flight.n_short)
        return sum(flight.stage is not Stage.FETCHING for flight in busy)

    def has_room(self) -> bool:
        """Whether the server may be given one more prompt.

        What is being fetched occupies the server no more, but must not pile up either; nor does
        what our own disk does not take, of which no more is claimed.
        """
        depth = settings.MADSEA_DEPTH
        n_short = sum(flight.n_short > 0 for flight in self.flights.values())
        has_place = self.n_on_server < depth and len(self.flights) - n_short < 2 * depth
        is_able = has_place and n_short < SHORT_MOST and not self.contact.is_lost
        return is_able and self.n_on_server + self._twins.n_there < depth

    @property
    def is_aside(self) -> bool:
        """Whether the server was set aside: nothing is left to do for it."""
        return self._outcomes.is_aside

    # One turn ----------------------------------------------------------------------------------

    def due_in_s(self) -> float:
        """Return in how many seconds there is something to do without any message."""
        dues = [f.look_at for f in self.flights.values() if f.stage in (*ON_SERVER, Stage.READY)]
        return (
            max(0.0, max(min(dues), self.contact.pause_ends_at) - monotonic()) if dues else 3600.0
        )

    def advance(self) -> None:
        """Post what is ready, look for what is due, unless the server is in trouble."""
        if self.contact.is_paused:
            return
        try:
            self.contact.ask_again()
            if self.contact.is_back():
                self._tell_all("answered")
            self._remover.sweep(ours=self._prompt_ids())
            self._post_ready()
            self._look()
        except ComfyError as error:
            # No answer, or none that tells anything: every flight stays what it was.
            self.contact.failed(error)
            if self.contact.is_to_be_told():
                self._tell_all("unanswered", detail=str(error))
        else:
            self.contact.worked()

    def _tell_all(self, event: str, **details: object) -> None:
        for flight in self.flights.values():
            # One that was taken away meanwhile is dropped at the next look.
            with suppress(Fenced):
                transitions.note(flight.attempt, event, **details)

    # Posting -----------------------------------------------------------------------------------

    def _post_ready(self) -> None:
        for flight in list(self.flights.values()):
            if flight.stage is Stage.READY and flight.look_at <= monotonic():
                with self._guard.step(flight.attempt):
                    self._post_if_it_may(flight)

    def _post_if_it_may(self, flight: Flight) -> None:
        if self._split.is_proven:
            self._outcomes.stepped_back(flight)
        elif self._twins.may_post(flight) and self._twins.has_place(self._n_posted()):
            self._upload_or_post(flight)
        elif self._twins.is_aside:
            self._outcomes.stepped_back(flight)
        else:
            flight.look_soon(LOOK_TWINS_S)

    def _n_posted(self) -> int:
        """How many prompts are on the server."""
        return sum(each.stage in ON_SERVER for each in self.flights.values())

    def _upload_or_post(self, flight: Flight) -> None:
        """Have the panel uploaded first, once per content."""
        if self._panels.is_there(flight):
            self._post(flight)
        else:
            self._panels.upload(flight)

    def _post(self, flight: Flight) -> None:
        self._watch.wait_first(SOCKET_WAIT_S)
        flight.stage, flight.post_error = Stage.DOUBTFUL, None
        flight.look_soon()
        try:
            accepted = self._client.post_prompt(
                flight.attempt.graph,
                prompt_id=flight.prompt_id,
                client_id=self._watch.client_id,
                extra_data=interpretation.marks(flight.attempt),
            )
            self._finder.check_own(accepted, self._prompt_ids() - {flight.prompt_id})
        except Refused as error:
            self._refused(flight, error)
        except TooLarge as error:
            self._outcomes.fail(flight, failure("upload_refused", str(error)))
        except ComfyError as error:
            self._not_posted(flight, error)
            raise
        else:
            self._accepted(flight, accepted)

    def _not_posted(self, flight: Flight, error: ComfyError) -> None:
        """Keep for later what cannot have got there; the rest is in doubt, and looked for."""
        flight.post_error = error if isinstance(error, ANSWERED) else None
        if isinstance(error, Unreachable | Denied) and not getattr(error, "maybe_sent", False):
            flight.stage = Stage.READY
        elif flight.post_error is None:
            flight.n_unanswered += 1
        if isinstance(error, Denied):
            self._is_never_taken(flight)

    def _is_never_taken(self, flight: Flight) -> bool:
        """Count a POST that has come to nothing; let the plan fail if too many had answers.

        Each was sent only after the server's queue and history, or its sign of life, had come.
        """
        flight.n_untaken += flight.post_error is not None
        if flight.n_untaken < ERRORS_MOST and flight.n_unanswered < UNANSWERED_MOST:
            return False
        words = str(flight.post_error or "The server gives no answer to the prompt.")
        self._outcomes.fail(flight, failure("prompt_not_taken", words))
        return True

    def _refused(self, flight: Flight, error: Refused) -> None:
        if interpretation.misses_panel(error) and flight.attempt.panel is not None:
            if self._split.lacks_panel_in_turn(flight):
                self._outcomes.stepped_back(flight)
                return
            self._panels.vanished(flight, error)
        else:
            self._outcomes.turn_away(flight, error, "graph_refused")

    def _accepted(self, flight: Flight, accepted: Accepted) -> None:
        self._finder.recognise(flight, accepted.prompt_id)
        if accepted.node_errors:
            self._take_off_server(flight)
            refused = Refused(
                error_type="", message="", details="", node_errors=accepted.node_errors
            )
            self._outcomes.turn_away(flight, refused, "partly_refused")
            return
        self._acknowledge(flight, "reposted" if flight.is_repost else "posted")

    def _acknowledge(self, flight: Flight, event: str) -> None:
        flight.stage, flight.absent_since, flight.is_acknowledged = Stage.POSTED, None, True
        flight.n_missed = 0
        flight.look_soon(self._split.next_look_s(LOOK_RUNNING_S))
        if transitions.acknowledge(flight.attempt, event=event):
            self._stop(flight)

    # Following ---------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        """Take one message of the socket or of the courier."""
        match message:
            case SocketLost():
                self._hurry()
                if message.was_open:
                    servers.read_again(self._lease.server)
            case Uploaded() | Fetched() | Stumbled():
                self._brought(message)
            case _:
                self._heard(message)

    def _brought(self, message: Uploaded | Fetched | Stumbled) -> None:
        """Take what the courier says of a flight; of one that is gone, an image is discarded."""
        flight = self.flights.get(message.attempt_id)
        if flight is None:
            self._landing.discard(message)
            return
        with self._guard.step(flight.attempt):
            match message:
                case Uploaded():
                    self._panels.uploaded(flight, message)
                case Fetched():
                    if message.is_split:
                        self._split.prove(flight)
                    self._landing.fetched(message)
                case Stumbled(problem=problem):
                    raise problem

    def _hurry(self) -> None:
        for flight in self.flights.values():
            flight.look_at = min(flight.look_at, monotonic() + LOOK_BLIND_S)

    def _heard(self, event: Message) -> None:
        prompt_id = getattr(event, "prompt_id", None)
        flight = next((f for f in self.flights.values() if f.prompt_id == prompt_id), None)
        if flight is None:
            return
        flight.heard_at = monotonic()
        flight.running_since = flight.running_since or flight.heard_at
        flight.meter.hear(event)  # type: ignore[arg-type]
        if getattr(event, "node", "") is None:
            flight.ended_by_socket = True
            flight.look_soon()

    def _look(self) -> None:
        """Look for every flight that is due: in the queue first, then in the history."""
        due = [
            flight
            for flight in self.flights.values()
            if flight.stage in ON_SERVER and flight.look_at <= monotonic()
        ]
        if not due:
            return
        self._split.prepare(due)
        only_ended = all(flight.ended_by_socket for flight in due)
        queue = Queue((), ()) if only_ended else self._client.queue()
        self._twins.look(queue, self.flights.values())
        for flight in due:
            if self.is_aside:
                return
            with self._guard.step(flight.attempt):
                self._look_at(flight, queue)

    def _look_at(self, flight: Flight, queue: Queue) -> None:
        self._finder.search(flight, queue)
        if flight.prompt_id in queue:
            self._is_there(flight, queue)
        else:
            self._look_in_history(flight)

    def _is_there(self, flight: Flight, queue: Queue) -> None:
        blind = not self._watch.is_open()
        flight.absent_since, flight.ended_by_socket = None, False
        self._split.saw(flight)
        flight.look_soon(self._split.next_look_s(LOOK_BLIND_S if blind else LOOK_RUNNING_S))
        if queue.count(flight.prompt_id) > 1:
            # The first of two POSTs has come late; one of the two that wait is taken away.
            self._client.delete_pending([flight.prompt_id])
            transitions.note(flight.attempt, "doubled")
        if flight.stage is Stage.DOUBTFUL:
            self._was_taken(flight, queue.outputs.get(flight.prompt_id, ()))
        elif flight.stage is Stage.STOPPING:
            self._is_there_still(flight)
        elif why := self._patience.judge(flight, queue, ours=self._prompt_ids()):
            self._lose_patience(flight, why, queue)

    def _was_taken(self, flight: Flight, outputs: Collection[str]) -> bool:
        """Take note that the server has what it was perhaps given; False if it is not all of it."""
        if interpretation.drops_result(flight, outputs):
            self._take_off_server(flight)
            words = "The server took the prompt without the node of its result."
            self._outcomes.fail(flight, failure("partly_refused", words))
            return False
        self._acknowledge(flight, "posted")
        return True

    def _is_there_still(self, flight: Flight) -> None:
        """It did not hear that it is to stop, or took no notice."""
        if flight.verdict is not None and self._patience.is_deaf(flight):
            # One that runs out for somebody else's sake was never told to stop.
            is_deaf = not flight.runs_out
            self._outcomes.fail(flight, flight.verdict, is_left=True, is_deaf=is_deaf)
            return
        self._take_off_server(flight)
        flight.look_soon(LOOK_RUNNING_S if flight.runs_out else LOOK_STOPPING_S)

    def _lose_patience(self, flight: Flight, why: PlanFailure, queue: Queue) -> None:
        if why.code == "occupied":
            self._outcomes.make_way(flight.behind, why, queue)
            return
        if why.code != "hung":
            self._outcomes.fail(flight, why)
            return
        seconds = round(monotonic() - flight.heard_at)
        transitions.note(flight.attempt, "hung", seconds=seconds)
        flight.verdict, flight.stopping_since = why, monotonic()
        self._patience.remember(flight)
        self._stop(flight)

    def _look_in_history(self, flight: Flight) -> None:
        history = self._finder.history(flight)
        if history is not None:
            self._split.saw(flight, has_ended=True)
            if flight.stage is not Stage.DOUBTFUL or self._was_taken(flight, history.ran):
                self._ended(flight, history)
        else:
            self._is_missed(flight)

    def _is_missed(self, flight: Flight) -> None:
        is_stopping = flight.stage is Stage.STOPPING and flight.is_acknowledged
        if not flight.ended_by_socket:
            self._split.missed(flight)
        if is_stopping and self._split.is_gone(flight):
            # The server had it and has it no more: it was deleted while it waited there.
            self._outcomes.stopped(flight)
        elif flight.absent_since is None:
            flight.absent_since = monotonic()
            # The socket may be a moment ahead of the history.
            is_soon = flight.ended_by_socket or is_stopping
            flight.look_soon(0.1 if is_soon else ABSENT_AGAIN_S / LOOKS_ABSENT)
        elif self._split.is_absent(flight, monotonic() - flight.absent_since, ABSENT_AGAIN_S):
            self._is_absent(flight)
        else:
            flight.look_soon(ABSENT_AGAIN_S / LOOKS_ABSENT)
            flight.ended_by_socket = False

    def _is_absent(self, flight: Flight) -> None:
        """Absent from queue and history, again and again, for some seconds."""
        left = interpretation.left_file(flight)
        if flight.stage is Stage.STOPPING:
            self._outcomes.stopped(flight)
        elif ended := self._finder.find_ended(flight):
            if self._was_taken(flight, ended.ran):
                self._ended(flight, ended)
        elif self._has_left(flight, left):
            self._landing.found(flight, left)
        elif flight.n_untold >= ERRORS_MOST:
            words = "The server cannot tell how the prompt ended, and has no file of it."
            self._outcomes.fail(flight, failure("output_not_given", words))
        elif flight.stage is Stage.DOUBTFUL and self._split.is_proven:
            self._outcomes.stepped_back(flight)
        elif flight.stage is Stage.DOUBTFUL:
            if not self._is_never_taken(flight):
                flight.post_again()
        elif flight.n_ungiven >= ERRORS_MOST:
            self._outcomes.fail(flight, failure("output_not_given", ""))
        else:
            self._outcomes.lost(flight, "it is neither in its queue nor in its history")

    def _has_left(self, flight: Flight, left: OutputFile) -> bool:
        """Tell whether a prompt that is gone has left its file; no if that cannot be found out."""
        try:
            return self._split.has_file(left)
        except ANSWERED:
            if self._landing.is_never_given(flight):
                return False
            raise

    def _ended(self, flight: Flight, history: History) -> None:
        is_cancelled = flight.stage is Stage.STOPPING and flight.verdict is None
        if history.outcome == "success" and not is_cancelled:
            self._landing.succeeded(flight, history)
        elif flight.stage is Stage.STOPPING:
            self._outcomes.stopped(flight)
        elif history.outcome == "interrupted":
            self._outcomes.interrupted(flight)
        else:
            self._outcomes.fail(flight, interpretation.node_failure(history))

    # Cancelling ---------------------------------------------------------------------------------

    def obey(self) -> None:
        """Stop what was cancelled, let go of what was taken away."""
        # The last first: else what waits on the server starts once what runs there has stopped.
        rows = Attempt.objects.filter(pk__in=self.flights).order_by("-pk")
        seen = rows.values_list("pk", "outcome", "run__cancel_requested_at")
        for attempt_id, outcome, cancelled_at in seen:
            flight = self.flights[attempt_id]
            if outcome != AttemptOutcome.OPEN:
                self._outcomes.drop(flight)
                self._remover.look_again()
            elif cancelled_at is not None and flight.stage is not Stage.STOPPING:
                with self._guard.step(flight.attempt):
                    self._stop(flight)

    def _stop(self, flight: Flight) -> None:
        is_unposted = flight.stage in UNPOSTED and not flight.is_repost
        if is_unposted or flight.stage is Stage.FETCHING:
            # What is fetched meanwhile finds no flight, and is dropped.
            self._outcomes.stopped(flight)
            return
        flight.stage, flight.absent_since = Stage.STOPPING, None
        flight.look_soon(0.1)
        try:
            self._take_off_server(flight)
        except ComfyError as error:
            self.contact.failed(error)

    def _take_off_server(self, flight: Flight) -> None:
        if self._split.is_proven:
            self._remover.take_off_either(flight.prompt_id)
            return
        was_told = flight.runs_out
        self._finder.search_now(flight)
        flight.runs_out = not self._remover.take_off(flight.prompt_id, ours=self._prompt_ids())
        if flight.runs_out and not was_told:
            transitions.note_once(flight.attempt, "runs_out")
        if was_told and not flight.runs_out:
            flight.stopping_since = monotonic()

    def _prompt_ids(self) -> set[str]:
        return {flight.prompt_id for flight in self.flights.values()}
