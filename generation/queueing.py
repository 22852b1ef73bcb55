"""The queue of django-q2: wake-ups for drivers, sent and read by this module of the engine alone.

A message is a wake-up and nothing more: losing it delays, receiving it twice changes nothing.
"""

import logging
import multiprocessing
import os
import socket
import time
from collections.abc import Iterable
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import Schedule
from django_q.status import Stat
from django_q.tasks import async_task

from generation.models import Attempt, Server
from generation.selectors import claimable
from generation.states import ServerHealth

logger = logging.getLogger(__name__)

DRIVE = "generation.tasks.drive"
TICK = "generation.tasks.tick"
TICK_SCHEDULE = "madsea-tick"
#: No sequence gives this key, so the schedule is one however many machines make it at once.
TICK_SCHEDULE_ID = -1
#: The table that `schedule_tick` needs.
SCHEDULES = "django_q_schedule"
#: A request that no worker has taken by then is made again: Redis may have lost it.
ASK_AGAIN_S = 20
STAT_EVERY_S = 2.0

# Made before django-q2 forks its workers, so all of them share it.
_stopping = multiprocessing.get_context("fork").RawValue("b", 0)
_ticking = multiprocessing.get_context("fork").RawValue("b", 0)


def broker_error() -> type[Exception]:
    """Return what a Redis that is out of order raises; loaded when something is raised."""
    error: type[Exception] = import_module("redis.exceptions").RedisError
    return error


def announce_stop() -> None:
    """Tell every worker of this cluster that it is to leave."""
    _stopping.value = 1


def announce_ticks() -> None:
    """Tell every worker of this cluster that its main process ticks by itself."""
    _ticking.value = 1


def ticks_by_itself() -> bool:
    """Return whether this cluster needs no scheduled tick: it runs its own, and far more often."""
    return bool(_ticking.value)


def owner() -> str:
    """Return who this process is, for a lease: host and process id."""
    return owner_of(os.getpid())


def owner_of(pid: int) -> str:
    """Return who a process of this machine is, for a lease."""
    return f"{socket.gethostname()}:{pid}"


class StopSignal:
    """Tells a driver that its cluster stops, or that its parent is gone."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._looked_at = time.monotonic()
        self._seen = False

    def poll(self) -> bool:
        """Look whether the driver must leave; the cluster's status is read every few seconds."""
        if _stopping.value or os.getppid() != self._parent:
            return True
        return self._latest_look()

    def _latest_look(self) -> bool:
        if time.monotonic() - self._looked_at >= STAT_EVERY_S:
            self._looked_at = time.monotonic()
            self._seen = self._cluster_stops()
        return self._seen

    def _cluster_stops(self) -> bool:
        # A plain `qcluster` has no flag of ours; its status tells, in a cache that is shared.
        try:
            mine = [stat for stat in Stat.get_all() if os.getpid() in stat.workers]
        except broker_error():
            return False
        return any(stat.status == Conf.STOPPING for stat in mine)


def wake() -> int:
    """Ask for a driver of every server that could take work now; return how many were asked."""
    return request_drive(claimable.servers_with_work())


def wake_driver(server: Server) -> int:
    """Ask for a driver of one server that has come up, if there is anything for it to do."""
    takes, has_ours = (
        claimable.servers_with_work().filter(pk=server.pk),
        _with_ours().filter(pk=server.pk),
    )
    return request_drive(takes) or request_drive(has_ours)


def wake_left_behind() -> int:
    """Ask for a driver of every server that still has an attempt of ours but no driver."""
    return request_drive(_with_ours())


def _with_ours() -> QuerySet[Server]:
    open_or_left = Attempt.objects.under_way() | Attempt.objects.left_behind()
    servers = Server.objects.finishing().filter(pk__in=open_or_left.values("server_id"))
    return servers.exclude(health=ServerHealth.DOWN)


def request_drive(servers: Iterable[Server]) -> int:
    """Enqueue `drive` for those of `servers` that have no driver and were not asked just now.

    If Redis fails, no request is refused and the other servers are not tried: the next tick asks
    again for those that are left.
    """
    asked = 0
    for server in servers:
        row = Server.objects.undriven().filter(_unasked(), pk=server.pk)
        if not row.update(drive_requested_at=Now()):
            continue
        try:
            call_soon(DRIVE, server.pk)
        except broker_error() as error:
            logger.warning("no driver can be called: %s", error)
            Server.objects.filter(pk=server.pk).update(drive_requested_at=None)
            break
        asked += 1
    return asked


def _unasked() -> Q:
    # A request that lies far ahead was made before the database's clock was set back.
    again = timedelta(seconds=ASK_AGAIN_S)
    old = Q(drive_requested_at__lt=Now() - again) | Q(drive_requested_at__gt=Now() + again)
    return Q(drive_requested_at=None) | old


def broker_trouble() -> str:
    """Return why the broker cannot be used, or nothing; the database's was asked already."""
    try:
        get_broker().ping()
    except broker_error() as error:
        return f"Redis (REDIS_URL) cannot be used: {error}".rstrip(".")
    return ""


def forget_requests() -> None:
    """Forget which drivers were asked for and have not come: a cluster that died lost them."""
    Server.objects.filter(drive_requested_at__isnull=False).update(drive_requested_at=None)


def call_soon(function: str, *args: Any) -> None:
    """Enqueue one call of a module-level function with JSON-like arguments.

    Raises:
        RedisError: Redis is out of order; nothing is enqueued.
    """
    async_task(function, *args)


def schedule_tick() -> None:
    """Have django-q2's scheduler call the tick each minute, for those who run a plain `qcluster`.

    Calling it again changes nothing: there is still one schedule, with the same next run.
    """
    Schedule.objects.update_or_create(
        pk=TICK_SCHEDULE_ID,
        defaults={
            "name": TICK_SCHEDULE,
            "func": TICK,
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
