"""`GET /api/events`: what changes of one or all episodes, as it happens (Server-Sent Events)."""

from django.conf import settings
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from generation.api import authentication, filters, responses, schema_descriptions
from generation.api.filters import UnusableValue
from generation.api.streamed_answers import UntilClientLeaves
from generation.errors import InvalidRequest, Problem, TooSoon
from generation.runtime.event_feed import FEED, Listener
from generation.selectors import production
from wording import say

CONTENT_TYPE = "text/event-stream"
_KNOWN = ("episode_id", "last_event_id")
#: In place of an episode's id: for lists and overviews.
ALL = "all"
#: When somebody may try again who was one too many.
_FULL_WAIT_S = 30


class EventStream(UntilClientLeaves):
    """An answer without an end of its own: it ends when whoever listens leaves."""

    def __init__(self, listener: Listener) -> None:
        headers = {
            "Cache-Control": "no-cache, no-transform",
            # Or nginx would hold events back until it has some kilobytes of them.
            "X-Accel-Buffering": "no",
        }
        super().__init__(FEED.messages(listener), content_type=CONTENT_TYPE, headers=headers)


@schema_descriptions.EVENTS
class EventsView(APIView):
    # Nobody would wait for the end of the answer to a HEAD.
    http_method_names = ["get", "options"]

    def perform_content_negotiation(
        self, request: Request, *_: object, **__: object
    ) -> tuple[BaseRenderer, str]:
        # A browser asks for text/event-stream alone, which no renderer makes.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> EventStream:
        episode_id, last_event_id = _asked(request)
        if episode_id is not None:
            production.episode(episode_id)
        user_id = responses.actor(request).pk
        _refuse_too_many(user_id)
        right = authentication.right_of(request)
        return EventStream(Listener(user_id, episode_id, right, last_event_id))


def _asked(request: Request) -> tuple[int | None, int | None]:
    given = request.query_params
    words = say("Unknown parameter. Known: {filters}.", filters=", ".join(_KNOWN))
    problems = [
        Problem(f"{name:.64}", "unknown_parameter", words) for name in given if name not in _KNOWN
    ]
    episode_id: int | None = None
    if not given.get("episode_id"):
        words = say("episode_id is required.")
        problems.insert(0, Problem("episode_id", "required", words))
    elif given["episode_id"] != ALL:
        try:
            episode_id = filters.whole_number(given["episode_id"])
        except UnusableValue as error:
            problems.append(Problem("episode_id", "invalid", str(error)))
    if problems:
        raise InvalidRequest(problems)
    return episode_id, _last_event_id(request)


def _last_event_id(request: Request) -> int | None:
    """Return what its client has heard; None where that is no number of ours.

    The header is a browser's that comes back by itself; the parameter is for who opens a stream
    anew and cannot set it.
    """
    said = request.headers.get("Last-Event-ID") or request.query_params.get("last_event_id", "")
    try:
        return filters.whole_number(said)
    except UnusableValue:
        return None


def _refuse_too_many(user_id: int) -> None:
    most = settings.MADSEA_LISTENERS
    if FEED.n_by_user[user_id] >= most // 2:
        detail = say(
            "You listen {most} times already in this web process, and nobody may listen more often."
            " Ask for the status from time to time, or try again later.",
            most=most // 2,
        )
        raise TooSoon(detail, wait_s=_FULL_WAIT_S)
    if FEED.n_listeners >= most:
        detail = say(
            "{most} listen already in this web process, and it takes no more. Ask for the status"
            " from time to time, or try again later.",
            most=most,
        )
        raise TooSoon(detail, wait_s=_FULL_WAIT_S)
