"""A short run of chaos, on whichever database the tests are on; the long ones are `make chaos`."""

import json
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from lab.chaos import __main__ as program
from lab.chaos import attack_schedule, load_script, ordeal, ordeal_order, transaction_witness
from lab.chaos.ordeal import Result
from lab.chaos.ordeal_order import Order

#: Whoever is frozen, or takes a server away, takes longer than this run lasts.
TOO_SLOW = ("server_away", "freeze_server", "freeze_main", "node_hang", "worker_dead", "hang")


def test_a_seed_says_what_happens_and_when() -> None:
    first, again, other = (
        attack_schedule.draw(seed, 100, lasts_s=50, has={"sqlite"}) for seed in (7, 7, 8)
    )

    assert first == again != other
    assert load_script.draw(7, 50) == load_script.draw(7, 50) != load_script.draw(8, 50)


@pytest.mark.parametrize("target", transaction_witness.WATCHED)
def test_what_the_witness_watches_is_there(target: str) -> None:
    owner, name = transaction_witness.owner_of(target)

    assert callable(getattr(owner, name))


@pytest.fixture
def drawn() -> Order:
    """An order with everything that can be ordered."""
    return ordeal_order.draw(7, 100, 33.4, "postgresql", has_redis=True, without=["oom", "hang"])


def commands(said: str) -> list[list[str]]:
    """Return the options of each command that a run has said it is played again with."""
    prefix = f"again: {ordeal_order.PROGRAM} "
    return [
        shlex.split(line.removeprefix(prefix))
        for line in said.splitlines()
        if line.startswith(prefix)
    ]


def test_a_file_replays_all_that_was_ordered(drawn: Order, tmp_path: Path) -> None:
    ordeal_order.write(drawn, tmp_path / "plan.json")

    given = program.parsed(["--replay", str(tmp_path / "plan.json")])

    assert program.ordered(given) == [drawn]


@pytest.fixture
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a run lies in the test's own folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("own_temporary")
def test_a_broken_run_says_how_it_is_played_again(
    drawn: Order, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ordeal, "undergo", broken)

    code = program.play(drawn, keep=False, report=None)

    again = commands(capsys.readouterr().out)
    assert code == 1
    assert [program.ordered(program.parsed(options)) for options in again] == [[drawn], [drawn]]


@pytest.mark.usefixtures("own_temporary")
def test_a_run_that_stumbles_says_how_it_is_played_again(
    drawn: Order, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ordeal, "undergo", stumble)

    with pytest.raises(RuntimeError):
        program.play(drawn, keep=False, report=None)

    assert len(commands(capsys.readouterr().out)) == 2


def test_acts_that_no_seed_draws_are_played_again_from_their_file_alone(drawn: Order) -> None:
    changed = replace(drawn, acts=drawn.acts[1:])

    assert ordeal_order.replay_commands(changed, Path("plan.json")) == [
        f"{ordeal_order.PROGRAM} --replay plan.json"
    ]


def test_every_kind_can_be_drawn_and_left_out() -> None:
    drawn = attack_schedule.draw(1, 5000, lasts_s=50, has={"postgresql", "redis"}, without=["oom"])

    assert {act.kind for act in drawn} == set(attack_schedule.KINDS) - {"oom"}


def broken(wanted: Order, folder: Path) -> Result:
    """Stand in for an ordeal that breaks an invariant."""
    ordeal_order.write(wanted, folder / ordeal.PLAN)
    line = {"number": "1", "title": "The truth", "said": "", "broken": ["It is not."]}
    figures = ("faults", "acts_s", "missed", "requests", "batches", "end_s")
    return Result(wanted, folder, [line], {"kinds": {}, **dict.fromkeys(figures, 0)})


def stumble(wanted: Order, folder: Path) -> Result:
    """Stand in for an ordeal that does not come to its end."""
    ordeal_order.write(wanted, folder / ordeal.PLAN)
    raise RuntimeError


@pytest.mark.slow
def test_a_short_run_breaks_no_invariant(tmp_path: Path) -> None:
    database = "postgresql" if ordeal.is_on_postgresql() else "sqlite"
    wanted = ordeal_order.draw(11, 19, 8.0, database, without=TOO_SLOW)

    result = ordeal.undergo(wanted, tmp_path)

    assert [line for line in result.lines if line["broken"]] == []
    assert result.figures["faults"] >= 12
    assert in_order(result) == list(wanted.acts)


def in_order(result: Result) -> list[attack_schedule.Act]:
    """Return the plan's acts in the order in which they were done or found nobody to hit."""
    case = json.loads((result.home / ordeal.CASE).read_text())
    return [attack_schedule.Act(**act) for act in case["tried"]]
