"""The tick: every few seconds, whatever was left behind is set going again."""

from generation import queueing
from generation.services import (
    blocking,
    capability,
    idempotency,
    panels,
    quarantine,
    servers,
    versions,
)


def tick() -> None:
    """Look at servers, give up or block what fails, finish reservations, wake, settle cancels."""
    servers.check_undriven()
    servers.read_due()
    capability.settle()
    servers.give_up_gone()
    quarantine.look()
    blocking.look_everywhere()
    versions.finish_reserved()
    versions.clear_staging()
    panels.release_all()
    idempotency.forget_old()
    queueing.wake()
    queueing.wake_left_behind()
    # After the bells: a server whose driver has just been asked for is not without one.
    servers.settle_cancels()
