"""Log entries as sentences."""

import pytest

from generation.events import EVENTS, LEVELS, sentence


def test_a_sentence_is_filled_in_with_the_entrys_data() -> None:
    data = {"attempt": 2, "server": "gpu-1", "seed": "42"}

    assert sentence("claimed", data) == "Attempt 2 on gpu-1, seed 42."


def test_what_the_data_lacks_is_a_question_mark() -> None:
    assert sentence("posted", {}) == "? accepted the prompt."


def test_words_of_a_server_are_never_taken_for_a_pattern() -> None:
    assert sentence("failed", {"message": "{0} {server.name} {"}) == "{0} {server.name} {"


def test_an_event_of_another_time_stands_for_itself() -> None:
    assert sentence("renamed_since", {}) == "renamed_since"


@pytest.mark.parametrize("code", EVENTS)
def test_every_event_has_a_level_and_a_whole_sentence(code: str) -> None:
    event = EVENTS[code]

    assert event.level in LEVELS
    # A message brings a full stop of its own, or is a server's words, left as they are.
    assert event.sentence.endswith((".", "{message}"))
    assert len(code) <= 48
