"""What the services' tests share: a leased server, a running attempt, a staged image."""

from collections.abc import Callable
from uuid import UUID

import pytest

from generation import queueing
from generation.models import Attempt, Batch, PlanRun, Server
from generation.services import image_staging, server_leases
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import RunState
from tests import factories


@pytest.fixture
def server(db: None) -> Server:
    """A server that is up and has no driver."""
    return factories.server()


@pytest.fixture
def lease(server: Server) -> Lease:
    """The lease of that server."""
    taken = server_leases.take(server.pk)
    assert taken is not None
    return taken


@pytest.fixture
def running(lease: Lease) -> Attempt:
    """An open attempt under that lease: the first of the two plans of a batch."""
    made = factories.batch([RunState.RUNNING, RunState.QUEUED])
    return _leased(made, lease.token)


def _leased(batch: Batch, token: UUID) -> Attempt:
    run = batch.runs.select_related("current_attempt").earliest("position")
    attempt = run.current_attempt
    assert attempt is not None
    attempt.lease_token = token
    attempt.save()
    return Attempt.objects.select_related("run__batch", "server").get(pk=attempt.pk)


@pytest.fixture
def staged(home: None) -> Callable[[str], Image]:
    """Stages an image of one colour."""
    return lambda color="black": image_staging.stage(factories.png(color=color))


@pytest.fixture
def image(staged: Callable[[str], Image]) -> Image:
    """A staged black image."""
    return staged("black")


@pytest.fixture
def queued(db: None) -> PlanRun:
    """The first of three queued plans."""
    return factories.batch().runs.select_related("batch", "plan").earliest("position")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The servers whose drivers were asked for, in their order."""
    asked: list[int] = []
    monkeypatch.setattr(queueing, "call_soon", lambda _, server_id: asked.append(server_id))
    return asked
