"""Split addresses: two ComfyUIs that answer at one address in turn, seen by its driver.

A balancer may take each connection, or each request, to another server. So a driver's first looks,
and every look for a missing prompt, use a new connection. A prompt that was there, gone, and there
again is on one of two servers: the address stands aside, and what it has is followed with more
patience, since every other look finds nothing.
"""

from collections.abc import Iterable

from generation.comfyui import split_probes
from generation.comfyui.client import Client
from generation.comfyui.errors import ANSWERED
from generation.comfyui.protocol import OutputFile
from generation.driver.flights import Flight
from generation.driver.stages import ON_SERVER, is_acknowledged
from generation.failures import SEVERAL_SERVERS, failure
from generation.services import address_conflicts, prompt_graphs, transitions
from generation.services.server_leases import Lease
from wording import say

#: How many first looks of a driver follow one another quickly, each over a new connection.
FIRST_LOOKS = 6
FIRST_LOOK_S = 0.3
TIMES_ASKED = 6
WORDS = say("Several ComfyUIs answer at its address in turn.")


class SplitAddress:
    """What one driver has seen of its server's address; `is_proven` once it is split."""

    def __init__(self, lease: Lease, client: Client) -> None:
        self._server = lease.server
        self._client = client
        self._n_looks = 0
        self.is_proven = lease.server.set_aside_code == SEVERAL_SERVERS

    def prepare(self, due: Iterable[Flight]) -> None:
        """Have the next look go over a connection of its own, where that may show something."""
        stages = [flight.stage for flight in due]
        is_first = self._is_new and any(map(is_acknowledged, stages))
        is_missed = any(isinstance(s, ON_SERVER) and s.absence.since is not None for s in stages)
        if is_first or is_missed or self.is_proven:
            self._client.drop_connection()
        self._n_looks += is_first
        if is_first and self._n_looks % 2:
            # Otherwise, with two prompts, an alternating balancer would ask each server only for
            # the prompt that it has, and hide the split.
            self._client.queue_remaining()
            self._client.drop_connection()

    def next_look_s(self, otherwise_s: float) -> float:
        """Return in how many seconds a prompt that is there is to be looked for again."""
        return min(FIRST_LOOK_S, otherwise_s) if self._is_new else otherwise_s

    @property
    def _is_new(self) -> bool:
        return self._n_looks < FIRST_LOOKS

    def look_for_panel(self, flight: Flight) -> bool:
        """Ask for an uploaded panel again and again; return whether it is there only at times."""
        if flight.attempt.panel is None:
            return False
        folder, _, name = prompt_graphs.panel_name(flight.attempt.panel).rpartition("/")
        panel = OutputFile("", name, folder, "input")
        try:
            is_split = split_probes.is_mixed(
                split_probes.ask_for_file(self._client, panel, TIMES_ASKED)
            )
        except ANSWERED:
            return False
        if is_split:
            self.prove(None)
        return is_split

    def look_for_file(self, file: OutputFile) -> bool:
        """Tell whether a file is there, asking more than once where it seems not to be.

        Raises:
            ComfyError: the server did not answer.
        """
        return any(split_probes.ask_for_file(self._client, file, TIMES_ASKED))

    def prove(self, flight: Flight | None) -> None:
        """Have the server stand aside; the flight showed that its address is split."""
        if self.is_proven:
            return
        self.is_proven = True
        prompt_id = flight.prompt_id if flight is not None else ""
        address_conflicts.stand_aside(
            self._server, failure(SEVERAL_SERVERS, WORDS), prompt_id=prompt_id
        )
        if flight is not None:
            transitions.note(flight.attempt, "split", detail=WORDS)
