"""The supervisors' door: every page of the admin, registered when this is imported."""

from generation.admin import (
    batches,
    logs,
    people,
    plans,
    production,
    queue,
    runs,
    servers,
    versions,
    workflows,
)

__all__ = [
    "batches",
    "logs",
    "people",
    "plans",
    "production",
    "queue",
    "runs",
    "servers",
    "versions",
    "workflows",
]
