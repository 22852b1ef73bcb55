"""How flights end without an image: failed, stopped, lost, or with their server set aside."""

from contextlib import suppress

from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError, Refused
from generation.comfyui.protocol import Queue
from generation.driver import interpretation
from generation.driver.flight import UNPOSTED, Flight
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.services import capability, circuit_breaker, quarantine, servers, transitions
from generation.services.leases import Lease
from generation.states import AttemptOutcome

#: After these nothing can succeed on the server until it has restarted.
SET_ASIDE = frozenset({"cuda_poisoned", "worker_dead"})
#: After these the prompt may be on the server all the same, or get there late.
MAY_BE_THERE = frozenset({"worker_dead", "prompt_not_taken", "driver_error"})


class Outcomes:
    """Closes the attempts of one driver's flights; `is_aside` once its server was set aside."""

    def __init__(self, lease: Lease, client: Client, flights: dict[int, Flight]) -> None:
        self._lease = lease
        self._client = client
        self._flights = flights
        self.is_aside = False

    def drop(self, flight: Flight) -> None:
        """Have the flight no more."""
        self._flights.pop(flight.attempt.pk, None)

    def fail(
        self, flight: Flight, why: PlanFailure, *, is_left: bool = False, is_deaf: bool = False
    ) -> None:
        """End a flight that failed, and see what that says of its server.

        `is_left`: its prompt still runs there. `is_deaf`: that was to stop, and does not obey.
        """
        if why.code == "out_of_memory" and not self._was_short(flight):
            why = self._with_memory_freed(why)
        is_there = is_left or is_deaf or why.code in MAY_BE_THERE
        transitions.fail(flight.attempt, why, is_left_behind=is_there)
        self.drop(flight)
        if is_deaf or why.code in SET_ASIDE:
            self._set_aside(why, flight.prompt_id)
        elif workflow := flight.attempt.run.batch.workflow:
            circuit_breaker.look(self._lease.server, workflow, flight.attempt)

    def fail_attempt(self, attempt: Attempt, why: PlanFailure) -> None:
        """End an attempt that failed, whether there is a flight of it or not."""
        flight = self._flights.get(attempt.pk)
        if flight is not None:
            self.fail(flight, why)
        elif attempt.outcome == AttemptOutcome.OPEN:
            transitions.fail(attempt, why, is_left_behind=why.code in MAY_BE_THERE)

    def _was_short(self, flight: Flight) -> bool:
        run = flight.attempt.run
        run.refresh_from_db(fields=["tried_from"])
        before = Attempt.objects.filter(
            run=run, server=self._lease.server, number__gt=run.tried_from
        )
        return before.filter(failure_code="memory_short").exists()

    def _with_memory_freed(self, why: PlanFailure) -> PlanFailure:
        with suppress(ComfyError):
            self._client.free()
        return failure("memory_short", why.message)

    def turn_away(self, flight: Flight, error: Refused, code: str) -> None:
        """Queue the plan again for a server that has what this one lacks, or let it fail."""
        lacks = interpretation.lacks(error, flight.attempt.graph)
        if lacks and capability.turn_away(flight.attempt, lacks):
            self.drop(flight)
        else:
            self.fail(flight, failure(code, "\n".join(error.sentences())))

    def make_way(self, foreign: str, why: PlanFailure, queue: Queue) -> None:
        """Take ours off a server that somebody else's prompt keeps busy, and have it set aside.

        Raises:
            ComfyError: the server did not answer.
        """
        waiting = [each for each in self._flights.values() if each.prompt_id in queue.pending]
        if not all(each in waiting or each.stage in UNPOSTED for each in self._flights.values()):
            return
        self._client.delete_pending([each.prompt_id for each in waiting])
        after = self._client.queue()
        # If it has ended just now, what was deleted is found to be lost at the next look.
        if after.running != queue.running or any(each.prompt_id in after for each in waiting):
            return
        for flight in waiting:
            transitions.fail(flight.attempt, why)
            self.drop(flight)
        self._set_aside(why, foreign)

    def _set_aside(self, why: PlanFailure, prompt_id: str) -> None:
        quarantine.set_aside(self._lease.server, why, prompt_id)
        # Their attempts were given back with the server's.
        self._flights.clear()
        self.is_aside = True

    def stopped(self, flight: Flight) -> None:
        """End a flight whose prompt is off the server: cancelled, or given up as hung."""
        if flight.verdict is not None:
            self.fail(flight, flight.verdict)
            return
        transitions.stop(flight.attempt)
        self.drop(flight)

    def stepped_back(self, flight: Flight) -> None:
        """Give a plan back before it was posted, as its server stands aside."""
        self._lease.server.refresh_from_db(fields=["set_aside_code", "set_aside_detail"])
        detail = self._lease.server.set_aside_detail.rstrip(".")
        transitions.step_back(flight.attempt, detail)
        self.drop(flight)

    def interrupted(self, flight: Flight) -> None:
        """End a flight that somebody else stopped on the server."""
        transitions.lose_interrupted(flight.attempt)
        self.drop(flight)

    def lost(self, flight: Flight, detail: str) -> None:
        """End a flight that the server has forgotten."""
        transitions.lose(flight.attempt, detail)
        servers.read_again(self._lease.server)
        self.drop(flight)
