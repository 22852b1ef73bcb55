"""How long the plans of a workflow take, learnt from those that were rendered."""

from django.db.models import Q

from generation.models import Workflow


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
