"""What is wrong with the projects folder just now, as everybody is told."""

from django.db.models import QuerySet

from generation.models import StorageTrouble


def troubles() -> QuerySet[StorageTrouble]:
    """Return the troubles that keep plans from being begun, that of all projects first."""
    return StorageTrouble.objects.order_by("scope")


def sentence(trouble: StorageTrouble) -> str:
    """Return what is wrong and what follows, in one line."""
    whose = f"the plans of {trouble.scope} wait" if trouble.scope else "all plans wait"
    return f"Storage: {trouble.detail.rstrip('.')}; {whose}."
