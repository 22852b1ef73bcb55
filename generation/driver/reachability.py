"""Whether a server answers, and when to try it again."""

from time import monotonic

from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError
from generation.models import Server
from generation.services import servers
from wording import words_of

PAUSES_S = (0.5, 1.0, 2.0)
TOLD_AFTER_S = 3.0


class Reachability:
    """Counts failed calls in a row; while there are any, nothing is claimed for the server."""

    def __init__(self, server: Server, client: Client) -> None:
        self._server = server
        self._client = client
        self._n_failed = 0
        self._detail = ""
        self._lost_since = 0.0
        self._is_told = False
        self.pause_ends_at = 0.0

    @property
    def is_lost(self) -> bool:
        """Whether the last call failed."""
        return self._n_failed > 0

    @property
    def is_paused(self) -> bool:
        """Whether it is too early to try again."""
        return monotonic() < self.pause_ends_at

    def failed(self, error: ComfyError) -> None:
        """Take a failed call into account: the more in a row, the longer the pause."""
        self.pause_ends_at = monotonic() + PAUSES_S[min(self._n_failed, len(PAUSES_S) - 1)]
        self._lost_since = self._lost_since if self._n_failed else monotonic()
        self._n_failed += 1
        self._detail = words_of(error) or type(error).__name__
        if self._n_failed == 1:
            self._write()

    def worked(self) -> None:
        """Take into account that calls are answered."""
        was_lost, self._n_failed, self._detail = self.is_lost, 0, ""
        if was_lost:
            self._write()

    def take_news(self, *, answers: bool) -> str:
        """Return, once, what plans are to be told: `answered`, `unanswered`, or nothing new.

        A server that has not answered for a while is told of: no mere hiccup.
        """
        was_told = self._is_told
        if answers:
            self._is_told = False
            return "answered" if was_told else ""
        self._is_told = was_told or monotonic() - self._lost_since >= TOLD_AFTER_S
        return "unanswered" if self._is_told and not was_told else ""

    def ask_again(self) -> None:
        """After a failed call, ask for a sign of life before anything else.

        Raises:
            ComfyError: there is none.
        """
        if self.is_lost:
            self._client.queue_remaining()

    def check(self, *, is_idle: bool) -> None:
        """Write down whether the server answers; an idle one is asked for it."""
        if is_idle:
            try:
                self._client.queue_remaining()
            except ComfyError as error:
                self.failed(error)
        self._write()

    def _write(self) -> None:
        if self.is_lost:
            servers.note_silence(self._server, self._detail)
        else:
            servers.note_answer(self._server)
