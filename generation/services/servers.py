"""ComfyUI servers: registration, health, and what one lacks for a workflow.

Whether a server is up and what it has are two questions: one that cannot be read just now keeps
what was known of it, and its work.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from generation import queueing
from generation.comfyui import address
from generation.comfyui.address import Address, Endpoint
from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError
from generation.comfyui.http_transport import Timeouts
from generation.errors import Conflict
from generation.models import Attempt, Server, ServerDefinitions, Workflow
from generation.models.server import lease_ends_ahead
from generation.services import capability, circuit_breaker, node_definitions, transitions
from generation.services.parallel_calls import Asking
from generation.states import ServerHealth
from generation.workflows.named_files import FILES_MOST
from generation.workflows.requirements import Lack
from wording import say, words_of

PROBE = Timeouts(connect_s=2, read_s=4, whole_s=4)
#: The tick waits for signs of life no longer than this, however many servers give none. It is more
#: than a probe takes that hangs, so that the next tick can ask the same server anew.
PROBE_S = 5.0
#: Definitions are megabytes, and what is asked stalls while a model is loaded: protocol.md §16.30.
READ = Timeouts(connect_s=2, read_s=30, whole_s=60)
#: How long a caller waits for a server to be read.
READ_S = 10.0
#: How long each tick waits for it.
READ_TICK_S = 1.0
SILENT = say("The server does not answer in time.")
#: How long a server may be silent before a cancel of its running plan is settled without it.
UNANSWERED_S = 10
_UP: dict[str, Any] = {"health": ServerHealth.UP, "health_detail": "", "down_since": None}


# Registration -----------------------------------------------------------------------------------


def register_from_settings() -> list[Server]:
    """Register the addresses of COMFYUI_SERVERS, or the preview server when there is none.

    One that left the list is drained. With a real server the preview server is disabled. All are
    read anew: their models may have changed while nobody looked.
    """
    Server.objects.update(needs_reading=True)
    listed = [address.parse(each) for each in settings.COMFYUI_SERVERS]
    found = [_register(each, Server.Source.SETTINGS) for each in listed]
    urls = [each.url for each in listed]
    left = Server.objects.filter(source=Server.Source.SETTINGS).exclude(url__in=urls)
    left.update(is_draining=True)
    preview = Server.objects.filter(source=Server.Source.PREVIEW)
    if real_servers().exists():
        preview.update(is_enabled=False)
        return found
    _move_preview(preview)
    own = address.parse(settings.MADSEA_PREVIEW_URL)
    return [*found, _register(own, Server.Source.PREVIEW)]


def register_new() -> None:
    """Register the servers of the settings, if some of them are not known yet."""
    listed = [address.public(each) for each in settings.COMFYUI_SERVERS]
    known = set(Server.objects.values_list("url", flat=True))
    if not known or not known.issuperset(listed):
        register_from_settings()


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
    return Server.objects.enabled().exclude(source=Server.Source.PREVIEW)


def _register(where: Address, source: Server.Source) -> Server:
    defaults = {"name": _free_name(where.url, source), "source": source}
    server, _ = Server.objects.get_or_create(url=where.url, defaults=defaults)
    back: dict[str, Any] = (
        {"is_enabled": True} if source == Server.Source.PREVIEW else {"is_draining": False}
    )
    # What the address does not hold may have been typed in the admin.
    back |= {"login": where.login} if where.login else {}
    back |= {"query": where.query} if where.query else {}
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


def note_answer(server: Server) -> bool:
    """Record that a server answers; tell whether it has come up just now.

    After it was down it may be another than before: it is to be read anew.
    """
    rows = Server.objects.filter(pk=server.pk)
    if rows.filter(health=ServerHealth.UP).update(last_seen_at=Now()):
        return False
    if rows.filter(health=ServerHealth.DOWN).exists():
        read_again(server)
    return bool(rows.update(**_UP, last_seen_at=Now()))


def read_again(server: Server) -> None:
    """Have a server read anew by the tick: it may have restarted, with other nodes and models."""
    Server.objects.filter(pk=server.pk).update(needs_reading=True)


def look_soon(server: Server) -> None:
    """Have a server looked at and read anew by the next tick; whoever asks waits for no server.

    Raises:
        Conflict: it is disabled: nobody looks at it.
    """
    if not Server.objects.enabled().filter(pk=server.pk).update(needs_reading=True):
        raise Conflict(say("It is disabled: enable it first."))


def note_silence(server: Server, detail: str) -> None:
    """Record that a server does not answer; `down_since` keeps the time of the first failure."""
    rows = Server.objects.filter(pk=server.pk)
    # A `down_since` in the future was written before the database's clock was set back.
    fresh = ~Q(health=ServerHealth.DOWN) | Q(down_since__gt=Now())
    rows.filter(fresh).update(health=ServerHealth.DOWN, down_since=Now())
    rows.update(health_detail=detail)


def endpoint_of(server: Server) -> Endpoint:
    """Return how a server is reached: its address, and apart from it all secrets."""
    return Endpoint(
        server.url,
        headers=server.headers,
        login=server.login,
        query=server.query,
        certificate=server.certificate,
        ca_bundle=settings.MADSEA_CA_BUNDLE,
        partner_key=server.partner_key,
    )


def client_of(server: Server, timeouts: Timeouts) -> Client:
    """Return a client for a server, by all that it was registered with."""
    return Client(endpoint_of(server), timeouts=timeouts)


def refresh_version(server: Server, client: Client, *, anew: bool = False) -> None:
    """Bring up to date which ComfyUI a server is; one that was never read is asked now.

    A restart may have brought another version; one that is new may be driven before it is read.
    With `anew` it is asked whatever is known of it.

    Raises:
        ComfyError: it was to be asked and does not answer.
    """
    server.refresh_from_db(fields=["version", "has_jobs_api"])
    known = server.version
    if known and not anew:
        return
    server.version, server.has_jobs_api = _version_of(client)
    unread = Server.objects.filter(pk=server.pk, version=known)
    unread.update(version=server.version, has_jobs_api=server.has_jobs_api)


def _version_of(client: Client) -> tuple[str, bool]:
    return client.system_stats().version[:32], client.ask_for_jobs_api()


def read_now(server: Server) -> Server:
    """Ask a server now how it is: health, version, node definitions; write what it says."""
    _judge(server, _probe(server))
    server.refresh_from_db()
    if server.health == ServerHealth.UP:
        look_at([server], within_s=READ.whole_s)
        server.refresh_from_db()
    return server


_probes: Asking[str] = Asking()


def check_undriven() -> None:
    """Look at every enabled server that no driver watches, and call drivers for what is back."""
    found = {server.url: server for server in Server.objects.enabled().undriven()}
    questions = {url: partial(_probe, server) for url, server in found.items()}
    for url, problem in _probes.ask(questions, PROBE_S):
        # A driver that has come meanwhile knows better.
        still = Server.objects.enabled().undriven().filter(pk=found[url].pk).first()
        if still is not None and _judge(still, SILENT if problem is None else problem):
            queueing.wake_driver(still)


def _judge(server: Server, problem: str) -> bool:
    """Write down whether a server answers; tell whether it has come up just now."""
    if problem:
        note_silence(server, problem)
        return False
    return note_answer(server)


def _probe(server: Server) -> str:
    client = client_of(server, PROBE)
    try:
        client.queue_remaining()
    except ComfyError as error:
        return words_of(error) or type(error).__name__
    finally:
        client.close()
    return ""


# Reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Said:
    """What a server says of itself."""

    version: str
    has_jobs_api: bool
    definitions: dict[str, Any]
    embeddings: tuple[str, ...] | None
    has_restarted: bool


_readings: Asking[_Said | str] = Asking()


def read_due() -> None:
    """Read every server anew whose node classes and models may have changed.

    That is one that is new, was down, or refused what it was thought to have. It is read beside
    the tick: what takes longer is written down by a later one.
    """
    unknown = Q(needs_reading=True) | Q(definitions=None)
    up = Server.objects.enabled().filter(unknown, health=ServerHealth.UP)
    due = up.exclude(url__in=_readings.under_way)
    _start(_readings, due)
    for _ in _write_down(_readings, READ_TICK_S):
        pass


def look_at(servers: Iterable[Server], within_s: float = READ_S) -> dict[int, str]:
    """Read servers whole, all at once; return what went wrong, by the server's id.

    A server that cannot be read keeps what was known of it, and is read again by the tick.
    """
    asked = list(servers)
    reading: Asking[_Said | str] = Asking()
    _start(reading, asked)
    problems = dict(_write_down(reading, within_s))
    late = [server.pk for server in asked if server.url in reading.under_way]
    for pk in late:
        _unread(pk, SILENT)
    silent = dict.fromkeys(late, SILENT)
    return {pk: problem for pk, problem in (problems | silent).items() if problem}


def _start(reading: Asking[_Said | str], servers: Iterable[Server]) -> None:
    for server in servers:
        # Before it is asked: whatever changes from now on is to be read again.
        Server.objects.filter(pk=server.pk).update(needs_reading=False)
        block = server.blocks.exclude(prompt_id="").first()
        known = block.prompt_id if block else ""
        reading.start(server.url, partial(_read, server, known))


def _read(server: Server, known: str) -> _Said | str:
    """Ask a server for all of it; one that has forgotten the `known` prompt has restarted."""
    client = client_of(server, READ)
    try:
        has_restarted = bool(known) and client.history(known) is None
        definitions = dict(client.object_info())
        return _Said(*_version_of(client), definitions, _embeddings(client), has_restarted)
    except ComfyError as error:
        return words_of(error) or type(error).__name__
    finally:
        client.close()


def _embeddings(client: Client) -> tuple[str, ...] | None:
    """Return the embeddings that a server has; None when it does not tell them, or too many."""
    try:
        found = client.embeddings()
    except ComfyError:
        return None
    return found if len(found) <= FILES_MOST else None


def _write_down(reading: Asking[_Said | str], within_s: float) -> Iterator[tuple[int, str]]:
    """Write what servers say, as it comes; yield each one's id with what went wrong, or nothing."""
    is_new = False
    for url, said in reading.answers(within_s):
        for server in Server.objects.filter(url=url):
            if isinstance(said, _Said):
                _write(server, said)
                is_new = True
                yield server.pk, ""
            else:
                _unread(server.pk, said or SILENT)
                yield server.pk, said or SILENT
    if is_new:
        capability.refresh()


