"""Carrying effects out: each has one act, by which something more may be observed."""

from collections.abc import Callable
from typing import Any

from generation.comfyui.client import Client
from generation.driver import effects as do
from generation.driver import timeouts
from generation.driver.attempt_endings import AttemptEndings
from generation.driver.effects import Effect
from generation.driver.flights import Flight, Flights
from generation.driver.observations import GraphNotBuilt, Observation, PromptTakenOff
from generation.driver.panel_uploads import PanelUploads
from generation.driver.prompt_lookup import PromptLookup
from generation.driver.prompt_removal import PromptRemoval
from generation.driver.prompt_submission import PromptSubmission
from generation.driver.publisher import Publisher
from generation.driver.socket_listener import SocketListener
from generation.driver.split_address import SplitAddress
from generation.driver.stages import Running, Stopping
from generation.driver.transfers import Transfers
from generation.services import transitions
from generation.services.claims import Desk
from generation.services.server_leases import Lease


class Performer:
    """Has all that one driver can do to its server, its files and the database."""

    def __init__(
        self,
        lease: Lease,
        client: Client,
        *,
        desk: Desk,
        transfers: Transfers,
        socket: SocketListener,
        flights: Flights,
    ) -> None:
        self.split = SplitAddress(lease, client)
        self.failed = AttemptEndings(lease, client, flights)
        self.lookup = PromptLookup(client, flights, self.split, socket)
        self.removal = PromptRemoval(lease, client)
        self.panels = PanelUploads(transfers)
        self.publisher = Publisher(lease, transfers)
        self._submission = PromptSubmission(client, socket, self.lookup, self.split)
        self._desk = desk
        self._transfers = transfers
        self._flights = flights
        self._acts = self._table()

    def perform(self, flight: Flight, effect: Effect) -> Observation | None:
        """Carry an effect out; return what was observed by it, if anything.

        Raises:
            ComfyError: the server did not answer.
            Fenced: the attempt, or the lease, is no longer ours.
        """
        return self._acts[type(effect)](flight, effect)

    def _table(self) -> dict[type, Callable[[Flight, Any], Observation | None]]:
        failed, publisher, panels = self.failed, self.publisher, self.panels
        return {
            do.BuildGraph: self._build_graph,
            do.UploadPanel: panels.upload,
            do.UsePanel: panels.use,
            do.ForgetPanels: panels.forget,
            do.Post: self._post,
            do.Acknowledge: self._submission.acknowledge,
            do.DeleteDoubledPrompt: self.lookup.delete_doubled_prompt,
            do.TakeOff: self._take_off,
            do.AskOnceMore: self.lookup.ask_once_more,
            do.SearchByPrefix: self.lookup.search_by_prefix,
            do.ProveSplit: lambda flight, _: self.split.prove(flight),
            do.YieldServer: failed.yield_server,
            do.Fetch: publisher.fetch,
            do.EndStorageTrouble: publisher.end_storage_trouble,
            do.Discard: publisher.discard,
            do.Reserve: publisher.reserve,
            do.Publish: publisher.publish,
            do.Note: _note,
            do.RememberTimers: lambda flight, _: remember_watched(flight),
            do.Observe: lambda _, effect: effect.observation,
            do.Fail: failed.fail,
            do.TurnAway: failed.turn_away,
            do.StepBack: failed.step_back,
            do.EndCancelled: failed.stop,
            do.Lose: failed.lose,
            do.LoseInterrupted: failed.lose_interrupted,
            do.LetGo: lambda *_: self.removal.look_again(),
        }

    def _build_graph(self, flight: Flight, _: do.BuildGraph) -> Observation | None:
        why = self._desk.build(flight.attempt)
        return None if why is None else GraphNotBuilt(why)

    def _post(self, flight: Flight, _: do.Post) -> Observation:
        others = self._flights.prompt_ids() - {flight.prompt_id}
        observed = self._submission.post(flight, others)
        # Not before the first prompt is there: it would be held up by it.
        self._transfers.warm_up()
        return observed

    def _take_off(self, flight: Flight, effect: do.TakeOff) -> Observation:
        if self.split.is_proven:
            self.removal.take_off_either(flight.prompt_id)
            return PromptTakenOff(runs_out=effect.is_told)
        self.lookup.recognise_now(flight)
        ours = self._flights.prompt_ids()
        runs_out = not self.removal.take_off(flight.prompt_id, ours=ours)
        if runs_out and not effect.is_told:
            transitions.note_once(flight.attempt, "runs_out")
        return PromptTakenOff(runs_out=runs_out)


def remember_watched(flight: Flight) -> None:
    """Store what was watched of a flight, for the next driver."""
    if isinstance(flight.stage, Running | Stopping):
        timeouts.remember(flight.attempt, flight.stage, flight.progress.heard_at)


def _note(flight: Flight, effect: do.Note) -> None:
    note = transitions.note_once if effect.once else transitions.note
    note(flight.attempt, effect.event, **effect.details)
