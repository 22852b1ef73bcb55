"""A plan's way over a server that does what it should."""

import io
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfyui_preview.server import PreviewServer
from generation.driver import prompt_submission
from generation.models import Attempt, PlanRun, Server, Version
from generation.services import outside_images, server_controls
from generation.states import AttemptOutcome, RunState, WaitReason
from tests import factories, pictures
from tests.driver import flying

pytestmark = pytest.mark.django_db


def test_every_plan_becomes_a_file_of_its_name(
    server: Server, comfy: PreviewServer, projects_root: Path
) -> None:
    batch = flying.inverted(3)

    flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 3
    folder = projects_root / "madsea-2025-ep202/E202/SQ0010/AI-concept"
    assert sorted(file.name for file in folder.iterdir()) == [
        "E202_SQ0010-0010_AI-concept_v0001.png",
        "E202_SQ0010-0020_AI-concept_v0001.png",
        "E202_SQ0010-0030_AI-concept_v0001.png",
    ]
    assert flying.render_counts(comfy) == [1, 1, 1]


def test_the_file_is_what_its_own_panel_became(server: Server, projects_root: Path) -> None:
    batch = flying.inverted(2)

    flying.finish(server, batch)

    second = Version.objects.get(run__position=1)
    content = (projects_root / second.path).read_bytes()
    assert Image.open(io.BytesIO(content)).convert("RGB").getpixel((60, 2)) == (254, 255, 255)


def test_the_log_tells_the_way_of_a_plan(server: Server) -> None:
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.events(batch.runs.get()) == ["claimed", "posted", "published"]


def test_nothing_is_left_in_staging(server: Server, projects_root: Path) -> None:
    flying.finish(server, flying.inverted(3))

    assert list((projects_root / ".staging").iterdir()) == []


def test_polling_alone_is_enough(
    server: Server, comfy: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_submission, "SOCKET_WAIT_S", 0.05)
    comfy.faults.set("refuse_ws", status=403)
    batch = flying.inverted(2)

    flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 2


def test_the_seed_and_the_parameters_asked_for_are_posted(server: Server) -> None:
    batch = flying.sampled(params={"steps": 3, "cfg": 4})
    PlanRun.objects.update(params={"steps": 2}, seed="18446744073709551615")

    flying.finish(server, batch)

    inputs = Attempt.objects.get().graph["4"]["inputs"]
    assert (inputs["steps"], inputs["cfg"], inputs["seed"]) == (2, 4.0, 2**64 - 1)


def test_a_panel_is_uploaded_once_for_all_plans_that_have_it(
    server: Server, comfy: PreviewServer, settings: Any
) -> None:
    settings.MADSEA_DEPTH = 1
    plans = factories.plans()
    factories.version(plans[0], task="extracted-raw")
    factories.version(plans[1], task="extracted-raw")
    comfy.faults.set("answer", match="/upload/image", after=1, status=418)

    batch = flying.inverted(2, of=plans[:2])
    flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 2


def test_the_latest_panel_is_the_one_that_is_rendered(server: Server) -> None:
    batch = flying.inverted()
    plan = batch.runs.get().plan
    latest = factories.version(plan, task="extracted-raw", content=factories.png(color="red"))

    flying.finish(server, batch)

    assert Attempt.objects.get().panel == latest


def test_a_panel_that_the_server_renames_is_loaded_under_its_new_name(
    server: Server, comfy: PreviewServer
) -> None:
    batch = flying.inverted()
    panel = batch.runs.get().plan.versions.get(task="extracted-raw")
    squatter = comfy.options.home / "input" / "madsea" / f"{panel.sha256}.png"
    squatter.parent.mkdir(parents=True)
    squatter.write_bytes(factories.png(color="green"))

    flying.finish(server, batch)

    attempt = Attempt.objects.get()
    assert attempt.outcome == AttemptOutcome.DONE
    assert attempt.graph["1"]["inputs"]["image"] == f"madsea/{panel.sha256} (1).png"


