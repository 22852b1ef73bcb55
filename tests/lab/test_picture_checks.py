"""The program that measures the checks: it draws what it says, and counts as Madsea does."""

import random

import pytest

from generation import picture_measures
from lab.picture_checks import __main__ as program
from lab.picture_checks import scenes, trials
from lab.picture_checks.scenes import LIGHTS
from lab.picture_checks.trials import Trial


def drawn(seed: int) -> bytes:
    scene = scenes.scene(random.Random(seed))
    return trials.sketch(scenes.picture(scene, LIGHTS["dusk"]))


def test_the_same_chance_draws_the_same_scene() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_picture_is_nearer_to_its_own_panel_than_to_another_s() -> None:
    panels = [
        trials.sketch(scenes.panel(scenes.scene(random.Random(seed)), random.Random(seed)))
        for seed in (1, 2)
    ]

    own, other = [picture_measures.composition_distance(drawn(1), each) for each in panels]

    assert own is not None
    assert other is not None
    assert own < 0.5 < other


def test_a_trial_counts_what_is_beyond_the_bound() -> None:
    trial = Trial("black", "black", [0.0, 0.01, 0.5], "good ones", [0.9, 0.02])

    assert (trial.n_found, trial.n_alarms, trial.alarmed) == (2, 1, 0.5)


def test_every_check_of_pixels_is_tried_and_a_false_alarm_ends_it_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.main(["--scenes", "3"]) == 0
    table = capsys.readouterr().out
    monkeypatch.setattr(program, "ALARMS_MAX", -1.0)

    assert program.main(["--scenes", "1"]) == 1
    assert [name for name in trials.CHECKS if f"`{name}`" not in table] == ["size", "ratio"]
