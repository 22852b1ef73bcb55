"""Names are values: format and parse undo one another, and a refusal names its field."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nomenclature_strategies import damaged, file_names, unversioned_names

from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, PlanTask, UnversionedName

CONCEPT = FileName("E202", "SQ0010", "0010", "AI-concept", 1, "png")

REFUSED = [
    ("", "episode"),
    ("hello.png", "episode"),
    ("e202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("E02_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("S02E202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    (" E202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("../E202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("/E202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("\x00E202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("E202-SQ0010-0010_AI-concept_v0001.png", "episode"),
    ("E202_sq0010-0010_AI-concept_v0001.png", "sequence_id"),
    ("E202_SQ010-0010_AI-concept_v0001.png", "sequence_id"),
    ("E202_0010-0010_AI-concept_v0001.png", "sequence_id"),
    ("E202__SQ0010-0010_AI-concept_v0001.png", "sequence_id"),
    ("E202_SQ0010/0010_AI-concept_v0001.png", "sequence_id"),
    ("E202_SQ0010-10_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010-00100_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010-٠٠١٠_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010-0010-0020_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010_0010_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010_AI-concept_v0001.png", "plan"),
    ("E202_SQ0010-0010_ai-concept_v0001.png", "task"),
    ("E202_SQ0010-0010_AI_concept_v0001.png", "task"),
    ("E202_SQ0010-0010__v0001.png", "task"),
    ("E202_SQ0010-0010_v0001.png", "task"),
    ("E202_SQ0010-0010_AI-concept_final_v0001.png", "task"),
    ("E202_SQ0010-0010_AI-concept_v0001_v0002.png", "task"),
    ("E202_SQ0010-0010_AI-concept.png", "version"),
    ("E202_SQ0010-0010_AI-concept_.png", "version"),
    ("E202_SQ0010-0010_AI-concept_v1.png", "version"),
    ("E202_SQ0010-0010_AI-concept_V0001.png", "version"),
    ("E202_SQ0010-0010_AI-concept_v0000.png", "version"),
    ("E202_SQ0010-0010_AI-concept_v10000.png", "version"),
    ("E202_SQ0010-0010_AI-concept_v0001 (1).png", "version"),
    ("E202_SQ0010-0010_AI-concept_v0001.tar.png", "version"),
    ("E202_SQ0010-0010_AI-concept_v0001.png/..", "version"),
    ("E202_SQ0010-0010_AI-concept_v0001.PNG", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001.jpeg", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001.mp4", "extension"),
    ("E202_SQ0010-0010_Animation_v0001.png", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001.png\n", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001.png\x00", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001.", "extension"),
    ("E202_SQ0010-0010_AI-concept_v0001", "extension"),
    (None, "name"),
    (b"E202_SQ0010-0010_AI-concept_v0001.png", "name"),
]

REFUSED_UNVERSIONED = [
    ("e202_SQ0010-0010_AI-concept.png", "episode"),
    ("E202_SQ10-0010_AI-concept.png", "sequence_id"),
    ("E202_SQ0010-10_AI-concept.png", "plan"),
    ("E202_SQ0010-0010_AI-concept_final.png", "task"),
    ("E202_SQ0010-0010_AI-concept_.png", "task"),
    ("E202_SQ0010-0010_AI-concept_v0001.png", "version"),
    ("E202_SQ0010-0010_AI-concept_V1.png", "version"),
    ("E202_SQ0010-0010_AI-concept.jpeg", "extension"),
    ("E202_SQ0010-0010_AI-concept", "extension"),
    (12, "name"),
]


def parsed_or_none(kind: type[FileName] | type[UnversionedName], text: str) -> object:
    try:
        return kind.parse(text)
    except NomenclatureError:
        return None


def test_a_name_is_written_as_the_studio_writes_it() -> None:
    assert str(CONCEPT) == "E202_SQ0010-0010_AI-concept_v0001.png"


def test_a_name_is_read_into_its_fields() -> None:
    assert FileName.parse("E1001_SQ0120-0035_Animation_v0042.mov") == FileName(
        episode="E1001",
        sequence_id="SQ0120",
        plan="0035",
        task="Animation",
        version=42,
        extension="mov",
    )


def test_a_name_knows_its_season_and_its_stem() -> None:
    assert CONCEPT.season == "S02"
    assert CONCEPT.stem == "E202_SQ0010-0010_AI-concept"


def test_a_name_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CONCEPT.version = 2  # type: ignore[misc]


def test_an_unversioned_name_becomes_a_version() -> None:
    name = UnversionedName.parse("E202_SQ0010-0010_AI-concept.png")

    assert str(name) == "E202_SQ0010-0010_AI-concept.png"
    assert name.at_version(1) == CONCEPT


@pytest.mark.parametrize(("text", "field"), REFUSED)
def test_a_refused_name_says_which_field_is_wrong(text: Any, field: str) -> None:
    with pytest.raises(NomenclatureError, match=f"^{field}: expected ") as refusal:
        FileName.parse(text)

    assert refusal.value.field == field


@pytest.mark.parametrize(("text", "field"), REFUSED_UNVERSIONED)
def test_a_refused_unversioned_name_says_which_field_is_wrong(text: Any, field: str) -> None:
    with pytest.raises(NomenclatureError, match=f"^{field}: expected ") as refusal:
        UnversionedName.parse(text)

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("episode", "../E202"),
        ("sequence_id", "0010"),
        ("plan", 10),
        ("task", "layout"),
        ("version", 0),
        ("version", "1"),
        ("extension", ".png"),
    ],
)
def test_a_wrong_field_never_becomes_a_name(field: str, value: object) -> None:
    fields: dict[str, Any] = {**vars(CONCEPT), field: value}

    with pytest.raises(NomenclatureError) as refusal:
        FileName(**fields)

    assert refusal.value.field == field


def test_the_task_of_a_plan_is_checked_as_names_are() -> None:
    with pytest.raises(NomenclatureError) as refusal:
        PlanTask("E202", "SQ0010", "0010", "layout")

    assert refusal.value.field == "task"


@given(file_names())
@settings(deadline=None)
def test_what_is_written_is_read_back_as_the_same_name(name: FileName) -> None:
    assert FileName.parse(str(name)) == name


@given(unversioned_names)
@settings(deadline=None)
def test_an_unversioned_name_is_read_back_as_the_same(name: UnversionedName) -> None:
    assert UnversionedName.parse(str(name)) == name


@given(st.text() | damaged(file_names().map(str)))
@example("E202_SQ0010-0010_AI-concept_v0001.png\n")
@settings(deadline=None, max_examples=500)
def test_a_text_that_is_read_is_written_back_as_the_same_text(text: str) -> None:
    name = parsed_or_none(FileName, text)

    assert name is None or str(name) == text


@given(st.text() | damaged(unversioned_names.map(str)))
@settings(deadline=None, max_examples=500)
def test_an_unversioned_text_is_written_back_as_the_same_text(text: str) -> None:
    name = parsed_or_none(UnversionedName, text)

    assert name is None or str(name) == text


@given(damaged(file_names().map(str)) | damaged(unversioned_names.map(str)))
@settings(deadline=None)
def test_no_text_is_both_a_versioned_and_an_unversioned_name(text: str) -> None:
    assert None in (parsed_or_none(FileName, text), parsed_or_none(UnversionedName, text))
