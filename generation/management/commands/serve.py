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
from generation.services import people
from madsea.processes import ROOT, HomeInUseError, claim_home, free_port

SAMPLES = ROOT / "samples" / "panels"
SAMPLE_PROJECT = "madsea-2025-ep202"
SAMPLE_EPISODE = "E202"


class Command(MadseaCommand):
    help = (
        "Migrate, make the demo user, import the sample panels into an empty home, then run the"
        " Procfile until Ctrl-C."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where the web process listens")

    def handle(self, *args: Any, host: str, **options: Any) -> None:
        try:
            claim_home(Path(settings.MADSEA_HOME))
        except HomeInUseError as error:
            raise CommandError(str(error)) from error
        _refuse_taken_ports()
        call_command("migrate", verbosity=0)
        if not Project.objects.exists():
            call_command("import_panels", SAMPLE_PROJECT, SAMPLE_EPISODE, SAMPLES)
        self._welcome(host)
        self._become_honcho(host)

    def _welcome(self, host: str) -> None:
        access = people.demo_user()
        address = f"http://{host}:{settings.PORT}{settings.MADSEA_PATH}"
        servers = (
            ", ".join(settings.COMFYUI_SERVERS) or "the preview server (COMFYUI_SERVERS empty)"
        )
        lines = [
            "",
            f"Admin     {address}/admin/",
            f"API       {address}/api/docs/",
            f"User      {access.name}",
            f"Password  {access.password}",
            f"Token     {access.token}",
            f"Files     {settings.MADSEA_PROJECTS_ROOT}",
            f"ComfyUI   {servers}",
            "",
            "Ctrl-C stops everything.",
            "",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _become_honcho(self, host: str) -> None:
        env = {**os.environ, "MADSEA_HOST": host, "PYTHONUNBUFFERED": "1"}
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
        processes = ["web", "work"]
        if not settings.COMFYUI_SERVERS:
            # The preview server is for trying out, which is what DEBUG says.
            env["DEBUG"] = "1"
            processes.append("preview")
        os.chdir(ROOT)
        # The environment is complete: honcho is to read no .env of its own.
        honcho = [sys.executable, "-m", "honcho", "start", "-e", os.devnull]
        command = [*honcho, "-f", "Procfile", "-p", str(settings.PORT), *processes]
        os.execve(sys.executable, command, env)  # noqa: S606 - our own program, no shell


def _refuse_taken_ports() -> None:
    needed = {"PORT": settings.PORT}
    if not settings.COMFYUI_SERVERS:
        needed["MADSEA_PREVIEW_PORT"] = settings.MADSEA_PREVIEW_PORT
    for name, port in needed.items():
        if free_port(port) != port:
            raise CommandError(f"Port {port} is taken: set {name} to another.")
