"""How long things take: what workflows ever took, and how long drivers have watched one prompt.

What a driver has watched goes over to the next, so that its limits are reached however often
drivers change hands.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db.models import Q

from generation.models import Attempt, Workflow
from generation.selectors.paces import paces


@dataclass(frozen=True)
class Watched:
    """What the drivers of an attempt have watched, in seconds; time without a driver is none of it.

    `quiet_s`: it runs, and no progress was heard. `idle_s`: it waits, and nothing ran there.
    `stopping_s`: it hung and was told to stop, None when it was not. `behind_s`: it waits while
    somebody else's prompt `behind` runs.
    """

    quiet_s: float = 0.0
    idle_s: float = 0.0
    stopping_s: float | None = None
    behind: str = ""
    behind_s: float = 0.0


def earlier_watch(attempt: Attempt) -> Watched:
    """Return what was watched of an attempt when its row was read."""
    return Watched(**attempt.watched or {})


def remember(attempt: Attempt, seen: Watched) -> None:
    """Write down what was watched of an attempt, if it is still ours and open."""
    mine = Attempt.objects.held(attempt.pk, attempt.lease_token)
    mine.update(watched=asdict(seen))
    attempt.watched = asdict(seen)


def longest_s(workflow_id: int) -> float | None:
    """Return the longest that a server has worked at a plan of a workflow, in seconds."""
    known = Workflow.objects.filter(pk=workflow_id)
    longest: float | None = known.values_list("longest_render_s", flat=True).first()
    return longest


def learn(workflow: Workflow, render_s: float) -> None:
    """Remember how long a plan took, if none of its workflow ever took longer."""
    if workflow.longest_render_s is not None and workflow.longest_render_s >= render_s:
        return
    shorter = Q(longest_render_s=None) | Q(longest_render_s__lt=render_s)
    Workflow.objects.filter(shorter, pk=workflow.pk).update(longest_render_s=render_s)
    workflow.longest_render_s = render_s


def medians(workflow_name: str, server_ids: Iterable[int]) -> dict[int, float]:
    """Return how long servers lately worked at one plan of a workflow, in seconds, by their ids.

    Of each server its last attempts are looked at; one that made none of this workflow is left out.
    """
    paces_by_server = {pk: paces(pk) for pk in server_ids}
    return {
        pk: round(pace.median_s, 3)
        for pk, known in paces_by_server.items()
        for pace in known
        if pace.workflow == workflow_name
    }
