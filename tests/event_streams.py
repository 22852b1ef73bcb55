"""Listening to an episode over HTTP, as a client does that remembers what it has heard."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.exceptions import RequestException

from tests.processes import wait_for


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    number: int
    name: str
    data: dict[str, Any]


@dataclass
class Ear:
    """One connection to a stream, read in a thread of its own; `heard` outlives it.

    It can be cut off and connected again, to the same or another process.
    """

    token: str
    episode_id: int = 1
    heard: list[Event] = field(default_factory=list)
    last_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    #: Whether the last stream came to its end, and was not cut off in between.
    has_ended: bool = False

    def connect(self, url: str, client: requests.Session | None = None) -> None:
        """Listen, from what was heard last; returns once there is an answer."""
        headers = {"Authorization": f"Token {self.token}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": self.last_id} if self.last_id else {}
        self.has_ended = False
        self._answer = (client or requests.Session()).get(
            f"{url}/api/events?episode_id={self.episode_id}",
            headers=headers | self.headers,
            stream=True,
            timeout=120,
        )
        assert self._answer.status_code == 200, self._answer.text
        # The very connection: what is read of it must not be shut from under its reader.
        self._thread = threading.Thread(target=self._listen, args=[self._answer], daemon=True)
        self._thread.start()

    @property
    def answer_headers(self) -> Mapping[str, str]:
        """What the answer says of itself."""
        return self._answer.headers

    def _listen(self, answer: requests.Response) -> None:
        given: dict[str, str] = {}
        try:
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line:
                    name, _, value = line.partition(": ")
                    given[name] = value
                    continue
                self._take(given)
                given = {}
            self.has_ended = True
        except (RequestException, AttributeError, ValueError, OSError):
            # It was cut off, by us or by the other side.
            return

    def _take(self, given: dict[str, str]) -> None:
        self.last_id = given.get("id", self.last_id)
        if "data" in given:
            data = json.loads(given["data"])
            self.heard.append(Event(int(self.last_id), given["event"], data))

    def cut(self) -> None:
        """Leave, in the middle of whatever comes."""
        self._answer.raw.shutdown()
        self._thread.join(60)
        self._answer.close()

    def wait_for_end(self) -> None:
        """Wait until the other side has ended the stream."""
        self._thread.join(120)

    def wait_for(self, what: Any) -> None:
        """Wait until something is so of what was heard."""
        wait_for(lambda: what(self), name="what was to be heard")

    def all_of(self, name: str) -> list[Any]:
        """Return all that events have named of a kind: batches, plans, versions."""
        return [each for event in self.heard for each in event.data.get(name, [])]

    @property
    def names(self) -> list[str]:
        """What events there were."""
        return [event.name for event in self.heard]
