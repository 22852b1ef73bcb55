"""The tick: every few seconds, whatever was left behind is set going again."""

from collections.abc import Callable

from django.db import Error, close_old_connections, connection

from generation import queueing
from generation.extension_points import Registry
from generation.services import (
    address_conflicts,
    batches,
    capability,
    circuit_breaker,
    episode_changes,
    idempotency,
    login_throttle,
    outside_images,
    publication,
    server_quarantine,
    servers,
    volumes,
    web_copy_backfill,
    workflow_library,
)

#: What apps above the engine do every few seconds: quick, and harmless when it is done twice.
STEPS: Registry[Callable[[], object]] = Registry()


def tick() -> None:
    """Look at servers, give up or block what fails, wake drivers, settle cancels; then the rest.

    A step that fails keeps no other from its turn.

    Raises:
        ExceptionGroup: what failed, for whoever runs the tick to record.
        DatabaseError: there is no database, so nothing was tried.
    """
    connection.ensure_connection()
    failed = [error for step in _steps() if (error := _failure_of(step))]
    if failed:
        raise ExceptionGroup("the tick stumbled", failed)


def _steps() -> tuple[Callable[[], object], ...]:
    return (
        servers.check_undriven,
        servers.give_up_gone,
        circuit_breaker.block_after_later_success,
        outside_images.release_all_waiting_runs,
        capability.refresh,
        queueing.wake,
        queueing.wake_left_behind,
        episode_changes.number,
        # After the wake-ups: a server whose driver has just been asked for is not without one.
        batches.cancel_unanswered,
        # What waits for servers and for disks comes after the wake-ups, and wakes drivers again.
        server_quarantine.take_back_restarted,
        address_conflicts.take_back_mended,
        servers.read_due,
        volumes.watch,
        publication.finish_reserved,
        publication.clear_staging,
        web_copy_backfill.fill,
        episode_changes.prune,
        idempotency.forget_old,
        login_throttle.forget_old,
        workflow_library.read_folder,
        *STEPS,
        queueing.wake,
    )


def _failure_of(step: Callable[[], object]) -> Exception | None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - the boundary of a task; the tick raises it again
        error.add_note(f"in {step.__module__}.{step.__name__}")
        if isinstance(error, Error):
            # A connection that broke is not left to the next step.
            close_old_connections()
        return error
    return None
