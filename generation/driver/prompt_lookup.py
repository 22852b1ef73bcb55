"""Finding an attempt's prompt on its server: by the id that counts, or else by its prefix.

The id that counts is the one in the answer to POST /prompt: a ComfyUI before 0.3.45 draws its own.
When that answer was lost, the prompt's graph still names the attempt's unique file name prefix.
"""

from collections.abc import Collection
from itertools import takewhile
from time import monotonic

from generation.comfyui.client import Client, is_addressable
from generation.comfyui.errors import ANSWERED, BadAnswer, TooLarge
from generation.comfyui.protocol import Accepted, History, OutputFile, Queue
from generation.driver import observations as seen
from generation.driver import prompt_exchange
from generation.driver import running_rules as timing
from generation.driver.effects import AskOnceMore, DeleteDoubledPrompt, SearchByPrefix
from generation.driver.flights import Flight, Flights
from generation.driver.observations import Observation
from generation.driver.socket_listener import SocketListener
from generation.driver.split_address import SplitAddress
from generation.driver.stages import is_acknowledged
from generation.driver.timeouts import LimitsByWorkflow
from generation.services import transitions
from wording import say


class PromptLookup:
    """Looks for the prompts of one driver, and writes down which ids they have."""

    def __init__(
        self, client: Client, flights: Flights, split: SplitAddress, socket: SocketListener
    ) -> None:
        self._client = client
        self._flights = flights
        self._split = split
        self._socket = socket
        self._timeouts = LimitsByWorkflow()

    # The id that counts ---------------------------------------------------------------------------

    @staticmethod
    def check_own(accepted: Accepted, others: Collection[str]) -> None:
        """Believe no answer with the id of another prompt of ours.

        Raises:
            BadAnswer: it is one; the prompt may be queued under an id of its own.
        """
        if accepted.prompt_id in others:
            words = say("The server acknowledges the prompt by the id of another.")
            raise BadAnswer(words, maybe_sent=True)

    @staticmethod
    def recognise(flight: Flight, prompt_id: str) -> None:
        """Take the id that the server gave the prompt, if it is another than is known.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        if prompt_id != flight.prompt_id:
            transitions.recognise(flight.attempt, prompt_id)

    def recognise_in(self, queue: Queue, flight: Flight) -> None:
        """Find a prompt in the queue whose answer was lost, and its id with it.

        One that was posted twice, the first time late, is there under two ids where the server
        draws them: all but the first that runs are taken away while they wait.
        """
        named = queue.named(flight.prefix)
        if not named or named == (flight.prompt_id,):
            return
        if not is_acknowledged(flight.stage) or flight.prompt_id in queue:
            self.recognise(flight, named[0])
        copies = [pk for pk in named if pk != flight.prompt_id and pk in queue.pending]
        if copies:
            self._client.delete_pending(copies)
            transitions.note(flight.attempt, "doubled")

    def recognise_now(self, flight: Flight) -> None:
        """Ask for the queue to find a prompt, unless the server has told its id."""
        if not is_acknowledged(flight.stage):
            self.recognise_in(self._client.queue(), flight)

    # Looking --------------------------------------------------------------------------------------

    def look_after_s(self) -> float:
        """Return in how many seconds a prompt that is on the server is to be looked for again."""
        usual_s = timing.LOOK_RUNNING_S if self._socket.is_open() else timing.LOOK_BLIND_S
        return self._split.next_look_s(usual_s)

    def find(self, flight: Flight, queue: Queue) -> Observation:
        """Observe where a prompt is: in the queue, which was asked for just now, or the history.

        Raises:
            ComfyError: the server did not answer.
        """
        self.recognise_in(queue, flight)
        if flight.prompt_id in queue:
            return self._in_queue(flight, queue)
        try:
            history = self._client.history(flight.prompt_id)
        except BadAnswer as error:
            # Somebody's odd node makes the history of a prompt an error for good.
            return seen.HistoryBroken(error, is_split=self._split.is_proven)
        if history is None:
            return seen.PromptNotThere(is_split=self._split.is_proven)
        return self._in_history(flight, history)

    def _in_queue(self, flight: Flight, queue: Queue) -> seen.FoundInQueue:
        ours = self._flights.prompt_ids()
        foreign = (pk for pk in queue.running if pk not in ours and is_addressable(pk))
        outputs = queue.outputs.get(flight.prompt_id, ())
        return seen.FoundInQueue(
            look_after_s=self.look_after_s(),
            limits=self._timeouts.limits(flight.attempt),
            is_running=flight.prompt_id in queue.running,
            runs_any=bool(queue.running),
            foreign=next(foreign, ""),
            heard_at=flight.progress.heard_at,
            n_copies=queue.n_copies(flight.prompt_id),
            drops_result=prompt_exchange.drops_result(flight.attempt.graph, outputs),
        )

    @staticmethod
    def _in_history(flight: Flight, history: History) -> seen.FoundInHistory:
        graph = flight.attempt.graph
        render_s = prompt_exchange.render_s(history)
        is_failed = history.outcome == "error"
        return seen.FoundInHistory(
            outcome=history.outcome,
            files=prompt_exchange.pictures(history, graph),
            why=prompt_exchange.node_failure(history) if is_failed else None,
            # The server's clock may have been set meanwhile.
            render_s=None if render_s is None else min(render_s, monotonic() - flight.begun_at),
            drops_result=prompt_exchange.drops_result(graph, history.ran),
        )

    # Effects --------------------------------------------------------------------------------------

    def delete_doubled_prompt(self, flight: Flight, _: DeleteDoubledPrompt) -> None:
        """Take one of two copies that wait away.

        Raises:
            ComfyError: the server did not answer.
        """
        self._client.delete_pending([flight.prompt_id])
        transitions.note(flight.attempt, "doubled")

    def ask_once_more(self, _flight: Flight, _: AskOnceMore) -> None:
        """Send a request whose answer is of no interest.

        Raises:
            ComfyError: the server did not answer.
        """
        self._client.queue_remaining()

    def search_by_prefix(self, flight: Flight, _: SearchByPrefix) -> Observation:
        """Look for a prompt that is absent: how it ended, if its id was lost, and what it left.

        Raises:
            ComfyError: the server did not answer.
        """
        history = None if is_acknowledged(flight.stage) else self._ended_unknown(flight)
        if history is not None:
            return self._in_history(flight, history)
        is_split = self._split.is_proven
        try:
            left = self._left(flight)
        except ANSWERED as error:
            return seen.LeftFileUnreadable(error, is_split=is_split)
        return seen.NotToBeFound(left, is_split=is_split)

    def _left(self, flight: Flight) -> tuple[OutputFile, ...]:
        """Return the files that a prompt has left: all that it was to save, or none."""
        files = prompt_exchange.left_files(flight.attempt)
        left = tuple(takewhile(self._split.look_for_file, files))
        return left if len(left) >= prompt_exchange.n_pictures(flight.attempt.graph) else ()

    def _ended_unknown(self, flight: Flight) -> History | None:
        """Find how a prompt has ended whose answer was lost; None when that cannot be found out."""
        try:
            # Ask twice: at a split address, one server's no says nothing about the other.
            ended = self._find_ended(flight) or self._find_ended(flight)
        except (*ANSWERED, TooLarge):
            # Somebody's odd prompt makes the whole list fail: its file may be there all the same.
            return None
        if ended is None:
            return None
        self.recognise(flight, ended[0])
        return ended[1]

    def _find_ended(self, flight: Flight) -> tuple[str, History] | None:
        self._client.drop_connection()
        return self._client.find_ended(flight.prefix)
