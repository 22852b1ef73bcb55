"""Leases: one driver per server, by the database's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from generation import queueing
from generation.models import Attempt, Server

#: A server whose driver was asked for longer ago than this waits for a worker.
WAITS_FOR_DRIVER_S = 3


@dataclass(frozen=True)
class Lease:
    """The right to drive a server, and the attempts that came with it."""

    server: Server
    token: UUID
    adopted: tuple[Attempt, ...]


def take(server_id: int) -> Lease | None:
    """Take a server's lease, with every attempt left open on it; None when another has it."""
    token = uuid4()
    with transaction.atomic():
        free = Server.objects.undriven().filter(pk=server_id)
        server = free.select_for_update(no_key=True).first()
        if server is None:
            return None
        Server.objects.filter(pk=server_id).update(
            lease_token=token,
            lease_expires_at=_lease_end(),
            lease_owner=queueing.owner(),
            drive_requested_at=None,
        )
        open_ones = Attempt.objects.under_way().filter(server=server)
        open_ones.update(lease_token=token)
        related = open_ones.select_related("run__batch", "server", "panel").order_by("pk")
        return Lease(server, token, tuple(related))


def beat(lease: Lease) -> bool:
    """Prolong a lease; False when it is lost."""
    mine = Server.objects.leased(lease.server.pk, lease.token)
    return bool(mine.update(lease_expires_at=_lease_end()))


def give_back(lease: Lease) -> None:
    """Give a lease back, if it is still ours."""
    mine = Server.objects.leased(lease.server.pk, lease.token)
    mine.update(lease_token=None, lease_expires_at=None, lease_owner="")


def _lease_end() -> CombinedExpression:
    return Now() + timedelta(seconds=settings.MADSEA_LEASE_S)


def left_behind(lease: Lease) -> list[Attempt]:
    """Return given-up attempts whose prompts may still be on the server."""
    return list(Attempt.objects.left_behind().filter(server=lease.server)[:1000])


def note_swept(attempts: Iterable[Attempt]) -> None:
    """Record that the prompts of given-up attempts are off their server."""
    ids = [attempt.pk for attempt in attempts]
    Attempt.objects.filter(pk__in=ids).update(is_left_behind=False)


def driven_by(pids: Iterable[int]) -> int:
    """Return how many servers are driven by these processes of this machine."""
    owners = [queueing.owner_of(pid) for pid in pids]
    return Server.objects.driven().filter(lease_owner__in=owners).count()


def another_server_waits(lease: Lease) -> bool:
    """Tell whether another server was promised a driver that no worker was free for."""
    asked = Q(drive_requested_at__lt=Now() - timedelta(seconds=WAITS_FOR_DRIVER_S))
    waiting = Server.objects.enabled().undriven().filter(asked)
    return waiting.exclude(pk=lease.server.pk).exists()
