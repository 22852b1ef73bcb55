"""Run the preview server: ComfyUI's protocol without a GPU and without a model."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from comfyui_preview.options import Options
from comfyui_preview.server import serve
from generation.management.command import MadseaCommand, whole
from generation.runtime.processes import end_with
from wording import say


class Command(MadseaCommand):
    help = say(
        "Run the preview server: it speaks ComfyUI's protocol, runs on a CPU without any model,"
        " and marks its images as previews."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        home = Path(settings.MADSEA_HOME) / "preview"
        port = settings.MADSEA_PREVIEW_PORT
        parser.add_argument(
            "--port",
            type=whole(0, 65535),
            default=port,
            help=say("default: {port}; 0: a free one", port=port),
        )
        parser.add_argument("--home", type=Path, default=home, help=say("where it keeps its files"))
        parser.add_argument(
            "--seconds-per-plan", type=float, help=say("how long a plan takes; default: no waiting")
        )
        parser.add_argument(
            "--previews", action="store_true", help=say("send images between steps")
        )
        parser.add_argument(
            "--faults", action="store_true", help=say("let clients switch faults on")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        end_with(settings.MADSEA_ENDS_WITH)
        try:
            serve(
                Options(
                    home=options["home"],
                    port=options["port"],
                    seconds_per_plan=options["seconds_per_plan"],
                    previews=options["previews"],
                    faults=options["faults"],
                ),
                self._announce,
            )
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error

    def _announce(self, url: str) -> None:
        self.stdout.write(f"The preview server listens on {url}")
        self.stdout.flush()
