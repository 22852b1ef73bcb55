"""Panels on their way to a server: uploaded once per content, before the prompts that use them."""

from generation.driver.effects import ForgetPanels, UploadPanel, UsePanel
from generation.driver.flights import Flight
from generation.driver.observations import Observation, PanelNotUploaded
from generation.driver.transfers import Transfers
from generation.services import prompt_graphs, transitions, volumes
from generation.storage import StorageError


class PanelUploads:
    """Knows which panels this driver has brought to its server."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._on_server: set[str] = set()

    def has(self, flight: Flight) -> bool:
        """Tell whether a flight's panel is on the server, or none is needed."""
        panel = flight.attempt.panel
        return panel is None or panel.sha256 in self._on_server

    def upload(self, flight: Flight, _: UploadPanel) -> Observation | None:
        """Have a flight's panel uploaded by a thread."""
        panel = flight.attempt.panel
        if panel is None:
            return None
        name = prompt_graphs.panel_name(panel).rpartition("/")[2]
        try:
            self._transfers.upload(flight.attempt.pk, panel, name, volumes.expected_marks())
        except StorageError as error:
            return self.settled(flight, PanelNotUploaded(error))
        return None

    @staticmethod
    def settled(flight: Flight, observed: PanelNotUploaded) -> PanelNotUploaded:
        """See to our own disk, if that is what kept a panel from being read."""
        problem, panel = observed.problem, flight.attempt.panel
        if panel is None or not isinstance(problem, StorageError) or problem.is_permanent:
            return observed
        is_settled = volumes.adopt_or_note(problem, panel.path, is_reading=True)
        return PanelNotUploaded(problem, is_settled=is_settled)

    def use(self, flight: Flight, effect: UsePanel) -> None:
        """Have the prompt name the panel as the server does.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        attempt = flight.attempt
        if attempt.panel is not None and effect.name == prompt_graphs.panel_name(attempt.panel):
            self._on_server.add(attempt.panel.sha256)
            return
        attempt.graph = prompt_graphs.with_panel(attempt, effect.name)
        transitions.rewrite_graph(attempt, attempt.graph)

    def forget(self, _flight: Flight, _: ForgetPanels) -> None:
        """Have all panels uploaded again: somebody has removed some."""
        self._on_server.clear()
