"""Who may do what: asked by the services, so that no door forgets it."""

from django.conf import settings
from django.contrib.auth.models import User

from generation.errors import Forbidden
from wording import Sentence, say

#: Giving a workflow runs its nodes on the hosts with the graphics cards.
GIVE_WORKFLOW = "generation.give_workflow"
#: Asking for plans, and what follows: retry, cancel, pause, priority, name.
ASK = "generation.ask_for_plans"
#: Giving panels and images.
UPLOAD = "generation.upload_images"
#: Changing what is known of plans, and making them of storyboards.
WRITE = "generation.write_plans"
#: What takes its permission also where everybody may do everything.
ALWAYS_ASKED = frozenset({GIVE_WORKFLOW})


def may(user: User, permission: str) -> bool:
    """Tell whether somebody who is signed in may do something.

    With MADSEA_EVERYBODY_MAY everybody may all but what is in `ALWAYS_ASKED`.
    """
    is_open = settings.MADSEA_EVERYBODY_MAY and permission not in ALWAYS_ASKED
    return bool(user.is_active and (is_open or user.has_perm(permission)))


def require(actor: User | None, permission: str, act: Sentence) -> None:
    """Go on if somebody has a permission; nobody is whoever works on the console.

    Raises:
        Forbidden: they have not; `act` says what they may not do.
    """
    if actor is not None and not may(actor, permission):
        detail = say(
            "You may not {act}: it takes the permission {permission}.",
            act=act,
            permission=permission,
        )
        raise Forbidden(say("{detail} Ask whoever manages the users.", detail=detail))
