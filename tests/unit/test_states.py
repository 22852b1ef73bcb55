"""The table of states, and what a batch says of itself."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.states import (
    FINISHED,
    FIRST,
    FOLLOWS,
    UNFINISHED,
    BatchState,
    Mode,
    RunState,
    batch_state,
    states_before,
)

COUNTS = st.dictionaries(st.sampled_from(RunState), st.integers(0, 3))


def test_every_state_says_what_may_follow_it() -> None:
    assert set(FOLLOWS) == set(RunState)


@pytest.mark.parametrize("state", RunState)
def test_before_is_the_table_read_backwards(state: RunState) -> None:
    assert states_before(state) == {source for source in RunState if state in FOLLOWS[source]}


@pytest.mark.parametrize("state", sorted(UNFINISHED))
def test_what_is_unfinished_can_be_done_or_cancelled(state: RunState) -> None:
    assert {RunState.DONE, RunState.CANCELLED} <= FOLLOWS[state]


def test_what_is_done_stays_done() -> None:
    assert FOLLOWS[RunState.DONE] == {RunState.DONE}


@pytest.mark.parametrize("state", [RunState.ERROR, RunState.CANCELLED])
@pytest.mark.parametrize("mode", Mode)
def test_a_retry_leads_back_to_the_first_state(state: RunState, mode: Mode) -> None:
    assert FIRST[mode] in FOLLOWS[state]


def test_every_state_is_finished_or_not() -> None:
    assert set(RunState) == FINISHED | UNFINISHED
    assert not FINISHED & UNFINISHED


@pytest.mark.parametrize(
    ("counts", "has_started", "cancel_requested", "expected"),
    [
        ({RunState.QUEUED: 2}, False, False, BatchState.STARTED),
        ({RunState.QUEUED: 2}, False, True, BatchState.STARTED),
        ({RunState.WAITING: 1}, False, False, BatchState.STARTED),
        ({RunState.QUEUED: 2}, True, False, BatchState.RUNNING),
        ({RunState.RUNNING: 1, RunState.CANCELLED: 1}, True, True, BatchState.RUNNING),
        ({RunState.ERROR: 1, RunState.QUEUED: 1}, True, False, BatchState.RUNNING),
        ({RunState.DONE: 3}, True, False, BatchState.DONE),
        ({RunState.DONE: 3}, True, True, BatchState.CANCELLED),
        ({RunState.DONE: 2, RunState.ERROR: 1}, True, False, BatchState.ERROR),
        ({RunState.DONE: 2, RunState.ERROR: 1}, True, True, BatchState.CANCELLED),
        ({RunState.DONE: 2, RunState.CANCELLED: 1}, True, False, BatchState.DONE),
        ({RunState.CANCELLED: 3}, True, False, BatchState.CANCELLED),
    ],
)
def test_a_batch_is_the_first_state_that_fits(
    counts: Mapping[RunState, int], has_started: bool, cancel_requested: bool, expected: BatchState
) -> None:
    found = batch_state(counts, has_started=has_started, cancel_requested=cancel_requested)

    assert found == expected


@given(COUNTS, st.booleans(), st.booleans())
def test_a_batch_is_finished_exactly_when_all_its_plans_are(
    counts: Mapping[RunState, int], has_started: bool, cancel_requested: bool
) -> None:
    found = batch_state(counts, has_started=has_started, cancel_requested=cancel_requested)

    unfinished = any(counts.get(state) for state in UNFINISHED)
    assert (found in {BatchState.STARTED, BatchState.RUNNING}) == unfinished
