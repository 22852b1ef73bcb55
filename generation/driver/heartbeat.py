"""The heartbeat: what keeps a driver's lease alive, also while a slow server holds up its loop."""

from time import monotonic

from django.conf import settings

from generation.comfyui.http_transport import Request
from generation.errors import Fenced
from generation.services import server_leases
from generation.services.server_leases import Lease

BEAT_EVERY_S = 5.0
#: Nothing is done to a server under a lease that was last heard of longer ago.
SURE_S = 1.0


class Heartbeat:
    """Prolongs one lease; used by the loop's thread alone."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._beat_at = monotonic()

    def is_due(self) -> bool:
        """Tell whether the lease has to be prolonged now."""
        return monotonic() - self._beat_at >= min(BEAT_EVERY_S, settings.MADSEA_LEASE_S / 3)

    def beat(self) -> None:
        """Prolong the lease.

        Raises:
            Fenced: it is another's now.
        """
        self._beat_at = monotonic()
        if not server_leases.beat(self._lease):
            raise Fenced(f"The lease of {self._lease.server.name} is another's.")

    def before(self, request: Request) -> None:
        """Prolong the lease before a request, as each may take long; make sure of it before an act.

        Raises:
            Fenced: it is another's now, so the request must not be sent.
        """
        is_act = request.method == "POST"
        if self.is_due() or (is_act and monotonic() - self._beat_at >= SURE_S):
            self.beat()
