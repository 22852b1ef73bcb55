"""`manage.py web`: the web process."""

import resource
from argparse import ArgumentParser
from contextlib import suppress
from socket import socket
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import CommandError

from generation.management.command import MadseaCommand, whole
from generation.runtime.event_feed import FEED
from generation.runtime.processes import end_with, why_not_free
from generation.runtime.stalled_clients import ImpatientProtocol
from wording import say

#: One connection each; what the system allows is taken, as its default is few.
_FILES = resource.RLIMIT_NOFILE


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        # Or it would wait for those who listen, who never end by themselves.
        FEED.close()
        await super().shutdown(sockets)


class Command(MadseaCommand):
    help = say("Answer HTTP, until SIGTERM or Ctrl-C.")
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.MADSEA_HOST, help=say("where it listens"))
        parser.add_argument(
            "--port",
            type=whole(1, 65535),
            default=settings.PORT,
            help=say("default: {port}", port=settings.PORT),
        )

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if reason := why_not_free(host, port):
            raise CommandError(
                say(
                    "Nothing can listen on {host}, port {port}: {reason}.",
                    host=host,
                    port=port,
                    reason=reason,
                )
            )
        end_with(settings.MADSEA_ENDS_WITH)
        resource.setrlimit(_FILES, (resource.getrlimit(_FILES)[1],) * 2)
        config = uvicorn.Config(
            "madsea.asgi:application",
            host=host,
            port=port,
            http=ImpatientProtocol,
            ws="none",
            lifespan="off",
            # Signed addresses are good for whoever reads them in a log.
            access_log=False,
            log_config=None,
            # Whom to believe is the application's to say (MADSEA_TRUSTED_PROXIES).
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        server = _Server(config)
        # Uvicorn tells of Ctrl-C by it, once it has stopped.
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            raise CommandError(
                say("The web process could not begin to listen on port {port}.", port=port)
            )
