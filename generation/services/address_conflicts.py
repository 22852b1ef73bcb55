"""Which ComfyUI an address leads to: one that is no other address's, or else it stands aside.

Every prompt of ours has an id and a prefix of its own, kept in its ComfyUI's memory alone (output
and input folders may be shared by many). So a prompt that was posted at one address and is known
at another shows that both lead to the same ComfyUI: the address that was registered first goes on.
One that is there, gone, and there again shows that two ComfyUIs answer at one address in turn.

A server that stands aside is given nothing more, and finishes what it has.
"""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from time import monotonic

from django.db.models import QuerySet
from django.db.models.functions import Now

from generation.comfyui.errors import ComfyError
from generation.comfyui.split_probes import ask_history, is_mixed
from generation.errors import PlanFailure
from generation.failures import SAME_SERVER, failure
from generation.models import Attempt, Server
from generation.selectors.prepared_queries import PreparedTuples
from generation.services import server_quarantine, servers
from generation.services.parallel_calls import Asking
from generation.states import ServerHealth
from wording import say

logger = logging.getLogger(__name__)

#: How long a claimed prompt that is not on its server yet keeps another from being posted.
SOON_POSTED_S = 3
#: How often an address is asked for one prompt, to see whether the answers are of one mind.
ASKED_TIMES = 12
#: How often a server that two ComfyUIs answered for is asked again.
ASK_AGAIN_S = 30.0
ASK_S = 5.0


def _in_use() -> QuerySet[Server, tuple[int]]:
    return Server.objects.enabled().order_by("pk").values_list("pk")


#: Asked before every prompt.
_IN_USE = PreparedTuples(_in_use)


def has_others(server: Server, apart: Collection[int]) -> bool:
    """Tell whether there are servers in use of which it is not known that they are `apart`."""
    return any(pk != server.pk and pk not in apart for (pk,) in _IN_USE.rows())


def open_elsewhere(server: Server, apart: Collection[int]) -> list[Attempt]:
    """Return what is open on other servers that take work and are not known to be `apart`.

    The latest of each that its server has acknowledged, and all that are about to be posted.
    """
    others = Server.objects.answering().exclude(pk__in=[server.pk, *apart])
    rows = Attempt.objects.under_way().filter(server__in=others)
    attempts = rows.select_related("server").defer("graph").order_by("pk")
    known = {each.server_id: each for each in attempts if each.acknowledged_at is not None}
    soon = attempts.filter(
        acknowledged_at=None, created_at__gt=Now() - timedelta(seconds=SOON_POSTED_S)
    )
    return [*known.values(), *soon]


def open_by_prompt(server: Server, prompt_ids: Collection[str]) -> list[Server]:
    """Return other servers that take work and that have one of these prompts, by proposed id."""
    rows = Attempt.objects.under_way().filter(prompt_id__in=prompt_ids)
    return list(
        Server.objects.answering().filter(pk__in=rows.values("server")).exclude(pk=server.pk)
    )


def n_through_twins(server: Server) -> int:
    """Return how many prompts are on a server by its other addresses, as far as those answer."""
    twins = Server.objects.filter(same_as=server).exclude(health=ServerHealth.DOWN)
    return Attempt.objects.under_way().filter(server__in=twins).count()


def has_twins(server: Server) -> bool:
    """Tell whether other addresses stand aside for a server."""
    return Server.objects.filter(same_as=server).exists()


def is_open(attempt: Attempt) -> bool:
    """Tell whether an attempt is open still."""
    return Attempt.objects.under_way().filter(pk=attempt.pk).exists()


def stand_twin_aside(server: Server, other: Server) -> Server:
    """Take note that two addresses lead to one ComfyUI; return the one that stands aside for it."""
    first, later = sorted((server, other), key=lambda each: each.pk)
    words = say("It is the same ComfyUI as {first}, which was registered first.", first=first.name)
    stand_aside(later, failure(SAME_SERVER, words), same_as=first)
    return later


def stand_aside(
    server: Server, why: PlanFailure, *, prompt_id: str = "", same_as: Server | None = None
) -> None:
    """Give a server nothing more; what it has, it finishes. One that is set aside stays as it is.

    `prompt_id` is a prompt by which it is seen later whether that is mended.
    """
    fresh = Server.objects.not_set_aside().filter(pk=server.pk)
    if fresh.update(
        set_aside_at=Now(),
        set_aside_code=why.code,
        set_aside_detail=why.message,
        set_aside_prompt=prompt_id,
        same_as=same_as,
    ):
        logger.warning("%s stands aside: %s", server.name, why.message)
    if same_as is not None:
        Server.objects.filter(same_as=server).update(same_as=same_as)


# Mended -------------------------------------------------------------------------------------------

_mended: Asking[bool] = Asking()
_asked_at: dict[int, float] = {}


def take_back_mended() -> None:
    """Take back what is seen to be a ComfyUI of its own again, and only one."""
    rows = Server.objects.enabled().undriven().standing_aside()
    by_url = {server.url: server for server in rows.select_related("same_as")}
    asked = {url: _question(server) for url, server in by_url.items()}
    questions = {url: question for url, question in asked.items() if question is not None}
    for url, is_mended in _mended.ask(questions, ASK_S):
        if is_mended:
            server_quarantine.take_back(by_url[url])


def _question(server: Server) -> Callable[[], bool] | None:
    """Return a function that asks whether it is mended; None when nothing can be seen now."""
    if server.set_aside_code == SAME_SERVER:
        return _other_question(server)
    is_early = monotonic() - _asked_at.get(server.pk, -ASK_AGAIN_S) < ASK_AGAIN_S
    has_open = Attempt.objects.under_way().filter(server=server).exists()
    if is_early or has_open or server.health != ServerHealth.UP:
        return None
    _asked_at[server.pk] = monotonic()
    return partial(_ask_whether_of_one_mind, server, server.set_aside_prompt)


def _other_question(server: Server) -> Callable[[], bool] | None:
    first = Server.objects.answering().filter(pk=server.same_as_id or 0).first()
    if first is None:
        # It goes on in the other's place.
        server_quarantine.take_back(server)
        return None
    rows = Attempt.objects.under_way().filter(server=first)
    known = rows.exclude(acknowledged_at=None).order_by("-pk").first()
    if known is None or server.health != ServerHealth.UP:
        return None
    return partial(_ask_whether_strangers, server, known.id_on_server, first)


def _ask_whether_strangers(server: Server, prompt_id: str, first: Server) -> bool:
    """Tell whether the first server has a prompt, and this one does not know it."""
    try:
        is_known = _ask_for(first, prompt_id) and not _ask_for(server, prompt_id)
        # It may have been forgotten by both in between.
        return is_known and _ask_for(first, prompt_id)
    except ComfyError:
        return False


def _ask_for(server: Server, prompt_id: str) -> bool:
    client = servers.client_of(server, servers.PROBE)
    try:
        return prompt_id in client.queue() or client.history(prompt_id) is not None
    finally:
        client.close()


def _ask_whether_of_one_mind(server: Server, prompt_id: str) -> bool:
    """Tell whether the address answers alike, however often it is asked for one prompt."""
    client = servers.client_of(server, servers.PROBE)
    try:
        return not prompt_id or not is_mixed(ask_history(client, prompt_id, ASKED_TIMES))
    except ComfyError:
        return False
    finally:
        client.close()
