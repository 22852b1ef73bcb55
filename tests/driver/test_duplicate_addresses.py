"""One ComfyUI under several addresses: the first registered goes on, the others stand aside."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation.models import Attempt, Batch, Server
from generation.selectors import wait_reasons
from generation.services import address_conflicts, server_controls, server_quarantine, tick
from generation.states import RunState, ServerHealth
from tests import factories
from tests.balancer import Gate, forward
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]


@pytest.fixture(autouse=True)
def brief(settings: Any) -> None:
    """A driver that has nothing to do leaves at once."""
    settings.MADSEA_LINGER_S = 0


@pytest.fixture
def tunnel(slow_comfy: PreviewServer) -> Iterator[Gate]:
    """Another port that leads to the slow server."""
    with forward(slow_comfy.url) as gate:
        yield gate


@pytest.fixture
def names(db: None, slow_comfy: PreviewServer, tunnel: Gate) -> list[Server]:
    """Three addresses of the slow server, in the order they were registered."""
    local = slow_comfy.url.replace("127.0.0.1", "localhost")
    urls = [slow_comfy.url, local, tunnel.url]
    return [factories.server(f"gpu-{n}", url=url) for n, url in enumerate(urls, 1)]


def two_plans(sequence: str) -> Batch:
    plans = factories.plans({sequence: ["0010", "0020"]})
    return flying.sampled(2, of=plans)


def aside(server: Server) -> str:
    server.refresh_from_db()
    return server.set_aside_code


def test_what_was_registered_later_stands_aside_before_it_posts_anything(
    names: list[Server], slow_comfy: PreviewServer
) -> None:
    first, batch = names[0], flying.sampled(6)
    flying.drive_until(first, lambda: flying.n_accepted(slow_comfy) == 2)

    flying.drive_until(names[1], lambda: aside(names[1]))
    flying.drive_until(names[2], lambda: aside(names[2]))

    assert [aside(each) for each in names] == ["", "same_server", "same_server"]
    assert flying.n_accepted(slow_comfy) == 2
    assert flying.states(batch).count(RunState.RUNNING) == 2
    assert "gpu-1" in names[2].set_aside_detail


def test_a_plan_that_was_claimed_there_queues_again_without_a_try(
    names: list[Server], slow_comfy: PreviewServer
) -> None:
    batch = flying.sampled(3)
    flying.drive_until(names[0], lambda: flying.n_accepted(slow_comfy) == 2)

    flying.drive_until(names[1], lambda: aside(names[1]))

    third = batch.runs.order_by("position")[2]
    assert (third.state, third.n_tries) == (RunState.QUEUED, 0)
    assert flying.events(third) == ["claimed", "stood_aside"]
    assert not Attempt.objects.filter(is_left_behind=True).exists()


def test_the_first_registered_goes_on_though_the_later_was_busy_first(
    names: list[Server], slow_comfy: PreviewServer
) -> None:
    flying.sampled(4)
    flying.drive_until(names[1], lambda: flying.n_accepted(slow_comfy) == 2)

    flying.drive_until(names[0], lambda: aside(names[1]))

    assert [aside(each) for each in names] == ["", "same_server", ""]


def test_the_first_waits_until_there_is_room_where_its_twin_was_busy(start_comfy: Start) -> None:
    comfy = start_comfy(seconds_per_plan=60)
    rows = [factories.server("a", url=comfy.url), factories.server("b", url=f"{comfy.url}/api")]
    batch = flying.sampled(4)
    flying.drive_until(rows[1], lambda: flying.n_accepted(comfy) == 2)
    address_conflicts.stand_twin_aside(rows[0], rows[1])

    flying.drive_until(rows[0], lambda: False)

    assert flying.n_accepted(comfy) == 2
    assert flying.states(batch).count(RunState.QUEUED) == 2


def test_a_server_that_stands_aside_finishes_what_it_has(start_comfy: Start) -> None:
    comfy = start_comfy(seconds_per_plan=1)
    later = factories.server("later", url=comfy.url)
    batch = flying.sampled(2)
    flying.drive_until(later, lambda: flying.is_on_server(batch))
    address_conflicts.stand_aside(later, address_conflicts.failure("same_server", ""))
    tick.tick()

    flying.finish(later, batch)

    assert flying.outcomes(batch) == ["done", "done"]
    assert flying.render_counts(comfy) == [1, 1]


def test_a_twin_is_seen_in_the_queue_by_whoever_looks(
    names: list[Server], slow_comfy: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_conflicts, "open_elsewhere", lambda server, apart: [])
    flying.sampled(3)
    flying.drive_until(names[0], lambda: flying.n_accepted(slow_comfy) == 2)

    flying.drive_until(names[1], lambda: aside(names[1]))

    assert [aside(each) for each in names] == ["", "same_server", ""]


def test_the_later_one_goes_on_when_the_first_is_disabled(names: list[Server]) -> None:
    address_conflicts.stand_twin_aside(names[0], names[1])
    address_conflicts.take_back_mended()
    assert aside(names[1]) == "same_server"

    server_controls.set_enabled(names[0], False, actor=None)
    address_conflicts.take_back_mended()

    assert aside(names[1]) == ""


def test_of_three_addresses_all_others_stand_aside_for_the_first(names: list[Server]) -> None:
    address_conflicts.stand_twin_aside(names[2], names[1])

    address_conflicts.stand_twin_aside(names[1], names[0])

    assert [aside(each) for each in names] == ["", "same_server", "same_server"]
    assert names[2].same_as == names[0]
    address_conflicts.take_back_mended()
    assert aside(names[2]) == "same_server"


def test_an_address_that_leads_elsewhere_by_now_is_taken_back(
    names: list[Server], slow_comfy: PreviewServer, tunnel: Gate, start_comfy: Start
) -> None:
    address_conflicts.stand_twin_aside(names[0], names[2])
    flying.sampled(2)
    flying.drive_until(names[0], lambda: flying.n_accepted(slow_comfy) == 2)
    Server.objects.update(health=ServerHealth.UP)
    address_conflicts.take_back_mended()
    assert aside(names[2]) == "same_server"

    tunnel.lead_to([start_comfy().url])
    address_conflicts.take_back_mended()

    assert aside(names[2]) == ""


def test_servers_that_share_their_folders_are_two(tmp_path: Path, db: None) -> None:
    homes = [Options(home=tmp_path / "nfs", port=0, journal=tmp_path / f"{n}") for n in "ab"]
    with PreviewServer(homes[0]) as one, PreviewServer(homes[1]) as other:
        rows = [factories.server(each.url, url=each.url) for each in (one, other)]
        first, second = two_plans("SQ0010"), two_plans("SQ0020")
        flying.drive_until(rows[0], lambda: flying.is_finished(first))
        flying.drive_until(rows[1], lambda: flying.is_finished(second))

        assert [aside(each) for each in rows] == ["", ""]
        assert flying.n_accepted(one) + flying.n_accepted(other) == 4


def test_two_like_servers_at_work_are_two(start_comfy: Start, db: None) -> None:
    comfies = [start_comfy(seconds_per_plan=60), start_comfy(seconds_per_plan=60)]
    rows = [factories.server(each.url, url=each.url) for each in comfies]
    flying.sampled(4)

    flying.drive_until(rows[0], lambda: flying.n_accepted(comfies[0]) == 2)
    flying.drive_until(rows[1], lambda: flying.n_accepted(comfies[1]) == 2)

    assert [aside(each) for each in rows] == ["", ""]


def test_a_restarted_server_is_still_itself(start_comfy: Start, db: None) -> None:
    comfies = [start_comfy(seconds_per_plan=1), start_comfy(seconds_per_plan=1)]
    rows = [factories.server(each.url, url=each.url) for each in comfies]
    batch = flying.sampled(4)
    flying.drive_until(rows[0], lambda: flying.n_accepted(comfies[0]) == 2)
    comfies[0].restart()

    flying.drive_until(rows[1], lambda: flying.n_accepted(comfies[1]) == 2)
    flying.take_turns(
        rows[0], lambda: not batch.runs.filter(current_attempt__server=rows[0],
                                               state="running").exists()
    )  # fmt: skip

    assert [aside(each) for each in rows] == ["", ""]


def test_a_plan_waits_for_what_stands_aside_with_words(names: list[Server]) -> None:
    address_conflicts.stand_twin_aside(names[0], names[1])
    Server.objects.exclude(pk=names[1].pk).update(health=ServerHealth.DOWN)
    batch = flying.sampled()

    annotated = Batch.objects.annotate(**wait_reasons.batch_annotations()).get(pk=batch.pk)
    outlook = wait_reasons.outlooks_of([annotated])[batch.pk, None]

    assert "gpu-2 is set aside (same_server): It is the same ComfyUI as gpu-1" in outlook.detail


def test_a_person_may_take_it_back(names: list[Server]) -> None:
    address_conflicts.stand_twin_aside(names[0], names[1])

    server_quarantine.take_back(names[1])

    names[1].refresh_from_db()
    assert (names[1].set_aside_at, names[1].same_as) == (None, None)
