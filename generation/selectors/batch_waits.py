"""What a batch as a whole waits for: pages say it beside its status, which it does not change."""

from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef

from generation.models import PlanRun, RunGroup
from generation.selectors import wait_reasons
from generation.states import WaitReason
from wording import to_say


class Awaited(StrEnum):
    """Why nothing of an unfinished batch is being rendered, or goes on being."""

    NOTHING = ""  #: It is finished, or something of it is being rendered.
    STOPPING = to_say("stopping")  #: A cancel was requested, and what runs has not ended yet.
    PAUSED = to_say("paused")
    ARTISTS = to_say("waits for artists")
    PANELS = to_say("waits for panels")
    SERVERS = to_say("waits for servers")
    TURN = to_say("waits for its turn")


def annotations() -> dict[str, Any]:
    """Return the annotations by which a query of batches brings along what `awaited` asks."""
    runs = PlanRun.objects.filter(batch=OuterRef("pk"))
    groups = RunGroup.objects.ready().filter(batch=OuterRef("pk"))
    capable = wait_reasons.situation_annotations("batch__")["any_server_capable"]
    return {
        **wait_reasons.situation_annotations(),
        "any_ready": Exists(runs.ready()),
        "any_ready_capable": Exists(groups.filter(capable)),
        "any_uploading": Exists(runs.queued().filter(wait_reason=WaitReason.UPLOAD)),
    }


def awaited(batch: Any) -> Awaited:
    """Return what a batch with the `annotations` waits for: the first that fits."""
    if not batch.is_unfinished:
        return Awaited.NOTHING
    if batch.cancel_requested_at is not None:
        return Awaited.STOPPING
    if batch.paused_at is not None:
        return Awaited.PAUSED
    if batch.n_running or batch.any_uploading:
        return Awaited.NOTHING
    return _of_queued(batch) if batch.n_queued else Awaited.ARTISTS


def _of_queued(batch: Any) -> Awaited:
    if batch.any_ready_capable and batch.storage_trouble is None:
        return Awaited.TURN
    return Awaited.SERVERS if batch.any_ready else Awaited.PANELS
