"""Make the demo user, and show how to sign in as it."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from generation.management.command import MadseaCommand
from generation.services import demo_user
from wording import say


class Command(MadseaCommand):
    help = say("Make the demo user (only with DEBUG=1) and print its name, password and API token.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help=say("print one JSON object"))

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                say("The demo user is for trying out: it is made with DEBUG=1 only.")
            )
        access = asdict(demo_user.ensure())
        if options["json"]:
            self.stdout.write(json.dumps(access))
            return
        for what, value in access.items():
            self.stdout.write(f"{what:<9} {value}")
