"""Panels on their way to a server: uploaded once per content, before the prompts that use them."""

from generation.comfyui.errors import ANSWERED, ComfyError, Refused, TooLarge
from generation.driver.failed_attempts import Outcomes
from generation.driver.flight import Flight, Stage
from generation.driver.publisher import ERRORS_MOST
from generation.driver.reachability import Contact
from generation.driver.transfers import Courier, Uploaded
from generation.errors import Busy
from generation.failures import failure
from generation.services import prompt_graphs, transitions, volumes
from generation.storage import StorageError

#: So long after too much was being decoded, a panel is tried again.
BUSY_S = 2.0


class Panels:
    """Knows which panels this driver has brought to its server."""

    def __init__(self, courier: Courier, contact: Contact, outcomes: Outcomes) -> None:
        self._courier = courier
        self._contact = contact
        self._outcomes = outcomes
        self._on_server: set[str] = set()

    def is_there(self, flight: Flight) -> bool:
        """Tell whether a flight's panel is on the server, or none is needed."""
        panel = flight.attempt.panel
        return panel is None or flight.has_panel or panel.sha256 in self._on_server

    def upload(self, flight: Flight) -> None:
        """Have a flight's panel uploaded."""
        panel = flight.attempt.panel
        if panel is not None:
            flight.stage = Stage.PREPARING
            name = prompt_graphs.panel_name(panel).rpartition("/")[2]
            try:
                self._courier.upload(flight.attempt.pk, panel, name, volumes.expected())
            except StorageError as error:
                self._not_read(flight, error)

    def uploaded(self, flight: Flight, message: Uploaded) -> None:
        """Take what came of it: a name on the server, or a problem."""
        if flight.stage is not Stage.PREPARING:
            return
        if message.problem is None:
            self._use(flight, message.name)
        elif isinstance(message.problem, Busy):
            flight.stage = Stage.READY
            flight.look_soon(BUSY_S)
        elif isinstance(message.problem, StorageError):
            self._not_read(flight, message.problem)
        elif isinstance(message.problem, ComfyError):
            self._not_uploaded(flight, message.problem)

    def _not_read(self, flight: Flight, problem: StorageError) -> None:
        """Queue the plan again until its panel can be read; let it fail if it never will be."""
        path = flight.attempt.panel.path if flight.attempt.panel else ""
        if problem.is_permanent:
            self._outcomes.fail(flight, failure("panel_unreadable", str(problem)))
        elif volumes.settle(problem, path, is_reading=True):
            flight.stage = Stage.READY
        else:
            self._outcomes.fail(flight, failure("storage_away", str(problem)))

    def _not_uploaded(self, flight: Flight, problem: ComfyError) -> None:
        """Try again later; but not for ever what the server itself does not take."""
        flight.n_refused += isinstance(problem, ANSWERED)
        if isinstance(problem, TooLarge) or flight.n_refused >= ERRORS_MOST:
            self._outcomes.fail(flight, failure("upload_refused", str(problem)))
            return
        flight.stage = Stage.READY
        self._contact.failed(problem)

    def _use(self, flight: Flight, name: str) -> None:
        panel = flight.attempt.panel
        if panel is not None and name == prompt_graphs.panel_name(panel):
            self._on_server.add(panel.sha256)
        else:
            flight.attempt.graph = prompt_graphs.with_panel(flight.attempt, name)
            transitions.rewrite_graph(flight.attempt, flight.attempt.graph)
        flight.stage, flight.has_panel = Stage.READY, True
        flight.look_soon()

    def vanished(self, flight: Flight, error: Refused) -> None:
        """Upload a panel again that somebody has removed from the server."""
        self._on_server.clear()
        flight.n_refused += 1
        if flight.n_refused > 1:
            self._outcomes.fail(flight, failure("upload_refused", "\n".join(error.sentences())))
            return
        flight.stage, flight.has_panel = Stage.READY, False
        flight.look_soon()
