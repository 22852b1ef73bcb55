"""What the supervisors' pages depend on, in a few quick queries: equal states, equal pages."""

from typing import Any

from django.db.models import Max

from generation.models import Block, Server, StorageTrouble
from generation.selectors import episode_changes

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


def page_fingerprint() -> tuple[Any, ...]:
    """Return what changes whenever something visible does: of episodes, servers, disks.

    What is not in it (moments such as when a server was seen last) is for whoever asks to bound.
    """
    return (
        episode_changes.n_visible(),
        Block.objects.aggregate(newest=Max("pk"))["newest"],
        *Server.objects.order_by("pk").values_list(*_OF_SERVER),
        *StorageTrouble.objects.values_list("scope", "detail"),
    )
