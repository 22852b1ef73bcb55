"""Whoever may not is told so before anything of what was sent is read; the services ask again."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from generation.api import responses
from generation.services import permissions
from generation.services.permissions import Needed

#: What each verb of a view takes: any one of these. What is not named is everybody's who is in.
Takes = Mapping[str, Sequence[Needed]]


class MayAct(BasePermission):
    """Asks for what the view's `takes` says of the verb, by its action or its method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Go on, or say by a refusal which permission is lacking.

        Raises:
            Forbidden: who asks has none of what the verb takes.
        """
        takes: Takes = getattr(view, "takes", {})
        verb = getattr(view, "action", None) or str(request.method).lower()
        if verb in takes:
            permissions.require_any(responses.actor(request), takes[verb])
        return True
