"""Fields in texts: what is one, what stays, and what is put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.workflows import prompt_templates
from generation.workflows.errors import GraphError

VALUES = {"episode": "E202", "sequence": "SQ0010", "plan": "0010"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a town", "a town"),
        ("plan {plan} of {sequence} in {episode}", "plan 0010 of SQ0010 in E202"),
        ("{plan}{plan}", "00100010"),
        ("{{plan}}", "{plan}"),
        ("{{{plan}}}", "{0010}"),
        ("}} and {{", "} and {"),
        ("{day|night}", "{day|night}"),
        ("{day|{dusk|night}} town", "{day|{dusk|night}} town"),
        ("{day of {plan}|night}", "{day of 0010|night}"),
        ("{a b} {1} {Plan} {}", "{a b} {1} {Plan} {}"),
        ("{plan", "{plan"),
        ("plan}", "plan}"),
        ("(wind:1.2)", "(wind:1.2)"),
    ],
)
def test_fields_are_filled_in_and_all_else_stays(text: str, filled: str) -> None:
    assert prompt_templates.filled(text, VALUES) == filled


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("street, {place}, night", "street, night"),
        ("street, {place}, {notes}, night", "street, night"),
        ("{place}, night", "night"),
        ("street, {place}", "street"),
        ("street, {place}, {notes}", "street"),
        ("street; {place}.", "street."),
        ("street, {place}\nnight", "street\nnight"),
        ("night\n{place}, street", "night\nstreet"),
        ("a {place} street", "a street"),
        ("{plan}, {place}", "0010"),
        ("{place}", ""),
        ("no comma: {place}x", "no comma: x"),
    ],
)
def test_a_field_of_which_there_is_nothing_takes_its_separator_along(
    text: str, filled: str
) -> None:
    assert prompt_templates.filled(text, {"plan": "0010", "place": "", "notes": ""}) == filled


def test_brackets_of_what_is_put_in_are_no_weights() -> None:
    assert prompt_templates.filled("({plan}:1.2)", {"plan": "a (b)"}) == r"(a \(b\):1.2)"


def test_what_is_put_in_is_not_read_again() -> None:
    assert prompt_templates.filled("{plan}", {"plan": "{episode}"}) == "{episode}"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{plan} {mood}", ["mood"]),
        ("{mood|calm}", []),
        ("{{mood}}", []),
        ("{calm|{mood}}", ["mood"]),
    ],
)
def test_unknown_fields_are_named(text: str, unknown: list[str]) -> None:
    assert prompt_templates.unknown(text) == unknown


def test_a_field_without_a_value_is_never_left_in_a_prompt() -> None:
    with pytest.raises(GraphError, match=r"\{mood\}"):
        prompt_templates.filled("{mood}", VALUES)


@given(st.text(alphabet="ab{}|( "))
def test_whoever_doubles_braces_gets_his_text(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")

    assert prompt_templates.filled(doubled, VALUES) == text
