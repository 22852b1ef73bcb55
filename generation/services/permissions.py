"""Who may do what: asked by the services, so that no door forgets it.

Doors ask the same before they read what was sent: whoever may not is told that, and not what is
wrong with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

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
#: Enabling, draining, giving up and taking back servers, and how they are reached.
SERVERS = "generation.change_server"
#: What takes its permission also where everybody may do everything.
ALWAYS_ASKED = frozenset({GIVE_WORKFLOW})


class Needed(NamedTuple):
    """What an act takes, and what it is called where it is refused: “You may not …”."""

    permission: str
    act: Sentence


TO_ASK = Needed(ASK, say("ask for plans"))
TO_RETRY = Needed(ASK, say("retry plans"))
TO_CANCEL = Needed(ASK, say("cancel plans"))
TO_STEER = Needed(ASK, say("steer a batch"))
TO_UPLOAD = Needed(UPLOAD, say("upload images"))
TO_GIVE_IMAGES = Needed(UPLOAD, say("give panels and images"))
TO_WRITE = Needed(WRITE, say("change what is known of plans"))
TO_GIVE_WORKFLOW = Needed(GIVE_WORKFLOW, say("give a workflow"))
TO_CHANGE_WORKFLOW = Needed(GIVE_WORKFLOW, say("change the contract of a workflow"))
TO_TRY_WORKFLOW = Needed(GIVE_WORKFLOW, say("try a workflow"))
TO_CHANGE_SERVERS = Needed(SERVERS, say("change servers"))


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


def require_any(actor: User | None, needed: Sequence[Needed]) -> None:
    """Go on if somebody has one of several permissions.

    Raises:
        Forbidden: they have none; the first is named.
    """
    if not any(actor is None or may(actor, each.permission) for each in needed):
        require(actor, *needed[0])