def _unread(pk: int, problem: str) -> None:
    row = Server.objects.filter(pk=pk)
    row.update(needs_reading=True)
    row.filter(health=ServerHealth.UP).update(
        health_detail=say("It cannot be read: {problem}", problem=problem)
    )


def _write(server: Server, said: _Said) -> None:
    sha256 = node_definitions.sha256_of(said.definitions)
    try:
        if _has_changed(server, said, sha256):
            circuit_breaker.lift(server)
        Server.objects.filter(pk=server.pk).update(
            version=said.version, has_jobs_api=said.has_jobs_api
        )
        node_definitions.keep(server, said.definitions, sha256, said.embeddings)
    except DatabaseError as error:
        _unread(server.pk, type(error).__name__)
        raise
    Server.objects.filter(pk=server.pk, health=ServerHealth.UP).update(health_detail="")


def _has_changed(server: Server, said: _Said, sha256: str) -> bool:
    """Tell whether a server is shown to be another than when it was read last, or to be new."""
    if said.has_restarted or not server.blocks.exists():
        return said.has_restarted
    before = ServerDefinitions.objects.filter(server=server).values_list("sha256", flat=True)
    # Of what was read before hashes were kept, nothing is known.
    has_other = (before.first() or sha256) != sha256
    return has_other or server.version not in {"", said.version}


# Giving up --------------------------------------------------------------------------------------


def unanswered() -> list[int]:
    """Return the servers that no driver can answer for: down for 10 s, or driven by nobody."""
    down = Q(health=ServerHealth.DOWN, down_since__lt=Now() - timedelta(seconds=UNANSWERED_S))
    is_long_over = Q(lease_expires_at__lt=Now() - timedelta(seconds=UNANSWERED_S))
    long_undriven = is_long_over | lease_ends_ahead()
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
    attempts = Attempt.objects.under_way().filter(server=server)
    related: Iterable[Attempt] = attempts.select_related("run", "server").order_by("pk")
    return sum(transitions.abandon(attempt, detail) for attempt in related)


# What one lacks -----------------------------------------------------------------------------------


def missing_for(workflow: Workflow, server: Server) -> list[str]:
    """Return what a server lacks for a workflow, a sentence each; empty when nothing is known."""
    found = capability.missing(capability.needs_of_workflow(workflow, {}), [server.pk]).get(
        server.pk, []
    )
    return [str(Lack(each["name"], each["where"], tuple(each["closest"]))) for each in found]
