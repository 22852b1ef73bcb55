"""The attempts in flight of one driver: nothing else adds to them or takes from them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

from django.utils import timezone

from generation.driver.progress import PromptProgress
from generation.driver.stages import ON_SERVER, Fetching, Publishing, Stage, retrieval_of
from generation.models import Attempt
from generation.services import prompt_graphs


@dataclass(eq=False)
class Flight:
    """An open attempt in the driver's hands, from its claim to its published versions."""

    attempt: Attempt
    stage: Stage
    progress: PromptProgress = field(init=False)
    begun_at: float = field(init=False)  #: when it was claimed, by whichever driver
    folder: str = ""  #: where its pictures are to be published, once that was asked

    def __post_init__(self) -> None:
        age = timezone.now() - self.attempt.created_at
        self.begun_at = monotonic() - max(0.0, age.total_seconds())
        self.progress = PromptProgress(self.attempt)

    @property
    def prompt_id(self) -> str:
        """The attempt's prompt id as the server has it, as far as that is known."""
        return self.attempt.id_on_server

    @property
    def prefix(self) -> str:
        """The file name prefix by which its prompt is known whatever its id."""
        return prompt_graphs.prefix_of(self.attempt)


class Flights:
    """The set of them, in the order in which they were claimed or adopted."""

    def __init__(self) -> None:
        self._by_id: dict[int, Flight] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Flight]:
        """Iterate over those that are there now, whatever becomes of them meanwhile."""
        return iter(list(self._by_id.values()))

    def __contains__(self, flight: object) -> bool:
        return isinstance(flight, Flight) and self._by_id.get(flight.attempt.pk) is flight

    def add(self, attempt: Attempt, stage: Stage) -> Flight:
        """Take an attempt on."""
        flight = self._by_id[attempt.pk] = Flight(attempt, stage)
        return flight

    def remove(self, flight: Flight) -> None:
        """Have a flight no more."""
        self._by_id.pop(flight.attempt.pk, None)

    def clear(self) -> None:
        """Have none any more: their attempts were given back."""
        self._by_id.clear()

    def of(self, attempt_id: int) -> Flight | None:
        """Return the flight of an attempt; None when it is over."""
        return self._by_id.get(attempt_id)

    def ids(self) -> list[int]:
        """Return the ids of their attempts."""
        return list(self._by_id)

    def with_prompt(self, prompt_id: str) -> Flight | None:
        """Return the flight that has a prompt on the server; None when it is nobody's of ours."""
        return next((f for f in self._by_id.values() if f.prompt_id == prompt_id), None)

    def prompt_ids(self) -> set[str]:
        """Return the ids of their prompts."""
        return {flight.prompt_id for flight in self._by_id.values()}

    def in_stage(self, *stages: type[Stage]) -> list[Flight]:
        """Return those in one of these stages."""
        return [flight for flight in self._by_id.values() if isinstance(flight.stage, stages)]

    def due_at(self) -> float:
        """Return when there is something to do for one of them, without any message."""
        return min((f.stage.due_at for f in self._by_id.values()), default=float("inf"))

    @property
    def n_posted(self) -> int:
        """How many prompts are on the server."""
        return len(self.in_stage(*ON_SERVER))

    @property
    def n_on_server(self) -> int:
        """How many prompts occupy the server, or are about to."""
        off = (Fetching, Publishing)
        return sum(
            not isinstance(f.stage, off) and not retrieval_of(f.stage).n_short
            for f in self._by_id.values()
        )

    @property
    def n_short(self) -> int:
        """How many are rendered and wait for our own disk."""
        return sum(retrieval_of(f.stage).n_short > 0 for f in self._by_id.values())
