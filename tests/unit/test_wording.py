"""Sentences: English as a value, told in the language of whoever reads them."""

import json
import pickle

import pytest
from django.utils import translation

from wording import Sentence, as_json, from_json, in_turn, say, say_n

# The catalogue of Django itself has these, whatever becomes of ours.
YES = "Yes"


def test_a_sentence_is_its_english_text_as_a_value() -> None:
    said = say("Plan {plan} of {n:,} is late.", plan="0010", n=1234)

    assert said == "Plan 0010 of 1,234 is late."


def test_a_sentence_is_told_in_the_language_of_whoever_reads_it() -> None:
    said = say("Yes")

    with translation.override("fr"):
        assert (str(said), f"{said}.", said == "Yes") == ("Oui", "Oui.", True)


def test_a_sentence_within_a_sentence_is_told_with_it() -> None:
    said = say("{answer}, of {n:,} and {part}.", answer=say("Yes"), n=1234, part=0.5)

    with translation.override("fr"):
        assert str(said) == "Oui, of 1\N{NARROW NO-BREAK SPACE}234 and 0,5."


def test_what_has_no_french_is_said_in_english() -> None:
    said = say("Nobody has translated this.")

    with translation.override("fr"):
        assert str(said) == "Nobody has translated this."


@pytest.mark.parametrize(("n", "text"), [(0, "0 plans"), (1, "1 plan"), (2, "2 plans")])
def test_a_number_decides_between_singular_and_plural(n: int, text: str) -> None:
    assert say_n("{n} plan", "{n} plans", n) == text


def test_a_sentence_comes_back_from_json_as_it_was() -> None:
    said = say("{n} of {what}", n=3, what=say("Yes"))

    again = from_json(json.loads(json.dumps(as_json({"detail": said, "others": ["a", said]}))))

    with translation.override("fr"):
        assert (again["detail"], str(again["detail"])) == ("3 of Yes", "3 of Oui")
        assert str(again["others"][1]) == "3 of Oui"


def test_a_sentence_crosses_from_process_to_process() -> None:
    said = pickle.loads(pickle.dumps(say("{what}!", what=say("Yes"))))

    with translation.override("fr"):
        assert str(said) == "Oui!"


def test_sentences_after_one_another_are_one() -> None:
    with translation.override("fr"):
        assert str(in_turn([say("Yes"), "and", say("Yes")])) == "Oui and Oui"


def test_a_value_that_is_lacking_leaves_a_question_mark() -> None:
    assert Sentence("{server} took {seconds:g} s.", {}) == "? took ? s."


def test_a_template_reaches_into_no_value() -> None:
    assert Sentence("{plan.__class__} {plan[0]}", {"plan": "0010"}) == "? ?"
