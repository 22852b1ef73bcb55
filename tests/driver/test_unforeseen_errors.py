"""What nobody foresaw ends one attempt with a code; its driver and the other plans go on."""

from typing import Any

import pytest
from django.db import DataError

from generation.comfyui.client import Client
from generation.comfyui.protocol import History
from generation.driver.flight_control import FlightControl
from generation.driver.transfers import Transfers
from generation.models import Attempt, Server
from generation.services import image_staging
from generation.states import RunState
from tests.driver import flying


class Odd(Exception):
    """Nobody foresaw this."""


def breaks_once(target: Any, name: str, error: Exception, monkeypatch: Any) -> None:
    """Have a function fail the first time that it is called."""
    whole, left = getattr(target, name), [error]

    def once(*args: Any, **kwargs: Any) -> Any:
        if left:
            raise left.pop()
        return whole(*args, **kwargs)

    monkeypatch.setattr(target, name, once)


def outcomes() -> list[tuple[str, str]]:
    return list(Attempt.objects.order_by("pk").values_list("outcome", "failure_code"))


@pytest.mark.parametrize(
    ("target", "name"),
    [(Client, "history"), (Client, "post_prompt"), (image_staging, "put"), (Transfers, "fetch")],
)
@pytest.mark.parametrize("error", [Odd("x"), OverflowError(), DataError("no integer")])
def test_a_step_that_nobody_foresaw_ends_one_attempt(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    target: Any,
    name: str,
    error: Exception,
) -> None:
    breaks_once(target, name, error, monkeypatch)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert outcomes() == [("error", "driver_error"), ("done", "")]
    assert batch.runs.get().state == RunState.DONE


def test_a_driver_that_fails_outside_of_any_flight_ends_what_it_had(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(control: FlightControl) -> None:
        if control.flights:
            raise Odd

    monkeypatch.setattr(FlightControl, "advance", breaks)
    batch = flying.inverted()

    flying.drive_until(server, lambda: False)

    assert outcomes() == [("error", "driver_error")]
    server.refresh_from_db()
    assert (server.lease_token, server.health) == (None, "down")
    assert batch.runs.get().state == RunState.QUEUED


def test_a_plan_that_fells_every_driver_is_in_error_in_the_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> History:
        raise Odd

    monkeypatch.setattr(Client, "history", breaks)
    batch = flying.inverted()

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code, run.n_tries) == (RunState.ERROR, "driver_error", 3)
    assert "Odd" in run.error_message
