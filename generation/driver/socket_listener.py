"""A thread that listens to a server's socket and puts what it hears into the driver's inbox."""

import logging
import threading
from uuid import uuid4

from generation.comfyui.address import Endpoint
from generation.comfyui.errors import ComfyError
from generation.comfyui.socket import Socket
from generation.driver.transfers import Inbox, SocketClosed

logger = logging.getLogger(__name__)

RECONNECT_FIRST_S = 0.5
RECONNECT_MOST_S = 15.0
#: How many messages may wait. Beyond that, messages are dropped and the socket is read slower:
#: polling finds the progress that is lost.
WAITING_MOST = 256
FLOODED_S = 0.05


class SocketListener:
    """Keeps a socket open, each time under a fresh client id: a used one may be deaf."""

    def __init__(self, where: Endpoint, inbox: Inbox) -> None:
        self._where = where
        self._inbox = inbox
        self._open = threading.Event()
        self._over = threading.Event()
        self._was_awaited = False
        self.client_id = uuid4().hex
        self._thread = threading.Thread(target=self._keep_reading, name="socket", daemon=True)
        self._thread.start()

    def is_open(self) -> bool:
        """Tell whether the socket is open."""
        return self._open.is_set()

    def wait_first(self, most_s: float) -> None:
        """Wait for the first connection, for so long at the most, and only once."""
        if not self._was_awaited:
            self._was_awaited = True
            self._open.wait(most_s)

    def close(self) -> None:
        """Stop reading."""
        self._over.set()
        self._thread.join(timeout=2.0)

    def _keep_reading(self) -> None:
        pause_s = RECONNECT_FIRST_S
        while not self._over.is_set():
            self.client_id = uuid4().hex
            try:
                self._read(Socket(self._where, self.client_id))
                pause_s = RECONNECT_FIRST_S
            except ComfyError:
                pause_s = RECONNECT_FIRST_S if self._open.is_set() else pause_s * 2
            except Exception:
                # The boundary of a thread: without the socket, polling goes on.
                logger.exception("the socket of %s stumbled", self._where.url)
                pause_s = RECONNECT_MOST_S
            closed = SocketClosed(was_open=self._open.is_set())
            self._open.clear()
            self._inbox.put(closed)
            self._over.wait(min(pause_s, RECONNECT_MOST_S))

    def _read(self, socket: Socket) -> None:
        socket.connect(timeout=5.0)
        self._open.set()
        try:
            while not self._over.is_set():
                event = socket.receive(0.5)
                if self._inbox.qsize() >= WAITING_MOST:
                    self._over.wait(FLOODED_S)
                elif event is not None:
                    self._inbox.put(event)
        finally:
            socket.close()
