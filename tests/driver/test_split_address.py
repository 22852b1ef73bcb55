"""Two ComfyUIs that answer at one address in turn: nothing is lost, and it is given no more."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comfyui_preview.server import PreviewServer
from generation.driver import split_address
from generation.models import Batch, PlanRun, Server
from generation.selectors import wait_reasons
from generation.services import address_conflicts, batches
from generation.states import RunState, ServerHealth
from tests import factories
from tests.balancer import Gate, balance, forward
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]
KINDS = {"each request": balance, "each connection": forward}


@pytest.fixture(autouse=True)
def brief(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that has nothing to do leaves at once; first looks are soon."""
    settings.MADSEA_LINGER_S = 0
    monkeypatch.setattr(split_address, "FIRST_LOOK_S", 0.1)


@pytest.fixture(params=[0.0, 1.5], ids=["quick", "slow"])
def two(request: pytest.FixtureRequest, start_comfy: Start) -> list[PreviewServer]:
    """Two ComfyUIs that know nothing of one another."""
    return [start_comfy(seconds_per_plan=request.param) for _ in range(2)]


@pytest.fixture(params=KINDS)
def gate(request: pytest.FixtureRequest, two: list[PreviewServer]) -> Iterator[Gate]:
    """What leads to the two of them in turn."""
    with KINDS[request.param](*(comfy.url for comfy in two)) as made:
        yield made


@pytest.fixture
def row(db: None, gate: Gate) -> Server:
    """The one address that is registered."""
    return factories.server("farm", url=gate.url)


def n_renders(two: list[PreviewServer]) -> list[int]:
    return sorted(n for comfy in two for n in flying.render_counts(comfy))


def is_settled(batch: Batch) -> bool:
    """Tell whether nothing of a batch is on a server."""
    return not batch.runs.filter(state=RunState.RUNNING).exists()


def drive(row: Server, make: Callable[[int], Batch] = flying.sampled) -> list[Batch]:
    """Give it eight plans, and eight more whenever those are finished, until it stands aside.

    What is rendered in a moment need not show that two servers answer.
    """
    given = [make(8)]

    def is_enough() -> bool:
        if has_stood_aside(row):
            return all(map(is_settled, given))
        if flying.is_finished(given[-1]):
            given.append(make(8))
        return False

    flying.take_turns(row, is_enough)
    return given


def states(given: list[Batch]) -> list[str]:
    return [state for batch in given for state in flying.states(batch)]


def has_stood_aside(row: Server) -> bool:
    return Server.objects.filter(pk=row.pk, set_aside_code="several_servers").exists()


def test_what_is_there_is_rendered_once_and_nothing_more_is_given(
    row: Server, two: list[PreviewServer]
) -> None:
    given = drive(row)

    n_done = states(given).count(RunState.DONE)
    assert n_renders(two) == [1] * n_done
    assert set(states(given)) <= {RunState.DONE, RunState.QUEUED}
    assert sum(map(flying.n_accepted, two)) == n_done
    for batch in given:
        assert set(flying.outcomes(batch)) <= {"done", "abandoned"}


def test_a_panel_that_went_to_the_other_costs_no_try(row: Server, two: list[PreviewServer]) -> None:
    given = drive(row, flying.inverted)

    assert n_renders(two) == [1] * states(given).count(RunState.DONE)
    assert set(states(given)) <= {RunState.DONE, RunState.QUEUED}
    assert not PlanRun.objects.exclude(n_tries=0).exists()


@pytest.mark.parametrize("two", [60], indirect=True)
def test_a_cancel_takes_off_what_is_on_either(row: Server, two: list[PreviewServer]) -> None:
    batch = flying.sampled(2)
    cancelled = flying.Once(
        lambda: sum(c.engine.queue.remaining() for c in two) and has_stood_aside(row),
        lambda: batches.cancel(batch, actor=None),
    )

    flying.take_turns(row, lambda: cancelled() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.CANCELLED] * 2
    assert flying.is_soon(lambda: [c.engine.queue.remaining() for c in two] == [0, 0])
    assert n_renders(two) == []


@pytest.mark.parametrize("two", [0.0], indirect=True)
def test_it_is_taken_back_once_one_alone_answers(
    row: Server, gate: Gate, two: list[PreviewServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_conflicts, "ASK_AGAIN_S", 0.0)
    drive(row)
    Server.objects.update(health=ServerHealth.UP)
    address_conflicts.take_back_mended()
    assert has_stood_aside(row)

    gate.lead_to([two[0].url])
    address_conflicts.take_back_mended()

    assert not has_stood_aside(row)


@pytest.mark.parametrize("two", [0.0], indirect=True)
def test_what_waits_says_why(row: Server, two: list[PreviewServer]) -> None:
    drive(row)
    batch = flying.sampled()

    annotated = Batch.objects.annotate(**wait_reasons.batch_annotations()).get(pk=batch.pk)
    outlook = wait_reasons.outlooks_of([annotated])[batch.pk, None]

    assert outlook.situation == wait_reasons.Situation.ALL_DOWN
    assert "farm is set aside (several_servers): Several ComfyUIs answer" in outlook.detail


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_balancer_before_one_server_is_no_split(
    make: Callable[..., Gate], start_comfy: Start, db: None
) -> None:
    comfy = start_comfy()
    with make(comfy.url) as made:
        row = factories.server(url=made.url)
        batch = flying.inverted(3)

        flying.finish(row, batch)

        assert flying.outcomes(batch) == ["done"] * 3
        assert not has_stood_aside(row)


def test_a_restart_is_no_split(start_comfy: Start, db: None) -> None:
    comfy = start_comfy(seconds_per_plan=1)
    row, batch = factories.server(url=comfy.url), flying.sampled(2)
    restarted = flying.Once(lambda: flying.is_on_server(batch), comfy.restart)

    flying.drive_until(row, lambda: restarted() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE] * 2
    assert not has_stood_aside(row)
