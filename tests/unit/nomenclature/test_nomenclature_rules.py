"""Each field accepts what its rule says, and refuses everything else by name."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nomenclature import rules
from nomenclature.errors import NomenclatureError

NOT_STRINGS = [None, 1010, 10.0, True, b"0010", ["0010"], {"plan": "0010"}]

TEXT_CHECKS: dict[str, Callable[[object], str]] = {
    "project_id": rules.check_project_id,
    "season": rules.check_season,
    "episode": rules.check_episode,
    "sequence_id": rules.check_sequence_id,
    "plan": rules.check_plan,
    "task": rules.check_task,
}

GOOD = [
    ("project_id", "madsea-2025-ep202"),
    ("project_id", "a"),
    ("project_id", "2025"),
    ("project_id", "A..b_-"),
    ("project_id", "a" * 64),
    ("project_id", "CONTE"),
    ("project_id", "COM10"),
    ("season", "S02"),
    ("season", "S10"),
    ("season", "S00"),
    ("season", "S100"),
    ("season", "S9999"),
    ("episode", "E202"),
    ("episode", "E200"),
    ("episode", "E001"),
    ("episode", "E1001"),
    ("episode", "E999999"),
    ("sequence_id", "SQ0010"),
    ("sequence_id", "SQ0000"),
    ("plan", "0010"),
    ("plan", "9999"),
    ("task", "AI-concept"),
    ("task", "extracted-raw"),
    ("task", "Animation"),
]

BAD = [
    ("project_id", ""),
    ("project_id", "a" * 65),
    ("project_id", "."),
    ("project_id", ".."),
    ("project_id", "../x"),
    ("project_id", "/x"),
    ("project_id", "a/b"),
    ("project_id", "a\\b"),
    ("project_id", "a\x00"),
    ("project_id", ".hidden"),
    ("project_id", "-rf"),
    ("project_id", "_x"),
    ("project_id", "madsea."),
    ("project_id", "madsea "),
    ("project_id", " madsea"),
    ("project_id", "madsea\n"),
    ("project_id", "été"),
    ("project_id", "C:"),
    ("season", ""),
    ("season", "S2"),
    ("season", "s02"),
    ("season", "S002"),
    ("season", "S10000"),
    ("season", "02"),
    ("season", "S٠٢"),
    ("season", "S02\n"),
    ("season", " S02"),
    ("episode", ""),
    ("episode", "E"),
    ("episode", "E02"),
    ("episode", "e202"),
    ("episode", "E0202"),
    ("episode", "E0002"),
    ("episode", "E1000000"),
    ("episode", "E2O2"),
    ("episode", "E２０２"),
    ("episode", "E202\n"),
    ("episode", "../E202"),
    ("sequence_id", ""),
    ("sequence_id", "0010"),
    ("sequence_id", "SQ10"),
    ("sequence_id", "SQ00100"),
    ("sequence_id", "sq0010"),
    ("sequence_id", "SQ٠٠١٠"),
    ("sequence_id", "SQ0010\n"),
    ("sequence_id", "SQ0010/.."),
    ("plan", ""),
    ("plan", "10"),
    ("plan", "00100"),
    ("plan", "٠٠١٠"),
    ("plan", "0010\n"),
    ("plan", " 0010"),
    ("plan", "0010 "),
    ("plan", "+010"),
    ("plan", "-010"),
    ("plan", "0_10"),
    ("plan", "001²"),
    ("plan", "0010\x00"),
    ("plan", "../"),
]


@pytest.mark.parametrize(("field", "value"), GOOD)
def test_a_good_value_is_returned_as_it_is(field: str, value: str) -> None:
    assert TEXT_CHECKS[field](value) == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_bad_value_is_refused_by_the_name_of_its_field(field: str, value: str) -> None:
    with pytest.raises(NomenclatureError) as refusal:
        TEXT_CHECKS[field](value)

    assert refusal.value.field == field
    assert refusal.value.code == f"invalid_{field}"
    assert refusal.value.expected == rules.RULES[field].expected


@pytest.mark.parametrize("field", TEXT_CHECKS)
@pytest.mark.parametrize("value", NOT_STRINGS, ids=repr)
def test_what_is_not_a_string_is_refused_and_never_converted(field: str, value: object) -> None:
    with pytest.raises(NomenclatureError, match="a string") as refusal:
        TEXT_CHECKS[field](value)

    assert refusal.value.field == field
    assert refusal.value.code == "not_a_string"


@pytest.mark.parametrize(
    "name", ["CON", "nul", "Aux", "prn", "COM1", "lpt9", "con.2025", "NUL.a.b"]
)
def test_a_project_is_not_named_as_a_windows_device(name: str) -> None:
    with pytest.raises(NomenclatureError, match="Windows") as refusal:
        rules.check_project_id(name)

    assert refusal.value.field == "project_id"
    assert refusal.value.code == "reserved_project_id"


@pytest.mark.parametrize(
    ("season", "episode"),
    [
        ("S02", "E202"),
        ("S10", "E1001"),
        ("S21", "E2100"),
        ("S00", "E001"),
        ("S100", "E10001"),
        ("S9999", "E999999"),
    ],
)
def test_an_episode_belongs_to_the_season_it_starts_with(season: str, episode: str) -> None:
    assert rules.season_of(episode) == season
    assert rules.check_episode(episode, season) == episode


@pytest.mark.parametrize(
    ("season", "episode", "start"),
    [("S02", "E302", "E2"), ("S01", "E1001", "E1"), ("S10", "E101", "E10"), ("S00", "E101", "E0")],
)
def test_an_episode_of_another_season_is_refused(season: str, episode: str, start: str) -> None:
    with pytest.raises(NomenclatureError, match=f"an episode of {season}: '{start}'") as refusal:
        rules.check_episode(episode, season)

    assert refusal.value.field == "episode"
    assert refusal.value.code == "episode_not_in_season"


@pytest.mark.parametrize("season", ["S2", "02", "S02\n", 2])
def test_an_episode_checked_against_a_bad_season_names_the_season(season: object) -> None:
    with pytest.raises(NomenclatureError) as refusal:
        rules.check_episode("E202", season)

    assert refusal.value.field == "season"


@given(number=st.integers(0, 9999), episode=st.integers(0, 99))
@settings(deadline=None)
def test_season_and_episode_are_derived_from_one_another(number: int, episode: int) -> None:
    season = f"S{number:02d}"

    name = f"{rules.episode_prefix(season)}{episode:02d}"

    assert rules.season_of(name) == season


@pytest.mark.parametrize(
    "task", ["", "ai-concept", "AI_concept", "AI-Concept", "AI-concept ", "layout", ".."]
)
def test_an_unknown_task_is_refused_with_the_list_of_tasks(task: str) -> None:
    with pytest.raises(NomenclatureError, match="'AI-concept', 'extracted-raw'") as refusal:
        rules.check_task(task)

    assert refusal.value.field == "task"
    assert refusal.value.code == "unknown_task"


@pytest.mark.parametrize("task", rules.TASKS)
def test_the_name_of_a_task_can_be_a_folder_and_a_piece_of_a_name(task: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", task)
    assert rules.TASKS[task].label


@pytest.mark.parametrize(
    ("task", "extensions"),
    [
        ("AI-concept", ("png", "jpg", "webp")),
        ("extracted-raw", ("png", "jpg", "webp")),
        ("Animation", ("mp4", "mov")),
    ],
)
def test_a_task_says_which_extensions_its_files_have(
    task: str, extensions: tuple[str, ...]
) -> None:
    assert tuple(rules.check_extension(each, task) for each in extensions) == extensions
    assert rules.TASKS[task].extensions == extensions


@pytest.mark.parametrize(
    ("extension", "task"),
    [
        ("", "AI-concept"),
        ("PNG", "AI-concept"),
        (".png", "AI-concept"),
        ("jpeg", "AI-concept"),
        ("png\n", "AI-concept"),
        ("png ", "AI-concept"),
        ("gif", "AI-concept"),
        ("mp4", "AI-concept"),
        ("mov", "extracted-raw"),
        ("png", "Animation"),
        (None, "AI-concept"),
        (7, "AI-concept"),
    ],
)
def test_an_extension_that_the_task_does_not_have_is_refused(extension: object, task: str) -> None:
    with pytest.raises(NomenclatureError, match=f"for {task}") as refusal:
        rules.check_extension(extension, task)

    assert refusal.value.field == "extension"


def test_an_extension_of_an_unknown_task_names_the_task() -> None:
    with pytest.raises(NomenclatureError) as refusal:
        rules.check_extension("png", "layout")

    assert refusal.value.field == "task"


@pytest.mark.parametrize("version", [0, -1, 10_000, pytest.param(10**5000, id="huge")])
def test_a_version_out_of_bounds_is_refused(version: int) -> None:
    with pytest.raises(NomenclatureError, match="from 1 to 9999") as refusal:
        rules.check_version(version)

    assert refusal.value.field == "version"
    assert refusal.value.code == "invalid_version"


@pytest.mark.parametrize("version", ["1", "v0001", 1.0, True, None], ids=repr)
def test_a_version_that_is_no_integer_is_refused(version: object) -> None:
    with pytest.raises(NomenclatureError, match="from 1 to 9999") as refusal:
        rules.check_version(version)

    assert refusal.value.field == "version"
    assert refusal.value.code == "not_an_integer"


@pytest.mark.parametrize(("version", "text"), [(1, "v0001"), (42, "v0042"), (9999, "v9999")])
def test_a_version_is_written_with_four_digits_and_read_back(version: int, text: str) -> None:
    assert rules.format_version(version) == text
    assert rules.parse_version(text) == version


@pytest.mark.parametrize(
    "text", ["", "v1", "V0001", "v0000", "v00001", "0001", "v٠٠٠١", "v0001\n", "v-001", "v+001", 1]
)
def test_a_version_written_otherwise_is_refused(text: object) -> None:
    with pytest.raises(NomenclatureError, match="'v0001' to 'v9999'") as refusal:
        rules.parse_version(text)

    assert refusal.value.field == "version"
