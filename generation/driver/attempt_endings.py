"""How attempts end without a picture: failed, stopped, lost, or with their server set aside."""

from contextlib import suppress

from django.db.models import F, Q

from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError
from generation.driver import effects as do
from generation.driver import prompt_exchange
from generation.driver.flights import Flight, Flights
from generation.driver.stages import Preparing
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.services import capability, circuit_breaker, server_quarantine, servers, transitions
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome
from wording import in_turn

#: After these nothing can succeed on the server until it has restarted.
SET_ASIDE = frozenset({"cuda_poisoned", "worker_dead"})
#: After these the prompt may be on the server all the same, or get there late.
MAY_BE_THERE = frozenset({"worker_dead", "prompt_not_taken", "driver_error"})


class AttemptEndings:
    """Closes the attempts of one driver; `is_set_aside` once its server was, with all of them.

    Each of its acts raises `Fenced` when the attempt is no longer ours.
    """

    def __init__(self, lease: Lease, client: Client, flights: Flights) -> None:
        self._lease = lease
        self._client = client
        self._flights = flights
        self.is_set_aside = False

    def fail(self, flight: Flight, effect: do.Fail) -> None:
        """End an attempt that failed, and see what that says of its server."""
        why = effect.why
        if why.code == "out_of_memory" and not self._was_short(flight):
            why = self._with_memory_freed(why)
        is_there = effect.is_left or effect.is_deaf or why.code in MAY_BE_THERE
        transitions.fail(flight.attempt, why, is_left_behind=is_there)
        self._flights.remove(flight)
        if effect.is_deaf or why.code in SET_ASIDE:
            self._set_aside(why, flight.prompt_id)
        elif workflow := flight.attempt.run.workflow:
            circuit_breaker.block_if_failing(self._lease.server, workflow, flight.attempt)

    def fail_attempt(self, attempt: Attempt, why: PlanFailure) -> None:
        """End an attempt that failed, whether it is in flight or not."""
        flight = self._flights.of(attempt.pk)
        if flight is not None:
            self.fail(flight, do.Fail(why))
        elif attempt.outcome == AttemptOutcome.OPEN:
            transitions.fail(attempt, why, is_left_behind=why.code in MAY_BE_THERE)

    def _was_short(self, flight: Flight) -> bool:
        since_retried = Q(run=flight.attempt.run, number__gt=F("run__tried_from"))
        before = Attempt.objects.filter(since_retried, server=self._lease.server)
        return before.filter(failure_code="memory_short").exists()

    def _with_memory_freed(self, why: PlanFailure) -> PlanFailure:
        with suppress(ComfyError):
            self._client.free()
        return failure("memory_short", why.message)

    def turn_away(self, flight: Flight, effect: do.TurnAway) -> None:
        """Queue the plan again for a server that has what this one lacks, or let it fail."""
        lacks = prompt_exchange.lacks(effect.refused, flight.attempt.graph)
        if lacks and capability.turn_away(flight.attempt, lacks):
            return
        why = failure(effect.code, in_turn(effect.refused.sentences(), "\n"))
        self.fail(flight, do.Fail(why))
        if prompt_exchange.concerns_its_likes(effect.refused, flight.attempt):
            transitions.fail_alike(flight.attempt, why)

    def yield_server(self, _: Flight, effect: do.YieldServer) -> None:
        """Take ours off a server that somebody else's prompt keeps busy, and have it set aside.

        Nothing is done while one of ours runs, or has ended.

        Raises:
            ComfyError: the server did not answer.
        """
        queue = self._client.queue()
        waiting = [flight for flight in self._flights if flight.prompt_id in queue.pending]
        unposted = self._flights.in_stage(Preparing)
        if effect.foreign not in queue.running:
            return
        if not all(flight in waiting or flight in unposted for flight in self._flights):
            return
        self._client.delete_pending([flight.prompt_id for flight in waiting])
        after = self._client.queue()
        # If it has ended just now, what was deleted is found to be lost at the next look.
        is_left = any(flight.prompt_id in after for flight in waiting)
        if after.running != queue.running or is_left:
            return
        for flight in waiting:
            transitions.fail(flight.attempt, effect.why)
            self._flights.remove(flight)
        self._set_aside(effect.why, effect.foreign)

    def _set_aside(self, why: PlanFailure, prompt_id: str) -> None:
        server_quarantine.set_aside(self._lease.server, why, prompt_id)
        # Their attempts were given back with the server's.
        self._flights.clear()
        self.is_set_aside = True

    def stop(self, flight: Flight, _: do.EndCancelled) -> None:
        """End a cancelled attempt whose prompt is off the server."""
        transitions.stop(flight.attempt)

    def step_back(self, flight: Flight, _: do.StepBack) -> None:
        """Give a plan back before it was posted, as its server stands aside."""
        server = self._lease.server
        server.refresh_from_db(fields=["set_aside_code", "set_aside_detail"])
        transitions.step_back(flight.attempt, server.set_aside_detail)

    def lose_interrupted(self, flight: Flight, _: do.LoseInterrupted) -> None:
        """End an attempt that somebody else stopped on the server."""
        transitions.lose_interrupted(flight.attempt)

    def lose(self, flight: Flight, effect: do.Lose) -> None:
        """End an attempt that the server has forgotten."""
        transitions.lose(flight.attempt, effect.detail)
        servers.read_again(self._lease.server)
