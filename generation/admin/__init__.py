"""The supervisors' door: every page of the admin, registered when this is imported."""

from generation.admin import (
    accounts,
    acts,
    batches,
    django_q_pages,
    frozen_workflows,
    logs,
    named_workflows,
    plans,
    production,
    runs,
    servers,
    styles,
    versions,
)

__all__ = [
    "accounts",
    "acts",
    "batches",
    "django_q_pages",
    "frozen_workflows",
    "logs",
    "named_workflows",
    "plans",
    "production",
    "runs",
    "servers",
    "styles",
    "versions",
]
