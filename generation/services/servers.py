"""ComfyUI servers: registration, health, and what one lacks for a workflow."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from generation import queueing
from generation.comfyui import parameters as params
from generation.comfyui import requirements
from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError
from generation.comfyui.transport import Timeouts
from generation.models import Attempt, PlanRun, Server, ServerDefinitions, Workflow
from generation.services import blocking, capability, transitions
from generation.states import AttemptOutcome, RunState, ServerHealth

PROBE = Timeouts(connect_s=2, read_s=5)
#: A running plan whose server has not answered for so long is cancelled without it.
UNANSWERED_S = 10
_UP: dict[str, Any] = {"health": ServerHealth.UP, "health_detail": "", "down_since": None}


# Registration -----------------------------------------------------------------------------------


def register_from_settings() -> list[Server]:
    """Register the addresses of COMFYUI_SERVERS, or the preview server when there is none.

    One that left the list is drained. With a real server the preview server is disabled. All are
    read anew: their models may have changed while nobody looked.
    """
    Server.objects.update(needs_reading=True)
    listed = settings.COMFYUI_SERVERS
    found = [_register(url, Server.Source.SETTINGS) for url in listed]
    left = Server.objects.filter(source=Server.Source.SETTINGS).exclude(url__in=listed)
    left.update(is_draining=True)
    preview = Server.objects.filter(source=Server.Source.PREVIEW)
    if real_servers().exists():
        preview.update(is_enabled=False)
        return found
    _move_preview(preview)
    return [*found, _register(settings.MADSEA_PREVIEW_URL, Server.Source.PREVIEW)]


def _move_preview(preview: QuerySet[Server]) -> None:
    """Let the preview server keep its row when its port changes."""
    url = settings.MADSEA_PREVIEW_URL
    old = preview.exclude(url=url).order_by("pk").first()
    if old is not None and not preview.filter(url=url).exists():
        preview.filter(pk=old.pk).update(
            url=url, version="", health=ServerHealth.UNKNOWN, needs_reading=True
        )
    preview.exclude(url=url).update(is_enabled=False)


def real_servers() -> QuerySet[Server]:
    """Return the registered servers that are no preview server."""
    return Server.objects.exclude(source=Server.Source.PREVIEW).filter(is_enabled=True)


def enabled() -> QuerySet[Server]:
    """Return the servers that take part."""
    return Server.objects.filter(is_enabled=True)


def _register(url: str, source: Server.Source) -> Server:
    defaults = {"name": _free_name(url, source), "source": source}
    server, _ = Server.objects.get_or_create(url=url, defaults=defaults)
    back = {"is_enabled": True} if source == Server.Source.PREVIEW else {"is_draining": False}
    Server.objects.filter(pk=server.pk, source=source).update(**back)
    server.refresh_from_db()
    return server


def _free_name(url: str, source: Server.Source) -> str:
    split = urlsplit(url)
    wanted = (
        "preview" if source == Server.Source.PREVIEW else f"{split.hostname}:{split.port or 80}"
    )
    taken = set(Server.objects.values_list("name", flat=True))
    numbered = (f"{wanted[:56]} {n}" for n in range(2, len(taken) + 3))
    return wanted[:64] if wanted[:64] not in taken else next(n for n in numbered if n not in taken)


# Health -----------------------------------------------------------------------------------------


def seen(server: Server) -> None:
    """Record that a server answers; after it was down it may be another than before."""
    rows = Server.objects.filter(pk=server.pk)
    if rows.filter(health=ServerHealth.DOWN).update(needs_reading=True):
        blocking.lift(server)
    rows.update(**_UP, last_seen_at=Now())


def unseen(server: Server, detail: str) -> None:
    """Record that a server does not answer; the first time counts for how long it is down."""
    rows = Server.objects.filter(pk=server.pk)
    rows.exclude(health=ServerHealth.DOWN).update(health=ServerHealth.DOWN, down_since=Now())
    rows.update(health_detail=detail[:500])


def client_of(server: Server, timeouts: Timeouts = PROBE) -> Client:
    """Return a client for a server, with its extra headers."""
    return Client(server.url, headers=server.headers, timeouts=timeouts)


def identify(server: Server, client: Client) -> None:
    """Bring up to date which ComfyUI a server is; one that was never read is asked now.

    A restart may have brought another version; one that is new may be driven before it is read.

    Raises:
        ComfyError: it was to be asked and does not answer.
    """
    server.refresh_from_db(fields=["version", "has_jobs_api"])
    if server.version:
        return
    server.version, server.has_jobs_api = _version_of(client)
    unread = Server.objects.filter(pk=server.pk, version="")
    unread.update(version=server.version, has_jobs_api=server.has_jobs_api)


def _version_of(client: Client) -> tuple[str, bool]:
    return client.system_stats().version[:32], client.has_jobs_api()


@dataclass(frozen=True)
class _Answer:
    """What a server says of itself."""

    version: str
    has_jobs_api: bool
    definitions: dict[str, Any]


def look(server: Server) -> Server:
    """Ask a server now how it is: health, version, node definitions; write what it says."""
    for problem in look_at([server]).values():
        unseen(server, problem)
    server.refresh_from_db()
    return server


def look_at(servers: Sequence[Server]) -> dict[int, str]:
    """Read servers whole, all at once; return what went wrong, by the server's id."""
    rows = Server.objects.filter(pk__in=[server.pk for server in servers])
    # Before they are asked: whatever changes from now on is to be read again.
    rows.update(needs_reading=False)
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(_ask, servers))
    problems: dict[int, str] = {}
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, _Answer):
            _write(server, answer)
        else:
            problems[server.pk] = answer
    rows.filter(pk__in=problems).update(needs_reading=True)
    capability.settle()
    return problems


