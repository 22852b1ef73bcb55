"""Taking prompts of ours off a server, and nobody else's. Source: protocol.md §8, §11, §16.28-29.

A server can stop one prompt in one of three ways: by `/api/jobs/{id}/cancel`, in one step; by
`/interrupt` with its id; or, before 0.3.57, only by stopping whatever runs at that moment.
"""

import re
from collections.abc import Callable, Collection
from functools import partial

from generation.comfyui.client import Client
from generation.models import Attempt, Server
from generation.services import prompt_graphs, server_leases, servers
from generation.services.server_leases import Lease

#: The first version whose `/interrupt` obeys a prompt id (September 2025).
EXACT_SINCE = (0, 3, 57)
TIMES_TOLD = 2


def stops_exactly(server: Server) -> bool:
    """Tell whether a server's interrupt obeys a prompt id; no when its version is unreadable."""
    return _numbers(server.version) >= EXACT_SINCE


def _numbers(version: str) -> tuple[int, ...]:
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, numbers.groups())) if numbers else ()


class PromptRemoval:
    """Takes prompts off the server of one lease."""

    def __init__(self, lease: Lease, client: Client) -> None:
        self._lease = lease
        self._client = client
        self._may_be_left = True

    def take_off(self, prompt_id: str, *, ours: Collection[str]) -> bool:
        """Take one prompt off, pending or running; False when it is left to run to its end.

        That is when the server could only stop whatever runs, and somebody else's prompt (none of
        `ours`) waits behind: if ours ended between the look and the act, theirs would be stopped.

        Raises:
            ComfyError: the server did not answer.
        """
        server = self._lease.server
        servers.refresh_version(server, self._client)
        if server.has_jobs_api:
            if self._client.cancel_job(prompt_id) is not None:
                return True
            # Without the route that it is known to have, it is another ComfyUI.
            servers.refresh_version(server, self._client, anew=True)
        self._client.delete_pending([prompt_id])
        queue = self._client.queue()
        if prompt_id not in queue.running:
            return True
        if not stops_exactly(server) and not set(queue.pending) <= set(ours):
            return False
        self._client.interrupt(prompt_id)
        return True

    def take_off_either(self, prompt_id: str) -> None:
        """Take one prompt off whichever of two servers has it, that answer in turn.

        Each is told in turn, too. One that can only stop whatever runs is not interrupted.

        Raises:
            ComfyError: the server did not answer.
        """
        servers.refresh_version(self._lease.server, self._client)
        self._tell_either(partial(self._client.delete_pending, [prompt_id]))
        if stops_exactly(self._lease.server):
            self._tell_either(partial(self._client.interrupt, prompt_id))

    def _tell_either(self, tell: Callable[[], None]) -> None:
        for _ in range(TIMES_TOLD):
            self._client.drop_connection()
            tell()

    def look_again(self) -> None:
        """Have `sweep` look once more: an attempt has been given up."""
        self._may_be_left = True

    def sweep(self, *, ours: Collection[str]) -> None:
        """Take off what was given up here: nobody wants its result any more.

        Raises:
            ComfyError: the server did not answer; the next sweep tries again.
        """
        if not self._may_be_left:
            return
        left = server_leases.left_behind(self._lease)
        if left:
            self._take_off_all(left, ours)
            server_leases.note_swept(left)
        self._may_be_left = False

    def _take_off_all(self, left: Collection[Attempt], ours: Collection[str]) -> None:
        queue = self._client.queue()
        ids = {attempt.id_on_server for attempt in left}
        # Whose answer was lost is known by its prefix only.
        ids.update(
            prompt_id
            for attempt in left
            for prompt_id in queue.named(prompt_graphs.prefix_of(attempt))
        )
        # What waits goes first: else it would start as soon as what runs has stopped.
        for prompt_id in queue.pending + queue.running:
            if prompt_id in ids:
                self.take_off(prompt_id, ours=ids.union(ours))