def test_a_panel_goes_to_the_server_upright_and_without_what_stands_beside_it(
    server: Server, comfy: PreviewServer
) -> None:
    batch = factories.batch(
        [RunState.QUEUED], workflow=flying.workflow(flying.INVERTED), needs_panel=True
    )
    plan, master = batch.runs.get().plan, pictures.turned("PNG", 6) + pictures.HTML
    panel = outside_images.import_panel(plan, master, filename="", actor=None)

    flying.finish(server, batch)

    sent = (comfy.options.home / f"input/madsea/{panel.sha256}.png").read_bytes()
    assert pictures.opened(sent).size == (36, 64)
    assert (pictures.GPS in sent, pictures.HTML in sent) == (False, False)
    rendered = Version.objects.get(task="AI-concept")
    assert (rendered.width_px, rendered.height_px) == (36, 64)


def test_a_plan_whose_panel_comes_later_goes_on(server: Server) -> None:
    batch = factories.batch(
        [RunState.QUEUED], workflow=flying.workflow(flying.INVERTED), needs_panel=True
    )
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)
    plan = batch.runs.get().plan
    turns = itertools.count()
    arrival = flying.Once(
        lambda: next(turns) > 1,
        lambda: outside_images.import_panel(plan, factories.png(), filename="", actor=None),
    )

    flying.drive_until(server, lambda: arrival() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE]


def test_a_plan_without_the_panel_it_needs_fails_and_says_so(server: Server) -> None:
    batch = factories.batch(
        [RunState.QUEUED], workflow=flying.workflow(flying.INVERTED), needs_panel=True
    )

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "no_panel")
    assert run.error_remedy


def test_two_batches_are_served_by_turns(server: Server, settings: Any) -> None:
    settings.MADSEA_DEPTH = 1
    first = flying.inverted(3)
    second = flying.inverted(3, of=[run.plan for run in first.runs.all()])

    flying.finish(server, first, second)

    served = Attempt.objects.order_by("pk").values_list("run__batch", flat=True)
    assert list(served) == [first.pk, second.pk] * 3


def test_a_batch_of_higher_priority_comes_first(server: Server, settings: Any) -> None:
    settings.MADSEA_DEPTH = 1
    first = flying.inverted(2)
    urgent = flying.inverted(2, of=[run.plan for run in first.runs.all()], priority=5)

    flying.finish(server, first, urgent)

    served = Attempt.objects.order_by("pk").values_list("run__batch", flat=True)
    assert list(served) == [urgent.pk] * 2 + [first.pk] * 2


def test_progress_rises_and_is_written_at_most_twice_a_second(db: None, start_comfy: Any) -> None:
    server = factories.server(url=start_comfy(seconds_per_plan=3).url)
    batch = flying.sampled()
    seen: list[int] = []

    def look() -> bool:
        seen.append(batch.runs.get().progress_pct)
        return flying.is_finished(batch)

    began_at = time.monotonic()
    flying.drive_until(server, look)

    steps = [pct for pct, _ in itertools.groupby(seen)]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, 100)
    assert 3 <= len(steps) <= 2 + 2 * (time.monotonic() - began_at)


def test_a_draining_server_finishes_what_it_has_and_takes_nothing_more(server: Server) -> None:
    batch = flying.inverted(4)
    drained = flying.Once(
        Attempt.objects.exists, lambda: server_controls.set_draining(server, True, actor=None)
    )

    flying.drive_until(server, lambda: drained() and False)

    assert sorted(flying.states(batch)) == ["done", "done", "queued", "queued"]
    server.refresh_from_db()
    assert server.lease_token is None


def test_two_prompts_are_kept_on_the_server(slow_server: Server) -> None:
    batch = flying.sampled(4)

    flying.drive_until(
        slow_server, lambda: Attempt.objects.filter(acknowledged_at__isnull=False).count() == 2
    )

    assert sorted(flying.states(batch)) == ["queued", "queued", "running", "running"]
