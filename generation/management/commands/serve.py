"""Run everything in one terminal: web, workers and, without COMFYUI_SERVERS, the preview server."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from generation.management.command import MadseaCommand
from generation.models import Project
from generation.runtime.processes import ROOT, HomeInUseError, claim_home, why_not_free
from generation.services import demo_user
from wording import say

SAMPLES = ROOT / "samples" / "panels"
SAMPLE_PROJECT = "madsea-2025-ep202"
SAMPLE_EPISODE = "E202"


class Command(MadseaCommand):
    help = say(
        "Migrate, then run the Procfile until Ctrl-C. For trying out (DEBUG=1, or neither DEBUG nor"
        " COMFYUI_SERVERS) make the demo user and import the sample panels into an empty home."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default=settings.MADSEA_HOST, help=say("where the web process listens")
        )

    def handle(self, *args: Any, host: str, **options: Any) -> None:
        try:
            claim_home(Path(settings.MADSEA_HOME))
        except HomeInUseError as error:
            raise CommandError(str(error)) from error
        _refuse_taken_ports(host)
        call_command("migrate", verbosity=0)
        if is_for_trying_out() and not Project.objects.exists():
            call_command("import_panels", SAMPLE_PROJECT, SAMPLE_EPISODE, SAMPLES)
        self._welcome(host)
        self._become_honcho(host)

    def _welcome(self, host: str) -> None:
        address = f"http://{host}:{settings.PORT}{settings.MADSEA_PATH}"
        lines = [
            "",
            _line(say("Admin"), f"{address}/admin/"),
            _line(say("API"), f"{address}/api/docs/"),
            *_access(),
            _line(say("Files"), settings.MADSEA_PROJECTS_ROOT),
            _line("ComfyUI", _servers()),
            "",
            str(say("Ctrl-C stops everything.")),
            "",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _become_honcho(self, host: str) -> None:
        env = {**os.environ, "MADSEA_HOST": host, "PYTHONUNBUFFERED": "1"}
        # One machine, one small studio: everybody does everything, where nobody said otherwise.
        env.setdefault("MADSEA_EVERYBODY_MAY", "1")
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
        # All of them end with this process, which becomes honcho.
        leaders = [*settings.MADSEA_ENDS_WITH, os.getpid()]
        env["MADSEA_ENDS_WITH"] = ",".join(map(str, leaders))
        processes = ["web", "work"]
        if has_preview():
            # The preview server is for trying out, which is what DEBUG says.
            env["DEBUG"] = "1"
            processes.append("preview")
        os.chdir(ROOT)
        # The environment is complete: honcho is to read no .env of its own.
        honcho = [sys.executable, "-m", "honcho", "start", "-e", os.devnull]
        command = [*honcho, "-f", "Procfile", "-p", str(settings.PORT), *processes]
        os.execve(sys.executable, command, env)  # noqa: S606 - our own program, no shell


def is_for_trying_out() -> bool:
    """Tell whether DEBUG is on, or will be: neither DEBUG nor COMFYUI_SERVERS is set."""
    return bool(settings.DEBUG) or not (settings.COMFYUI_SERVERS or settings.DEBUG_IS_SAID)


def has_preview() -> bool:
    """Tell whether the preview server is started: it is for trying out, without other servers."""
    return is_for_trying_out() and not settings.COMFYUI_SERVERS


def _line(name: str, value: object) -> str:
    return f"{name!s:<13} {value}"


def _servers() -> str:
    if has_preview():
        return say("the preview server (COMFYUI_SERVERS empty)")
    return ", ".join(settings.COMFYUI_SERVERS) or say("those of the admin (COMFYUI_SERVERS empty)")


def _access() -> list[str]:
    if not is_for_trying_out():
        own = say("your own; the first: manage.py createsuperuser (no demo user: no DEBUG)")
        return [_line(say("User"), own)]
    access = demo_user.ensure()
    return [
        _line(say("User"), access.name),
        _line(say("Password"), access.password),
        _line(say("Token"), access.token),
    ]


def _refuse_taken_ports(host: str) -> None:
    needed = [("PORT", host, settings.PORT)]
    if has_preview():
        needed.append(("MADSEA_PREVIEW_PORT", "127.0.0.1", settings.MADSEA_PREVIEW_PORT))
        if settings.PORT == settings.MADSEA_PREVIEW_PORT:
            raise CommandError(
                say("PORT and MADSEA_PREVIEW_PORT are the same: set one to another.")
            )
    for name, where, port in needed:
        if reason := why_not_free(where, port):
            text = say(
                "Port {port} of {where} cannot be used ({reason}): set {name} to another.",
                port=port,
                where=where,
                reason=reason,
                name=name,
            )
            raise CommandError(text)
