"""What technical directors do to a ComfyUI server, by whatever door: each leaves its act."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation import queueing
from generation.models import Attempt, Block, Server
from generation.models.server import SECRETS
from generation.services import (
    acts,
    circuit_breaker,
    edits,
    permissions,
    server_quarantine,
    servers,
)


@contextmanager
def _doing(actor: User | None) -> Iterator[None]:
    """Ask for permission; what is done within is one transaction."""
    permissions.require(actor, *permissions.TO_CHANGE_SERVERS)
    with transaction.atomic():
        yield


def set_enabled(server: Server, value: bool, *, actor: User | None) -> bool:
    """Let a server take part, or not; False when it is so already.

    Raises:
        Forbidden: who does it may not.
    """
    verb = "enable" if value else "disable"
    return _switch(server, verb, actor, is_enabled=value, drive_requested_at=None)


def set_draining(server: Server, value: bool, *, actor: User | None) -> bool:
    """Let a server finish what it has and take nothing more, or let it take work again.

    False when it is so already.

    Raises:
        Forbidden: who does it may not.
    """
    return _switch(server, "drain" if value else "undrain", actor, is_draining=value)


def _switch(server: Server, verb: str, actor: User | None, **to: Any) -> bool:
    name, value = next(iter(to.items()))
    with _doing(actor):
        rows = Server.objects.filter(pk=server.pk, **{name: not value})
        is_changed = bool(rows.update(**to))
        if is_changed:
            acts.record(verb, server, by=actor, before={name: not value}, after={name: value})
        transaction.on_commit(queueing.wake)
    return is_changed


def look_soon(server: Server, *, actor: User | None) -> None:
    """Have a server looked at and read anew by the next tick: that changes nothing, so no act.

    Raises:
        Forbidden: who asks for it may not.
        Conflict: it is disabled: nobody looks at it.
    """
    with _doing(actor):
        servers.look_soon(server)


def take_back(server: Server, *, actor: User | None) -> bool:
    """Let a server that was set aside take work again; False when it is not set aside.

    Raises:
        Forbidden: who does it may not.
    """
    with _doing(actor):
        why = server.set_aside_code
        is_back = server_quarantine.take_back(server)
        if is_back:
            acts.record("take back", server, by=actor, before={"set_aside": why})
    return is_back


def lift_blocks(server: Server, *, actor: User | None) -> int:
    """Let a server take every workflow again; return how many blocks were lifted.

    Raises:
        Forbidden: who does it may not.
    """
    with _doing(actor):
        blocks = Block.objects.filter(server=server).order_by("workflow__name")
        names = list(blocks.values_list("workflow__name", flat=True))
        n_lifted = circuit_breaker.lift(server)
        if n_lifted:
            acts.record("lift", server, by=actor, before={"blocked_for": names})
    return n_lifted


def give_up(server: Server, *, actor: User | None) -> int:
    """Take every open attempt from a server: their plans queue again; return how many.

    Raises:
        Forbidden: who does it may not.
    """
    with _doing(actor):
        n_open = Attempt.objects.under_way().filter(server=server).count()
        if n_open:
            # Before it is done, batch by batch: no transaction holds the locks of several.
            acts.record("give up", server, by=actor, after={"runs": n_open})
    return servers.declare_gone(server)


def set_access(server: Server, *, actor: User | None, **given: str) -> None:
    """Change how a server is reached: `certificate`, `login`, `query`, `partner_key`.

    Raises:
        Forbidden: who does it may not.
        ValidationError: one of them could not be used; nothing is changed then.
    """
    with _doing(actor):
        for name, value in given.items():
            setattr(server, name, value.strip())
        server.full_clean()
        edits.save(server, given, by=actor)
        servers.read_again(server)


def forget_secrets(server: Server, *, actor: User | None) -> None:
    """Forget name and password, token, key and extra headers of a server.

    Raises:
        Forbidden: who does it may not.
    """
    nothing = dict.fromkeys(SECRETS, "")
    with _doing(actor):
        Server.objects.filter(pk=server.pk).update(**nothing, headers={})
        acts.record("forget", server, by=actor)
