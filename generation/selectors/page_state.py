"""What the supervisors' pages depend on, in a few quick queries: equal states, equal pages."""

from typing import Any

from django.db.models import Count, Max, Sum

from generation.models import Batch, Block, LogEntry, Server, StorageTrouble, Version

_OF_SERVER = (
    "pk",
    "health",
    "version",
    "is_enabled",
    "is_draining",
    "set_aside_at",
    "down_since",
    "lease_token",
)


def page_state() -> tuple[Any, ...]:
    """Return what changes whenever something visible does: revisions, newest rows, servers.

    What is not in it (moments such as when a server was seen last) is for whoever asks to bound.
    """
    unfinished = Batch.objects.filter(finished_at=None).order_by()
    return (
        *unfinished.aggregate(count=Count("pk"), revisions=Sum("revision")).values(),
        _newest(Batch),
        _newest(LogEntry),
        _newest(Version),
        _newest(Block),
        *Server.objects.order_by("pk").values_list(*_OF_SERVER),
        *StorageTrouble.objects.values_list("scope", "detail"),
    )


def _newest(model: Any) -> int:
    return int(model.objects.aggregate(newest=Max("pk"))["newest"] or 0)
