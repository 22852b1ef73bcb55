"""Many servers are asked at once, and none is waited for longer than there is time."""

import threading
from collections.abc import Iterator

import pytest

from generation.services.parallel_calls import Asking
from tests.processes import wait_for


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What a question waits for that is not answered within the test."""
    event = threading.Event()
    yield event
    event.set()


def test_answers_come_as_they_are_given(never: threading.Event) -> None:
    asking: Asking[str] = Asking()

    answers = asking.ask({"hangs": lambda: str(never.wait()), "says": lambda: "yes"}, 60)

    assert next(answers) == ("says", "yes")


def test_what_is_not_answered_in_time_is_none(never: threading.Event) -> None:
    asking: Asking[bool] = Asking()

    answers = dict(asking.ask({"a": never.wait, "b": never.wait}, 0.1))

    assert answers == {"a": None, "b": None}


def test_all_are_asked_before_one_has_answered() -> None:
    together = threading.Barrier(3, timeout=60)
    asking: Asking[int] = Asking()

    answers = dict(asking.ask(dict.fromkeys("abc", together.wait), 60))

    assert sorted(answers.values()) == [0, 1, 2]


def test_what_is_under_way_is_not_asked_again(never: threading.Event) -> None:
    asking: Asking[bool] = Asking()
    asking.start("a", never.wait)

    asking.start("a", lambda: False)
    never.set()

    assert list(asking.answers(60)) == [("a", True)]


def test_a_late_answer_is_none_to_the_next_question(never: threading.Event) -> None:
    asking: Asking[str] = Asking()
    list(asking.ask({"a": lambda: f"late {never.wait()}"}, 0))
    never.set()
    wait_for(lambda: not asking._answers.empty())

    assert list(asking.ask({"a": lambda: "now"}, 60)) == [("a", "now")]


def test_a_question_that_fails_is_answered_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    asking: Asking[float] = Asking()

    assert list(asking.ask({"a": lambda: 1 / 0}, 60)) == [("a", None)]
    assert len(told) == 1
