"""Who may do what: asked by the services, so that no door forgets it."""

from django.contrib.auth.models import User

from generation.errors import Forbidden
from wording import say

#: Giving a workflow runs its nodes on the hosts with the graphics cards.
GIVE_WORKFLOW = "generation.give_workflow"


def require(actor: User | None, permission: str, act: str) -> None:
    """Go on if somebody has a permission; nobody is whoever works on the console.

    Raises:
        Forbidden: they have not; `act` says what they may not do.
    """
    if actor is not None and not actor.has_perm(permission):
        detail = say(
            "You may not {act}: it takes the permission {permission}.",
            act=act,
            permission=permission,
        )
        raise Forbidden(say("{detail} Ask whoever manages the users.", detail=detail))
