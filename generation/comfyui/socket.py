"""The socket of a ComfyUI server: progress as it happens. A hint; an outcome comes from history."""

import time
from collections.abc import Mapping
from urllib.parse import quote

import websocket

from generation.comfyui.errors import Denied, Unreachable
from generation.comfyui.messages import Event, parse_frame

_PING_EVERY_S = 25.0
_SILENT_AFTER_S = 80.0


class Socket:
    """One connection under one `client_id`; use a fresh id for every connection.

    A server tells a prompt's progress to the socket with the prompt's `client_id` only, and mixes
    up two connections with the same id. Source: protocol.md §6.1.
    """

    def __init__(
        self, base_url: str, client_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        scheme, _, rest = base_url.rstrip("/").partition("://")
        secure = "wss" if scheme.lower() == "https" else "ws"
        self._url = f"{secure}://{rest}/ws?clientId={quote(client_id, safe='')}"
        self._headers = [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._socket: websocket.WebSocket | None = None
        self._pinged_at = self._heard_at = 0.0

    def connect(self, timeout: float) -> None:
        """Open the connection within `timeout` seconds. Raises Unreachable, Denied."""
        self.close()
        try:
            self._socket = websocket.create_connection(
                self._url,
                timeout=timeout,
                header=self._headers,
                suppress_origin=True,
                skip_utf8_validation=True,
                redirect_limit=0,
                http_no_proxy=["*"],
            )
        except websocket.WebSocketBadStatusException as error:
            raise _handshake_refused(error.status_code) from error
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise Unreachable("The server's socket does not open.") from error
        self._pinged_at = self._heard_at = time.monotonic()

    def receive(self, timeout_s: float) -> Event | None:
        """Return the next event; None when `timeout_s` passes or the frame is one to ignore.

        Raises Unreachable when the connection is closed, or silent although it was pinged.
        """
        if self._socket is None:
            raise Unreachable("The server's socket is closed.")
        try:
            self._ping()
            self._socket.settimeout(max(timeout_s, 0.001))
            opcode, content = self._socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            self._check_silence()
            return None
        except (websocket.WebSocketException, OSError, ValueError) as error:
            self.close()
            raise Unreachable("The server closed its socket.") from error
        self._heard_at = time.monotonic()
        return self._event(opcode, content)

    def close(self) -> None:
        """Close the connection without waiting for the server's farewell."""
        if self._socket is not None:
            self._socket.shutdown()
            self._socket = None

    def _event(self, opcode: int, content: bytes) -> Event | None:
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.close()
            raise Unreachable("The server closed its socket.")
        if opcode != websocket.ABNF.OPCODE_TEXT:
            return None
        return parse_frame(bytes(content).decode("utf-8", errors="replace"))

    def _ping(self) -> None:
        """Ping now and then: proxies cut what is idle, and the server itself never pings."""
        if self._socket and time.monotonic() - self._pinged_at > _PING_EVERY_S:
            self._socket.ping()
            self._pinged_at = time.monotonic()

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard_at > _SILENT_AFTER_S:
            self.close()
            raise Unreachable("The server's socket is silent.")


def _handshake_refused(status: int) -> Unreachable | Denied:
    return Denied() if status in {401, 403} else Unreachable(f"The socket answers {status}.")
