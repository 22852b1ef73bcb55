"""A server that takes connections and answers nothing: it shows who would have asked it."""

import socket
from typing import Self


class Listener:
    """Listens on a port of its own; what connects waits in the backlog."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def n_connections(self) -> int:
        """Return how many have connected since the last time."""
        found = 0
        while True:
            try:
                self._socket.accept()[0].close()
            except BlockingIOError:
                return found
            found += 1
