"""Finding a flight's prompt on its server: by the id that counts, or else by its prefix.

The id that counts is the one in the answer to POST /prompt: a ComfyUI before 0.3.45 draws its own.
When that answer was lost, the prompt's graph still names the attempt's unique file name prefix.
"""

from collections.abc import Collection

from generation.comfyui.client import Client
from generation.comfyui.errors import ANSWERED, BadAnswer, TooLarge
from generation.comfyui.protocol import Accepted, History, Queue
from generation.driver.flight import Flight
from generation.driver.publisher import ERRORS_MOST
from generation.services import transitions


class Finder:
    """Finds the prompts of one driver's flights, and writes down which ids they have."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @staticmethod
    def check_own(accepted: Accepted, others: Collection[str]) -> None:
        """Believe no answer with the id of another prompt of ours.

        Raises:
            BadAnswer: it is one; the prompt may be queued under an id of its own.
        """
        if accepted.prompt_id in others:
            words = "The server acknowledges the prompt by the id of another."
            raise BadAnswer(words, maybe_sent=True)

    @staticmethod
    def recognise(flight: Flight, prompt_id: str) -> None:
        """Take the id that the server gave the prompt, if it is another than is known.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        if prompt_id != flight.prompt_id:
            transitions.recognise(flight.attempt, prompt_id)

    def search(self, flight: Flight, queue: Queue) -> None:
        """Find a prompt in the queue whose answer was lost, and its id with it.

        One that was posted twice, the first time late, is there under two ids where the server
        draws them: all but the first that runs are taken away while they wait.
        """
        named = queue.named(flight.prefix)
        if not named or named == (flight.prompt_id,):
            return
        if not flight.is_acknowledged or flight.prompt_id in queue:
            self.recognise(flight, named[0])
        doubles = [each for each in named if each != flight.prompt_id and each in queue.pending]
        if doubles:
            self._client.delete_pending(doubles)
            transitions.note(flight.attempt, "doubled")

    def search_now(self, flight: Flight) -> None:
        """Ask for the queue to find a prompt, unless the server has told its id."""
        if not flight.is_acknowledged:
            self.search(flight, self._client.queue())

    def history(self, flight: Flight) -> History | None:
        """Ask how a prompt ended; None while it has not, when it is unknown or is never told.

        Somebody's odd node makes the history of a prompt an error for good, or without end: after
        three such answers, while all else is answered, what counts is whether it left its file.
        """
        try:
            return self._client.history(flight.prompt_id)
        except BadAnswer:
            flight.n_untold += 1
            if flight.n_untold < ERRORS_MOST:
                raise
            return None

    def find_ended(self, flight: Flight) -> History | None:
        """Find how a prompt has ended whose answer was lost; None when that cannot be found out."""
        if flight.is_acknowledged:
            return None
        try:
            # Not knowing it, one of two servers that answer in turn says nothing of the other.
            found = self._find_ended(flight) or self._find_ended(flight)
        except (*ANSWERED, TooLarge):
            # Somebody's odd prompt makes the whole list fail: its file may be there all the same.
            return None
        if found is None:
            return None
        self.recognise(flight, found[0])
        return found[1]

    def _find_ended(self, flight: Flight) -> tuple[str, History] | None:
        self._client.reconnect()
        return self._client.find_ended(flight.prefix)
