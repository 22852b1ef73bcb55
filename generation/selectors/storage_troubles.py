"""What is wrong with the projects folder just now, as everybody is told."""

from django.db.models import QuerySet

from generation.models import StorageTrouble
from wording import say


def troubles() -> QuerySet[StorageTrouble]:
    """Return the troubles that keep plans from being begun, that of all projects first."""
    return StorageTrouble.objects.order_by("scope")


def sentence(trouble: StorageTrouble) -> str:
    """Return what is wrong and what follows, in one line."""
    whose = (
        say("the plans of {scope} wait", scope=trouble.scope)
        if trouble.scope
        else say("all plans wait")
    )
    return say("Storage: {detail!p}; {whose}.", detail=trouble.detail, whose=whose)
