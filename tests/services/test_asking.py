"""Many servers are asked at once, and none is waited for longer than there is time."""

import threading
import time
from collections.abc import Iterator

import pytest

from generation.services.asking import Asking


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What a question waits for that is not answered within the test."""
    event = threading.Event()
    yield event
    event.set()


def test_answers_come_as_they_are_given_and_the_rest_are_none(never: threading.Event) -> None:
    asking: Asking[str] = Asking()

    answers = list(asking.ask({"hangs": lambda: str(never.wait()), "says": lambda: "yes"}, 0.2))

    assert answers == [("says", "yes"), ("hangs", None)]


def test_what_is_under_way_is_not_asked_again(never: threading.Event) -> None:
    asking: Asking[bool] = Asking()
    asking.start("a", never.wait)

    asking.start("a", lambda: False)
    never.set()

    assert list(asking.answers(5)) == [("a", True)]


def test_a_late_answer_is_none_to_the_next_question(never: threading.Event) -> None:
    asking: Asking[str] = Asking()
    list(asking.ask({"a": lambda: f"late {never.wait()}"}, 0))
    never.set()
    time.sleep(0.1)

    assert list(asking.ask({"a": lambda: "now"}, 5)) == [("a", "now")]


def test_a_question_that_fails_is_answered_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    asking: Asking[float] = Asking()

    assert list(asking.ask({"a": lambda: 1 / 0}, 5)) == [("a", None)]
    assert len(told) == 1
