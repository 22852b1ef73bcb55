"""The socket of a ComfyUI server: progress as it happens. A hint; an outcome comes from history."""

import time
from collections.abc import Mapping

import urllib3
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from generation.comfyui import address, timed_connections
from generation.comfyui.address import Endpoint
from generation.comfyui.connection_errors import cause
from generation.comfyui.errors import Denied, Unreachable
from generation.comfyui.protocol import Event, parse_frame
from wording import say

_PING_EVERY_S = 25.0
_SILENT_AFTER_S = 55.0
#: A longer message closes the connection: a preview picture in full size is 8 MiB at the most.
MESSAGE_MAX_BYTES = 8 * 2**20
#: Messages that are read ahead, before the server is kept waiting.
_READ_AHEAD = 4


class Socket:
    """One connection under one `client_id`; use a fresh id for every connection.

    A server tells a prompt's progress to the socket with the prompt's `client_id` only, and mixes
    up two connections with the same id. Source: protocol.md §6.1.
    """

    def __init__(
        self, where: str | Endpoint, client_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._where = address.endpoint(where, headers)
        self._client_id = client_id
        self._connection: ClientConnection | None = None

    def connect(self, timeout: float) -> None:
        """Open the connection within `timeout` seconds. Raises Unreachable, Denied."""
        self.close()
        try:
            self._connection = self._opened(timeout)
        except InvalidStatus as error:
            raise _handshake_refused(error.response.status_code) from error
        except (
            WebSocketException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
            EOFError,
        ) as error:
            raise Unreachable(cause(error, say("The server's socket does not open."))) from error

    def _opened(self, timeout_s: float) -> ClientConnection:
        began_at = time.monotonic()
        sock = timed_connections.open_connection(self._where, timeout_s)
        try:
            return connect(
                address.websocket_url(self._where, self._client_id),
                sock=sock,
                additional_headers=self._where.sent_headers,
                user_agent_header=None,
                compression=None,
                proxy=None,
                open_timeout=max(0.1, timeout_s - (time.monotonic() - began_at)),
                ping_interval=_PING_EVERY_S,
                ping_timeout=_SILENT_AFTER_S,
                close_timeout=0.1,
                max_size=MESSAGE_MAX_BYTES,
                max_queue=_READ_AHEAD,
                legacy=True,
            )
        except BaseException:
            sock.close()
            raise

    def receive(self, timeout_s: float) -> Event | None:
        """Return the next event; None when `timeout_s` passes or the frame is one to ignore.

        Raises Unreachable when the connection is closed, or silent although it was pinged.
        """
        if self._connection is None:
            raise Unreachable(say("The server's socket is closed."))
        try:
            message = self._connection.recv(max(timeout_s, 0.001), decode=False)
        except TimeoutError:
            self._check_farewell()
            return None
        except (ConnectionClosed, WebSocketException, OSError, ValueError) as error:
            self.close()
            raise Unreachable(say("The server closed its socket.")) from error
        return parse_frame(message)

    def _check_farewell(self) -> None:
        """One that has said farewell may keep its end open for ever."""
        if self._connection is not None and self._connection.state is not State.OPEN:
            self.close()
            raise Unreachable(say("The server closed its socket."))

    def close(self) -> None:
        """Close the connection without waiting for the server's farewell."""
        if self._connection is not None:
            self._connection.close_socket()
            self._connection = None


def _handshake_refused(status: int) -> Unreachable | Denied:
    return (
        Denied()
        if status in {401, 403}
        else Unreachable(say("The socket answers {status}.", status=status))
    )
