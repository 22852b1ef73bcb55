"""The facts can be wrong: each is held against what must not pass."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from lab.real import end_facts
from lab.real.bystander import Bystander
from lab.real.comfyui_server import Comfy
from tests import factories

FIRST, SECOND = (str(UUID(int=number)) for number in (1, 2))
SUCCESS = {"status": {"status_str": "success"}}
ERROR = {"status": {"status_str": "error"}}


class Attempts:
    """A site with these attempts at plan 0010."""

    def __init__(self, *prompt_ids: str) -> None:
        self._rows = [("0010", UUID(prompt_id), "done") for prompt_id in prompt_ids]

    def rows(self, query: str) -> list[Any]:
        return self._rows


@pytest.fixture
def scenario(tmp_path: Any) -> Any:
    """A scenario in which the first of two servers was killed at 100."""
    at = [Bystander(Comfy("none", tmp_path / name), 0) for name in ("one", "two")]
    return SimpleNamespace(
        bystanders=at, victim=at[0], killed_at=100.0, cancels=[], site=Attempts(FIRST, SECOND)
    )


def executed(scenario: Any, *lives: tuple[int, str, int]) -> list[str]:
    for number, prompt_id, life in lives:
        scenario.bystanders[number].lives.setdefault(prompt_id, set()).add(life)
    return end_facts._executions(scenario).wrong


def test_what_the_killed_server_lost_may_be_rendered_again(scenario: Any) -> None:
    assert executed(scenario, (0, FIRST, 1), (1, SECOND, 1)) == []


@pytest.mark.parametrize("number", [0, 1])
def test_the_same_prompt_in_both_lives_is_one_time_too_many(scenario: Any, number: int) -> None:
    wrong = executed(scenario, (0, FIRST, 1), (1, SECOND, 1), (number, FIRST, 2))

    assert wrong == ["plan 0010 was executed 3 times"]


def test_two_prompts_on_the_other_server_are_one_too_many(scenario: Any) -> None:
    assert executed(scenario, (1, FIRST, 1), (1, SECOND, 1)) == ["plan 0010 was executed 2 times"]


def test_a_plan_that_nobody_saw_run_is_wrong(scenario: Any) -> None:
    assert executed(scenario) == ["plan 0010 was never executed"]


def others(scenario: Any, number: int, posted_at: float, said: Any = None) -> list[str]:
    bystander = scenario.bystanders[number]
    bystander.posted[FIRST] = posted_at
    bystander.history[FIRST] = said or {}
    return end_facts._others(scenario).wrong


def test_a_foreign_prompt_that_succeeded_is_right(scenario: Any) -> None:
    assert others(scenario, 1, 50, SUCCESS) == []


def test_a_foreign_prompt_may_be_lost_with_the_killed_server(scenario: Any) -> None:
    assert others(scenario, 0, 99) == []


@pytest.mark.parametrize(("number", "posted_at"), [(0, 101), (1, 99)])
def test_a_foreign_prompt_may_not_vanish(scenario: Any, number: int, posted_at: float) -> None:
    assert others(scenario, number, posted_at) == [f"the foreign prompt {FIRST} ended as nothing"]


def test_a_foreign_prompt_may_not_be_interrupted(scenario: Any) -> None:
    assert others(scenario, 1, 50, ERROR) == [f"the foreign prompt {FIRST} ended as error"]


def in_picture(color: str, width_px: int = 960) -> list[str]:
    content = factories.png(width_px, 540, color)
    return list(end_facts._in_picture("a.png", content, blue=16))


def test_an_image_of_its_panel_is_right() -> None:
    assert in_picture("#00000f") == []


def test_an_image_of_another_panel_is_wrong() -> None:
    assert in_picture("#000018") == ["a.png shows (0, 0, 24), its panel's blue is 16"]


def test_an_image_of_another_size_is_wrong() -> None:
    assert in_picture("#00000f", 900) == ["a.png is (900, 540)"]