def _ask(server: Server) -> _Answer | str:
    client = client_of(server)
    try:
        return _Answer(*_version_of(client), dict(client.object_info()))
    except ComfyError as error:
        return str(error) or type(error).__name__
    finally:
        client.close()


def _write(server: Server, answer: _Answer) -> None:
    if _has_changed(server, answer):
        blocking.lift(server)
    Server.objects.filter(pk=server.pk).update(
        **_UP, last_seen_at=Now(), version=answer.version, has_jobs_api=answer.has_jobs_api
    )
    ServerDefinitions.objects.update_or_create(
        server=server, defaults={"definitions": answer.definitions}
    )


def _has_changed(server: Server, answer: _Answer) -> bool:
    """Tell whether a server says something else of itself than when it was read last."""
    if not server.blocks.exists():
        return False
    before = ServerDefinitions.objects.filter(server=server).first()
    if before is None or before.definitions != answer.definitions:
        return True
    return bool(server.version != answer.version)


def check_undriven() -> None:
    """Look at every enabled server that no driver watches."""
    undriven = Q(lease_token=None) | Q(lease_expires_at__lt=Now())
    servers = list(Server.objects.filter(undriven, is_enabled=True))
    with ThreadPoolExecutor(max_workers=8) as pool:
        problems = list(pool.map(_probe, servers))
    for server, problem in zip(servers, problems, strict=True):
        if problem:
            unseen(server, problem)
        else:
            seen(server)


def read_due() -> None:
    """Read every server anew whose node classes and models may have changed.

    That is one that is new, was down, or refused what it was thought to have. A driver knows
    better than one slow answer whether its server is down.
    """
    due = list(Server.objects.filter(is_enabled=True, needs_reading=True, health=ServerHealth.UP))
    problems = look_at(due) if due else {}
    for server in due:
        if server.pk in problems and server.lease_token is None:
            unseen(server, problems[server.pk])


def _probe(server: Server) -> str:
    client = client_of(server)
    try:
        client.queue_remaining()
    except ComfyError as error:
        return str(error) or type(error).__name__
    finally:
        client.close()
    return ""


def unanswered() -> list[int]:
    """Return the servers that no driver can answer for: down for 10 s, or driven by nobody."""
    down = Q(health=ServerHealth.DOWN, down_since__lt=Now() - timedelta(seconds=UNANSWERED_S))
    long_undriven = Q(lease_expires_at__lt=Now() - timedelta(seconds=UNANSWERED_S))
    # A driver that was asked for and has not come either: no worker is there to take the message.
    unheard = Q(drive_requested_at=None) | Q(
        drive_requested_at__lt=Now() - timedelta(seconds=UNANSWERED_S)
    )
    nobody = Q(unheard, lease_token=None) | long_undriven
    return list(Server.objects.filter(down | nobody).values_list("pk", flat=True))


def give_up_gone() -> int:
    """Take their plans from servers that are unreachable for too long; return how many."""
    gone = Server.objects.filter(
        health=ServerHealth.DOWN,
        down_since__lt=Now() - timedelta(seconds=settings.MADSEA_SERVER_GONE_S),
    )
    return sum(declare_gone(server) for server in gone)


def declare_gone(server: Server, why: str = "") -> int:
    """Take every open attempt from a server: their plans queue again; return how many."""
    detail = why or server.health_detail or "gone"
    attempts = Attempt.objects.filter(server=server, outcome=AttemptOutcome.OPEN)
    related: Iterable[Attempt] = attempts.select_related("run", "server").order_by("pk")
    return sum(transitions.abandon(attempt, detail) for attempt in related)


def settle_cancels() -> None:
    """Cancel without its server what was asked to stop while a driver still spoke for it."""
    alone = unanswered()
    asked = PlanRun.objects.filter(
        state=RunState.RUNNING,
        cancel_requested_at__isnull=False,
        current_attempt__server_id__in=alone,
        current_attempt__version=None,
    )
    for batch_id in asked.order_by("batch_id").values_list("batch_id", flat=True).distinct():
        transitions.settle_cancel(batch_id, unanswered=alone)


# What supervisors do ------------------------------------------------------------------------------


def set_enabled(server: Server, value: bool) -> None:
    """Let a server take part, or not."""
    Server.objects.filter(pk=server.pk).update(is_enabled=value, drive_requested_at=None)
    queueing.wake()


def set_draining(server: Server, value: bool) -> None:
    """Let a server finish what it has and take nothing more, or let it take work again."""
    Server.objects.filter(pk=server.pk).update(is_draining=value)
    queueing.wake()


def missing_for(workflow: Workflow, server: Server) -> list[str]:
    """Return what a server lacks for a workflow, a sentence each; empty when nothing is known."""
    known = ServerDefinitions.objects.filter(server=server).first()
    if known is None:
        return []
    needed = params.requirements(workflow.graph, params.shipped_definitions())
    return [str(lack) for lack in requirements.lacks(needed, known.definitions)]
