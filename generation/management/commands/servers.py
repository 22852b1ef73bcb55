"""Show every ComfyUI server; take one back into service, or change how it is reached."""

import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from generation.comfyui import tls
from generation.errors import InvalidRequest
from generation.management.command import MadseaCommand, actor, add_actor, bar, counted
from generation.models import Server, Workflow
from generation.selectors import paces, storage_troubles
from generation.selectors import servers as reads
from generation.services import (
    permissions,
    requested_workflows,
    server_controls,
    servers,
    workflow_library,
)
from generation.state_words import in_words
from generation.states import ServerHealth
from wording import say

HEADINGS = (
    say("name"),
    say("address"),
    say("health"),
    say("version"),
    say("driver"),
    say("doing"),
)


class Command(MadseaCommand):
    help = say(
        "Show every ComfyUI server, take one back into service, or change how it is reached. Ends"
        " with 1 when none can take work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--look", action="store_true", help=say("ask each server now"))

        parser.add_argument(
            "--take-back",
            metavar="NAME",
            help=say("take a server back that was set aside, and lift its blocks"),
        )
        parser.add_argument(
            "--access", metavar="NAME", help=say("change how this server is reached")
        )
        parser.add_argument(
            "--certificate",
            metavar="FILE",
            help=say(
                "with --access: PEM of the CA or server to believe, or a SHA-256 fingerprint;"
                " '' for none"
            ),
        )
        parser.add_argument(
            "--partner-key-from",
            metavar="FILE",
            help=say(
                "with --access: the Comfy.org API key for partner nodes, from a file (- reads it"
                " from the terminal)"
            ),
        )
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        changes = options["take_back"] or options["access"]
        user = actor(options, permissions.TO_CHANGE_SERVERS) if changes else None
        if options["take_back"]:
            _take_back(options["take_back"], user)
        if options["access"]:
            _change_access(options, user)
        if options["look"]:
            for server in bar(list(Server.objects.enabled()), say("Looking")):
                servers.read_now(server)
        found = list(reads.servers())
        self._table([tuple(map(str, HEADINGS)), *(_row(server) for server in found)])
        for line in (*_paces(found), *_lacks(found)):
            self.stdout.write(str(line))
        for trouble in storage_troubles.troubles():
            self.stdout.write(str(storage_troubles.sentence(trouble)))
        usable = sum(map(_is_usable, found))
        summary = say(
            "{usable} of {servers} can take work.",
            usable=usable,
            servers=counted(len(found), "server"),
        )
        if not usable:
            raise CommandError(summary)
        self.stdout.write(str(summary))

    def _table(self, rows: Sequence[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _named(name: str) -> Server:
    server = Server.objects.filter(name=name).first()
    if server is None:
        names = ", ".join(Server.objects.order_by("name").values_list("name", flat=True))
        raise CommandError(
            say(
                "No server is called {name!r}; there are: {names}.",
                name=name,
                names=names or say("none"),
            )
        )
    return server


def _change_access(options: dict[str, Any], user: User | None) -> None:
    """Secrets are read from files: a command line is seen by everybody on the machine."""
    given: dict[str, str] = {}
    if (certificate := options["certificate"]) is not None:
        is_text = not certificate or tls.fingerprint(certificate)
        given["certificate"] = certificate if is_text else _content(certificate)
    if options["partner_key_from"]:
        given["partner_key"] = _content(options["partner_key_from"])
    if not given:
        raise CommandError(say("--access needs --certificate or --partner-key-from."))
    try:
        server_controls.set_access(_named(options["access"]), actor=user, **given)
    except ValidationError as error:
        said = (f"{name}: {' '.join(why)}" for name, why in error.message_dict.items())
        raise CommandError("; ".join(said)) from error


def _content(place: str) -> str:
    if place == "-":
        return getpass(str(say("Key (not shown): "))) if sys.stdin.isatty() else sys.stdin.read()
    try:
        return Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = say("{place} cannot be read: {error}", place=place, error=str(error))
        raise CommandError(text) from error


def _take_back(name: str, user: User | None) -> None:
    server = _named(name)
    server_controls.take_back(server, actor=user)
    server_controls.lift_blocks(server, actor=user)


def _is_usable(server: Server) -> bool:
    return server.takes_work and server.health == ServerHealth.UP


def _row(server: Any) -> tuple[str, ...]:
    doing = [f"{each['sequence_id']}-{each['plan']}" for each in reads.doing(server.open_attempts)]
    return (
        server.name,
        reads.public_address(server),
        _health(server),
        server.version or "-",
        server.lease_owner if server.is_driven else "-",
        ", ".join(doing) or "-",
    )


def _health(server: Server) -> str:
    if not server.is_enabled:
        return str(in_words("disabled"))
    if server.set_aside_at is not None:
        return str(say("set aside: {why}", why=server.set_aside_detail))
    health = in_words(server.health)
    if server.is_draining:
        health = say("{health} (draining)", health=health)
    if server.health_detail:
        health = say("{label}: {value}", label=health, value=server.health_detail)
    return str(health)


def _paces(found: list[Server]) -> list[str]:
    lines: list[str] = []
    for server in found:
        if names := paces.loaded(server.pk):
            lines.append(
                say("{server} has loaded last: {names}", server=server.name, names=", ".join(names))
            )
        lines += [
            say(
                "{server} takes {median_s:.1f} s for a plan of {workflow}: {per_hour:.0f} an hour"
                " (median of {n_plans})",
                server=server.name,
                median_s=pace.median_s,
                workflow=pace.workflow,
                per_hour=pace.per_hour,
                n_plans=pace.n_plans,
            )
            for pace in paces.paces(server.pk)
        ]
    return lines


def _lacks(found: list[Server]) -> list[str]:
    lines: list[str] = [
        say(
            "{server} is blocked for {workflow}: {why}",
            server=server.name,
            workflow=block["workflow_json"],
            why=block["message"],
        )
        for server in found
        for block in reads.blocked_for(server)
    ]
    for workflow in _workflows():
        for server in found:
            lines += [
                say(
                    "{server} cannot run {workflow}: {why}",
                    server=server.name,
                    workflow=workflow.name,
                    why=sentence,
                )
                for sentence in servers.missing_for(workflow, server)
            ]
    return lines


def _workflows() -> list[Workflow]:
    loaded: list[Workflow] = []
    for name in workflow_library.available():
        try:
            loaded.append(requested_workflows.find(name))
        except InvalidRequest:
            continue  # The system checks say what is wrong with a broken file.
    return loaded
