"""Show every ComfyUI server; take one back into service, or change how it is reached."""

import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from generation.comfyui import tls
from generation.errors import InvalidRequest
from generation.management.command import MadseaCommand, bar, counted
from generation.models import Server, Workflow
from generation.selectors import paces, storage_troubles
from generation.selectors import servers as reads
from generation.services import (
    circuit_breaker,
    requested_workflows,
    server_quarantine,
    servers,
    workflow_library,
)
from generation.states import ServerHealth

HEADINGS = ("name", "address", "health", "version", "driver", "doing")


class Command(MadseaCommand):
    help = (
        "Show every ComfyUI server, take one back into service, or change how it is reached. Ends"
        " with 1 when none can take work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--look", action="store_true", help="ask each server now")

        parser.add_argument(
            "--take-back",
            metavar="NAME",
            help="take a server back that was set aside, and lift its blocks",
        )
        parser.add_argument("--access", metavar="NAME", help="change how this server is reached")
        parser.add_argument(
            "--certificate",
            metavar="FILE",
            help="with --access: PEM of the CA or server to believe, or a SHA-256 fingerprint;"
            " '' for none",
        )
        parser.add_argument(
            "--partner-key-from",
            metavar="FILE",
            help="with --access: the Comfy.org API key for partner nodes, from a file (- reads it"
            " from the terminal)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_back"]:
            _take_back(options["take_back"])
        if options["access"]:
            _change_access(options)
        if options["look"]:
            for server in bar(list(Server.objects.enabled()), "Looking"):
                servers.read_now(server)
        found = list(reads.servers())
        self._table([HEADINGS, *(_row(server) for server in found)])
        for line in (*_paces(found), *_lacks(found)):
            self.stdout.write(line)
        for trouble in storage_troubles.troubles():
            self.stdout.write(storage_troubles.sentence(trouble))
        usable = sum(map(_is_usable, found))
        summary = f"{usable} of {counted(len(found), 'server')} can take work."
        if not usable:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _table(self, rows: Sequence[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _named(name: str) -> Server:
    server = Server.objects.filter(name=name).first()
    if server is None:
        names = ", ".join(Server.objects.order_by("name").values_list("name", flat=True))
        raise CommandError(f"No server is called {name!r}; there are: {names or 'none'}.")
    return server


def _change_access(options: dict[str, Any]) -> None:
    """Secrets are read from files: a command line is seen by everybody on the machine."""
    given: dict[str, str] = {}
    if (certificate := options["certificate"]) is not None:
        is_text = not certificate or tls.fingerprint(certificate)
        given["certificate"] = certificate if is_text else _content(certificate)
    if options["partner_key_from"]:
        given["partner_key"] = _content(options["partner_key_from"])
    if not given:
        raise CommandError("--access needs --certificate or --partner-key-from.")
    try:
        servers.set_access(_named(options["access"]), **given)
    except ValidationError as error:
        said = (f"{name}: {' '.join(why)}" for name, why in error.message_dict.items())
        raise CommandError("; ".join(said)) from error


def _content(place: str) -> str:
    if place == "-":
        return getpass("Key (not shown): ") if sys.stdin.isatty() else sys.stdin.read()
    try:
        return Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{place} cannot be read: {error}") from error


def _take_back(name: str) -> None:
    server = _named(name)
    server_quarantine.take_back(server)
    circuit_breaker.lift(server)


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
        return "disabled"
    if server.set_aside_at is not None:
        return f"set aside: {server.set_aside_detail}"
    detail = f": {server.health_detail}" if server.health_detail else ""
    return f"{server.health}{' (draining)' if server.is_draining else ''}{detail}"


def _paces(found: list[Server]) -> list[str]:
    lines: list[str] = []
    for server in found:
        if names := paces.loaded(server.pk):
            lines.append(f"{server.name} has loaded last: {', '.join(names)}")
        lines += [
            f"{server.name} takes {pace.median_s:.1f} s for a plan of {pace.workflow}:"
            f" {pace.per_hour:.0f} an hour (median of {pace.n_plans})"
            for pace in paces.paces(server.pk)
        ]
    return lines


def _lacks(found: list[Server]) -> list[str]:
    lines = [
        f"{server.name} is blocked for {block['workflow_json']}: {block['message']}"
        for server in found
        for block in reads.blocked_for(server)
    ]
    for workflow in _workflows():
        for server in found:
            lines += [
                f"{server.name} cannot run {workflow.name}: {sentence}"
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
