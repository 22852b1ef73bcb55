"""A short run of chaos, on whichever database the tests are on; the long ones are `make chaos`."""

import json
from pathlib import Path

import pytest

from tests.chaos import ordeal, plan, script
from tests.chaos.ordeal import Order

#: Whoever is frozen, or takes a server away, takes longer than this run lasts.
TOO_SLOW = ("server_away", "freeze_server", "freeze_main", "node_hang", "worker_dead", "hang")


def test_a_seed_says_what_happens_and_when() -> None:
    first, again, other = (plan.draw(seed, 100, lasts_s=50, has={"sqlite"}) for seed in (7, 7, 8))

    assert first == again != other
    assert script.draw(7, 50) == script.draw(7, 50) != script.draw(8, 50)


def test_a_plan_is_replayed_from_its_file() -> None:
    acts = plan.draw(7, 100, lasts_s=50, has={"postgresql", "redis"})

    assert [plan.Act(**act) for act in json.loads(json.dumps(plan.as_json(acts)))] == acts


def test_every_kind_can_be_drawn_and_left_out() -> None:
    drawn = plan.draw(1, 5000, lasts_s=50, has={"postgresql", "redis"}, without=["oom"])

    assert {act.kind for act in drawn} == set(plan.KINDS) - {"oom"}


@pytest.mark.slow
def test_a_short_run_breaks_no_invariant(tmp_path: Path) -> None:
    database = "postgresql" if ordeal.is_on_postgresql() else "sqlite"

    result = ordeal.undergo(Order(11, 24, 8.0, database, False, TOO_SLOW), tmp_path)

    assert [line for line in result.lines if line["broken"]] == []
    assert result.figures["faults"] >= 12
