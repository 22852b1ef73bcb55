"""The tick: every few seconds, whatever was left behind is set going again."""

from generation import queueing
from generation.services import capability, idempotency, panels, servers, versions


def tick() -> None:
    """Look at servers, give up gone ones, finish reservations, wake drivers, settle cancels."""
    servers.check_undriven()
    servers.read_due()
    capability.settle()
    servers.give_up_gone()
    versions.finish_reserved()
    versions.clear_staging()
    panels.release_all()
    idempotency.forget_old()
    queueing.wake()
    queueing.wake_left_behind()
    # After the bells: a server whose driver has just been asked for is not without one.
    servers.settle_cancels()
