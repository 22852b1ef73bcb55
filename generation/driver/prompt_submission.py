"""Posting a prompt, and what its server's answer means."""

from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError, Refused
from generation.comfyui.protocol import Accepted
from generation.driver import observations as seen
from generation.driver import prompt_exchange
from generation.driver import running_rules as timing
from generation.driver.effects import Acknowledge
from generation.driver.flights import Flight
from generation.driver.observations import Observation
from generation.driver.prompt_lookup import PromptLookup
from generation.driver.socket_listener import SocketListener
from generation.driver.split_address import SplitAddress
from generation.services import transitions

#: How long a driver's first prompt waits for the socket; without it, no progress is heard.
SOCKET_WAIT_S = 1.0


class PromptSubmission:
    """Brings prompts onto one server."""

    def __init__(
        self, client: Client, socket: SocketListener, lookup: PromptLookup, split: SplitAddress
    ) -> None:
        self._client = client
        self._socket = socket
        self._lookup = lookup
        self._split = split

    def post(self, flight: Flight, others: set[str]) -> Observation:
        """Post a prompt; `others` are the ids of the other prompts of ours."""
        self._socket.wait_first(SOCKET_WAIT_S)
        try:
            accepted = self._client.post_prompt(
                flight.attempt.graph,
                prompt_id=flight.prompt_id,
                client_id=self._socket.client_id,
                extra_data=prompt_exchange.marks(flight.attempt),
            )
            self._lookup.check_own(accepted, others)
        except Refused as refused:
            return self._refused(flight, refused)
        except ComfyError as error:
            return seen.PromptNotPosted(error)
        return self._accepted(flight, accepted)

    def _refused(self, flight: Flight, refused: Refused) -> Observation:
        if flight.attempt.panel is None or not prompt_exchange.misses_panel(refused):
            return seen.PromptRefused(refused)
        is_split = self._split.look_for_panel(flight)
        return seen.PanelVanished("\n".join(refused.sentences()), is_split=is_split)

    def _accepted(self, flight: Flight, accepted: Accepted) -> Observation:
        self._lookup.recognise(flight, accepted.prompt_id)
        if accepted.node_errors:
            refused = Refused(
                error_type="", message="", details="", node_errors=accepted.node_errors
            )
            return seen.PromptPartlyAccepted(refused)
        return seen.PromptAccepted(self._split.next_look_s(timing.LOOK_RUNNING_S))

    @staticmethod
    def acknowledge(flight: Flight, effect: Acknowledge) -> Observation | None:
        """Write down that the server has a prompt; tell if its cancel was requested meanwhile.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        if transitions.acknowledge(flight.attempt, event=effect.event):
            return seen.CancelRequested()
        return None
