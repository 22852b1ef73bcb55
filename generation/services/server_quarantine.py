"""Quarantine: servers on which nothing can succeed are set aside until they have restarted.

A CUDA error, a worker thread that died, a node that hangs and hears no interrupt: in each case only
a restart of ComfyUI helps, and until then the server would fail or hold up plan after plan.
"""

import logging
from functools import partial

from django.db.models.functions import Now

from generation import queueing
from generation.comfyui.errors import ComfyError
from generation.errors import PlanFailure
from generation.models import Server
from generation.services import servers
from generation.services.parallel_calls import Asking
from generation.states import ServerHealth
from wording import say

logger = logging.getLogger(__name__)

_BACK = {
    "set_aside_at": None,
    "set_aside_code": "",
    "set_aside_detail": "",
    "set_aside_prompt": "",
    "same_as": None,
}
#: The code of a failure that stays in the server's history until it restarts.
POISONED = "cuda_poisoned"
#: How long the tick waits for its servers' answers; one that answers later is asked again.
ASK_S = 2.0


def set_aside(server: Server, why: PlanFailure, prompt_id: str) -> None:
    """Take a server out of service, and give back every plan that it has.

    `prompt_id` is a prompt that the server knows now, and will have forgotten once it restarted.
    """
    fresh = Server.objects.not_set_aside().filter(pk=server.pk)
    if fresh.update(
        set_aside_at=Now(),
        set_aside_code=why.code,
        set_aside_detail=why.message,
        set_aside_prompt=prompt_id,
    ):
        logger.warning("%s is set aside: %s", server.name, why.message)
    servers.declare_gone(server, say("set aside: {why}", why=why.code))


def take_back(server: Server) -> bool:
    """Let a server that was set aside take work again; False when it is not set aside."""
    aside = Server.objects.set_aside().filter(pk=server.pk)
    if not aside.update(**_BACK):
        return False
    logger.warning("%s is back in service", server.name)
    servers.read_again(server)
    queueing.wake()
    return True


_restarts: Asking[bool] = Asking()


def take_back_restarted() -> None:
    """Take back what has restarted; give back what a killed driver left on what has not."""
    aside = Server.objects.enabled().undriven().out_of_order()
    by_url = {server.url: server for server in aside}
    for server in by_url.values():
        servers.declare_gone(
            server, say("set aside: {set_aside_code}", set_aside_code=server.set_aside_code)
        )
    up = {url: server for url, server in by_url.items() if server.health == ServerHealth.UP}
    questions = {url: partial(_ask_whether_restarted, server) for url, server in up.items()}
    for url, has_restarted in _restarts.ask(questions, ASK_S):
        if has_restarted:
            take_back(by_url[url])


def _ask_whether_restarted(server: Server) -> bool:
    """Tell whether a server has forgotten what it knew when it was set aside.

    A prompt that hung there may also have ended: then its worker is alive after all.
    """
    prompt_id = server.set_aside_prompt
    client = servers.client_of(server, servers.PROBE)
    try:
        if prompt_id in client.queue():
            return False
        return server.set_aside_code != POISONED or client.history(prompt_id) is None
    except ComfyError:
        return False
    finally:
        client.close()
