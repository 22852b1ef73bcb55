"""A server is given up while it renders, and answers again an hour later."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.server import PreviewServer
from generation import queueing
from generation.errors import Fenced
from generation.models import Attempt, Batch, Server, Version
from generation.services import image_staging, publication, servers, tick
from generation.states import AttemptOutcome, RunState, ServerHealth
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class GivenUp:
    """Two plans that a server kept when it was given up; another server has rendered them."""

    server: Server
    comfy: PreviewServer
    batch: Batch
    attempts: list[Attempt]  #: as the driver of then holds them
    published: list[dict[str, Any]]


@pytest.fixture(autouse=True)
def silent_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is asked for is written down; no worker comes."""
    monkeypatch.setattr(queueing, "call_soon", lambda *_: None)


def given_up(start_comfy: Callable[..., PreviewServer], seconds_per_plan: float) -> GivenUp:
    comfy, other = start_comfy(seconds_per_plan=seconds_per_plan), start_comfy()
    server = factories.server("gpu-1", url=comfy.url)
    batch = flying.sampled(2)
    flying.drive_until(server, lambda: flying.is_on_server(batch) and flying.is_running_on(comfy))
    attempts = list(Attempt.objects.select_related("run__batch", "server").order_by("pk"))
    comfy.faults.set("reset")
    servers.check_undriven()
    flying.let_pass(timedelta(seconds=301))
    tick.tick()
    assert flying.outcomes(batch) == [AttemptOutcome.ABANDONED] * 2
    flying.finish(factories.server("gpu-2", url=other.url), batch)
    return GivenUp(server, comfy, batch, attempts, published(batch))


def come_back(past: GivenUp) -> None:
    """Let an hour pass, and the server answer again."""
    flying.let_pass(timedelta(hours=1))
    tick.tick()
    past.comfy.faults.clear()
    tick.tick()
    assert Server.objects.get(pk=past.server.pk).health == ServerHealth.UP


def sweep(past: GivenUp) -> None:
    """Drive the server that is back until it holds a plan of the present and none of the past."""
    now = flying.sampled(1, of=factories.plans({"SQ0020": ["0010"]}))
    left = Attempt.objects.filter(is_left_behind=True)
    flying.drive_until(past.server, lambda: not left.exists() and flying.is_on_server(now))


def published(batch: Batch) -> list[dict[str, Any]]:
    made = Version.objects.filter(run__batch=batch).order_by("pk")
    return list(made.values("number", "path", "sha256", "state"))


def files(root: Path) -> Iterator[Path]:
    return root.glob("*/*/SQ0010/AI-concept/*.png")


def test_what_it_has_finished_meanwhile_is_dropped(
    start_comfy: Callable[..., PreviewServer], projects_root: Path
) -> None:
    past = given_up(start_comfy, seconds_per_plan=2)
    assert flying.is_soon(lambda: flying.outcomes_on(past.comfy) == ["success"] * 2)

    come_back(past)
    sweep(past)

    assert published(past.batch) == past.published
    assert [each["number"] for each in past.published] == [1, 1]
    assert flying.states(past.batch) == [RunState.DONE] * 2
    assert flying.outcomes(past.batch) == ["abandoned"] * 2 + ["done"] * 2
    assert list(past.batch.runs.values_list("n_tries", flat=True)) == [0, 0]
    assert len(list(files(projects_root))) == 2


def test_what_it_still_renders_is_stopped_first_thing(
    start_comfy: Callable[..., PreviewServer],
) -> None:
    past = given_up(start_comfy, seconds_per_plan=3600)

    come_back(past)
    sweep(past)

    assert flying.deleted(past.comfy) == [str(past.attempts[1].prompt_id)]
    assert flying.is_soon(lambda: flying.outcomes_on(past.comfy)[:1] == ["interrupted"])
    assert published(past.batch) == past.published


def test_its_driver_of_then_can_publish_nothing(start_comfy: Callable[..., PreviewServer]) -> None:
    past = given_up(start_comfy, seconds_per_plan=3600)
    come_back(past)
    image = image_staging.stage(factories.png())

    with pytest.raises(Fenced):
        publication.reserve_render(past.attempts[0], past.attempts[0].lease_token, [image])

    assert published(past.batch) == past.published
