"""The error says which field is wrong, what was expected and what was given."""

import pickle

import pytest

from nomenclature.errors import NomenclatureError


def test_the_message_names_the_field_what_was_expected_and_the_value() -> None:
    error = NomenclatureError("plan", "10", "four digits")

    assert str(error) == "plan: expected four digits; got '10'"


def test_the_code_is_made_from_the_field_unless_given() -> None:
    assert NomenclatureError("plan", "10", "four digits").code == "invalid_plan"
    assert NomenclatureError("task", "x", "a task", "unknown_task").code == "unknown_task"


@pytest.mark.parametrize(
    "value",
    ["9" * 10_000, ["9" * 10_000] * 100, 10**10_000, [10**10_000]],
    ids=["text", "texts", "integer", "integers"],
)
def test_a_huge_value_is_shown_short(value: object) -> None:
    error = NomenclatureError("plan", value, "four digits")

    assert len(str(error)) < 600


def test_the_error_survives_pickling() -> None:
    error = NomenclatureError("task", "x", "a task", "unknown_task")

    copy = pickle.loads(pickle.dumps(error))

    assert (copy.field, copy.value, copy.expected, copy.code) == error.args
    assert str(copy) == str(error)
