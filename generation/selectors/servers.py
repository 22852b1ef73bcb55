"""ComfyUI servers as clients see them: their state and what they are doing, never their headers."""

from datetime import timedelta
from typing import TypedDict

from django.conf import settings
from django.db.models import BooleanField, Case, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Now

from generation.comfyui import address
from generation.failures import FAILURES
from generation.models import Attempt, Server
from generation.selectors.logs import moment
from generation.states import AttemptOutcome


class Doing(TypedDict):
    """One plan that is on a server."""

    batch_id: str
    sequence_id: str
    plan: str
    progress: int


class SetAside(TypedDict):
    """Why a server is out of service until it has restarted."""

    code: str
    message: str
    remedy: str
    since: str | None


class Blocked(TypedDict):
    """A workflow that a server takes none of."""

    workflow_json: str
    message: str
    since: str | None


def undriven() -> Q:
    """Return what tells a server that nobody drives: no lease, or one that is over."""
    return Q(lease_token=None) | Q(lease_expires_at__lt=Now()) | ahead()


def ahead() -> Q:
    """Return what tells a lease that ends later than any can.

    It was written before the database's clock was set back; a driver that lives mends it with its
    next beat.
    """
    return Q(lease_expires_at__gt=Now() + timedelta(seconds=2 * settings.MADSEA_LEASE_S))


def servers() -> QuerySet[Server]:
    """Return all servers, each with `is_driven` (a lease is held) and `open_attempts`."""
    driven = Case(
        When(undriven(), then=Value(False)), default=Value(True), output_field=BooleanField()
    )
    attempts = Prefetch("attempts", queryset=_open_attempts(), to_attr="open_attempts")
    rows = Server.objects.annotate(is_driven=driven)
    return rows.prefetch_related(attempts, "blocks__workflow").order_by("name")


def set_aside(server: Server) -> SetAside | None:
    """Return why a server was set aside; None when it was not."""
    if server.set_aside_at is None:
        return None
    return {
        "code": server.set_aside_code,
        "message": server.set_aside_detail,
        "remedy": FAILURES[server.set_aside_code].remedy,
        "since": moment(server.set_aside_at),
    }


def blocked_for(server: Server) -> list[Blocked]:
    """Return the workflows that a server is blocked for, the latest first."""
    return [
        {
            "workflow_json": block.workflow.name,
            "message": block.detail,
            "since": moment(block.created_at),
        }
        for block in server.blocks.all()
    ]


def _open_attempts() -> QuerySet[Attempt]:
    related = Attempt.objects.select_related("run__batch", "run__plan__sequence").defer("graph")
    return related.filter(outcome=AttemptOutcome.OPEN).order_by("id")


def doing(attempts: list[Attempt]) -> list[Doing]:
    """Return what a server is doing, from its open attempts, oldest first."""
    return [_doing(attempt) for attempt in attempts]


def _doing(attempt: Attempt) -> Doing:
    run = attempt.run
    return {
        "batch_id": run.batch.public_id,
        "sequence_id": run.plan.sequence.code,
        "plan": run.plan.code,
        "progress": run.progress_pct,
    }


def public_address(server: Server) -> str:
    """Return a server's address; it holds no secret, wherever it came from."""
    return address.public(server.url)
