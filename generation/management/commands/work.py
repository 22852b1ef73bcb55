"""`manage.py work`: the workers, the tick and the watchdog."""

import logging
import os
import sys
from argparse import ArgumentParser
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.core.checks.registry import registry
from django.core.management.base import CommandError, no_translations
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from generation import queueing
from generation.management.command import MadseaCommand, counted, whole
from generation.models import Server
from generation.runtime.cluster import Watchdog, WorkCluster
from generation.runtime.processes import CompanionProcess, Leaders
from generation.services import server_leases, servers, tick
from wording import say

logger = logging.getLogger(__name__)

RESTARTS_AFTER_S = 1.0


class Command(MadseaCommand):
    help = say("Run the workers that drive the ComfyUI servers, until SIGTERM or Ctrl-C.")
    requires_migrations_checks = True
    # It runs them itself, each once.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers",
            type=whole(1, 512),
            default=settings.MADSEA_WORKERS,
            help=say("worker processes (default: servers + 2)"),
        )
        parser.add_argument(
            "--restart",
            action="store_true",
            help=say(
                "begin anew when the workers are stuck or cannot start, instead of ending with 1"
            ),
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        servers.register_from_settings()
        self._check_once()
        queueing.forget_requests()
        n_servers = Server.objects.enabled().count()
        n_workers = options["workers"] or n_servers + 2
        self.stdout.write(f"{counted(n_workers, 'worker')} for {counted(n_servers, 'server')}")
        if n_workers < n_servers:
            self.stderr.write("There are more servers than workers: they take turns.")
        # A forked process must not inherit the connection.
        connections.close_all()
        queueing.announce_ticks()
        cluster = WorkCluster(n_workers)
        complaint = queueing.broker_trouble() or _run(cluster)
        if not complaint:
            return
        if options["restart"]:
            logger.critical("the cluster was ended, and begins anew: %s", complaint)
            sleep(RESTARTS_AFTER_S)
            _begin_anew(cluster)
        raise CommandError(f"The cluster was ended: {complaint}.")

    def _check_once(self) -> None:
        """Run the system checks; volumes that are not mounted are waited for."""
        self.check(tags=sorted(registry.tags_available() - {"storage"}))
        self.check(tags=["production"], include_deployment_checks=True)


def _run(cluster: WorkCluster) -> str:
    """Run the cluster until it is told to stop; return nothing, or how else it ended."""
    complaint = "its main process stumbled"
    deriving = CompanionProcess("derive", "--follow")
    try:
        complaint = _start(cluster) or _watch(cluster, deriving)
    finally:
        if complaint:
            cluster.kill()
        deriving.stop()
    if not complaint:
        queueing.announce_stop()
        cluster.stop()
    return complaint


def _begin_anew(cluster: WorkCluster) -> None:
    """Become a new process of the same command, unless told to stop meanwhile."""
    if not (cluster.is_told_to_stop or Leaders(settings.MADSEA_ENDS_WITH).wait_for_an_end()):
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606


def _start(cluster: WorkCluster) -> str:
    """Start the cluster; return nothing, or why it could not be."""
    try:
        cluster.start()
    except RuntimeError:  # The name that django-q2 has for it.
        return "its sentinel ended at the start, as it does without its broker"
    return ""


def _watch(cluster: WorkCluster, deriving: CompanionProcess) -> str:
    """Tick until the cluster is told to stop (returns nothing) or is stuck (returns how)."""
    watchdog = Watchdog(cluster, settings.MADSEA_WATCHDOG_S)
    ticks_at = monotonic()
    leaders = Leaders(settings.MADSEA_ENDS_WITH)
    while not (cluster.is_told_to_stop or leaders.wait_for_an_end()):
        sleep(0.1)
        if monotonic() < ticks_at:
            continue
        ticks_at = monotonic() + settings.MADSEA_TICK_S
        deriving.keep(settings.MADSEA_ENDS_WITH)
        complaint = watchdog.complaint(_tick(cluster))
        # Told during the tick, as a group, its sentinel has gone as well: that is no trouble.
        if complaint and not cluster.is_told_to_stop:
            return complaint
    return ""


def _tick(cluster: WorkCluster) -> int:
    """Run the tick; return how many of the cluster's workers drive a server."""
    try:
        close_old_connections()
        tick.tick()
    except (ExceptionGroup, DatabaseError, InterfaceError):
        logger.exception("some of the tick could not be done")
    try:
        return server_leases.driven_by(cluster.status.workers)
    except (DatabaseError, InterfaceError):
        logger.exception("the tick lost its database")
        return 0
