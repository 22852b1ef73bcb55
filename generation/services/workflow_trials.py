"""A workflow is tried on one plan: by whoever gives workflows, who need not be of production."""

from django.contrib.auth.models import User

from generation.models import Batch, NamedWorkflow, Plan
from generation.services import batches, permissions, request_validation
from generation.services.batches import Asking


def try_on(plan: Plan, row: NamedWorkflow, style: str, *, actor: User | None) -> Batch:
    """Ask for one plan with a workflow, as a request would, and return the batch.

    It takes the permission to give workflows and no other: who gives one runs its nodes anyway.
    A plan that is approved is refused, as everywhere.

    Raises:
        Forbidden: who tries it may not give workflows.
        InvalidRequest: the workflow cannot be used, or no server can run it.
        Conflict: the plan is locked.
    """
    permissions.require(actor, *permissions.TO_TRY_WORKFLOW)
    request = request_validation.read(_payload(plan, row, style))
    asking = Asking("try workflow", {"workflow": row.name}, permissions.TO_TRY_WORKFLOW)
    return batches.create(request, requester=actor, asking=asking)


def _payload(plan: Plan, row: NamedWorkflow, style: str) -> dict[str, object]:
    episode = plan.sequence.episode
    return {
        "project_id": episode.project.code,
        "season": episode.season,
        "episode": episode.code,
        "sequences": [{"sequence_id": plan.sequence.code, "plans": [plan.code]}],
        "style": style,
        "workflow_json": row.name,
    }
