"""Figures of the benchmarks: what is computed from what was measured."""

import json
from pathlib import Path

import pytest

from lab.benchmarks import idle_gaps, listening_cost, long_history, model_loads
from lab.benchmarks.listening_client import Heard
from lab.benchmarks.markdown_tables import Table, percentile, ratio


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Three plans: 0.25 s idle after the first, 0.5 s after the second."""
    moments = [("started", 1.0), ("finished", 2.0), ("started", 2.25), ("finished", 3.0)]
    moments += [("accepted", 3.25), ("started", 3.5), ("finished", 4.0)]
    path = tmp_path / "journal.jsonl"
    lines = [json.dumps({"at": at, "event": event}) for event, at in moments]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_gap_is_from_the_end_of_a_plan_to_the_start_of_the_next(journal: Path) -> None:
    assert list(idle_gaps.gaps(journal)) == [0.25, 0.5]


def test_plans_are_counted_by_their_end(journal: Path) -> None:
    assert idle_gaps.n_finished(journal, 2.0, 4.0) == 2


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0


def test_the_99th_percentile_of_few_values_is_the_last() -> None:
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3.0


def test_the_99th_percentile_leaves_one_of_a_hundred_out() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_nothing_against_nothing_is_no_number() -> None:
    assert str(ratio(1.0, 0.0)) == "nan"


def test_a_table_is_aligned_markdown() -> None:
    table = Table("Rows", ("name", "ms"), [["one", "1.0"], ["eleven", "11.0"]], ["A note."])
    assert table.markdown().splitlines() == [
        "**Rows**",
        "",
        "| name   |   ms |",
        "|--------|-----:|",
        "| one    |  1.0 |",
        "| eleven | 11.0 |",
        "",
        "A note.",
    ]


def test_a_past_is_made_of_whole_episodes() -> None:
    with pytest.raises(ValueError, match="10,000 runs at a time"):
        long_history.fill("postgres://nowhere", 123)


@pytest.mark.parametrize(("rendered", "n_loads"), [("", 0), ("aaaa", 0), ("aabb", 1), ("abab", 3)])
def test_a_prompt_that_needs_what_the_one_before_it_needed_is_no_load(
    rendered: str, n_loads: int
) -> None:
    assert model_loads.n_loads(rendered) == n_loads


def test_what_a_listener_missed_or_heard_twice_is_counted() -> None:
    told = [(1, [7]), (2, [8]), (3, [9]), (4, [10])]
    heard = Heard(first=1, last=3, versions=[8, 8])

    assert listening_cost.amiss(heard, told) == (1, 1)
