"""ComfyUI servers as clients see them: their state and what they are doing, never their headers."""

from typing import TypedDict

from django.db.models import Prefetch, QuerySet

from generation.comfyui import address
from generation.failures import FAILURES
from generation.models import Attempt, Server
from generation.selectors.logs import moment
from wording import Sentence


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


class BlockedWorkflow(TypedDict):
    """A workflow that a server takes none of."""

    workflow_json: str
    message: str
    since: str | None


def servers() -> QuerySet[Server]:
    """Return all servers, each with `is_driven` (a lease is held) and `open_attempts`."""
    attempts = Prefetch("attempts", queryset=_open_attempts(), to_attr="open_attempts")
    rows = Server.objects.with_driver()
    return rows.prefetch_related(attempts, "blocks__workflow").order_by("name")


def set_aside(server: Server) -> SetAside | None:
    """Return why a server was set aside; None when it was not."""
    if server.set_aside_at is None:
        return None
    return {
        "code": server.set_aside_code,
        "message": server.set_aside_detail,
        "remedy": str(Sentence(FAILURES[server.set_aside_code].remedy, {})),
        "since": moment(server.set_aside_at),
    }


def blocked_for(server: Server) -> list[BlockedWorkflow]:
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
    return related.under_way().order_by("id")


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
