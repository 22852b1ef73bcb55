"""Paths are built from legal names only, and read back only if they are exactly so built."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nomenclature_strategies import damaged, file_names, project_ids

from nomenclature import paths
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, PlanTask

FILE = "E202_SQ0010-0010_AI-concept_v0001.png"
CONCEPT = FileName("E202", "SQ0010", "0010", "AI-concept", 1, "png")
HOME = "madsea/E202/SQ0010/AI-concept"

legal_paths = st.builds(paths.path, project_ids, file_names()).map(str)

REFUSED = [
    ("", "folder"),
    (FILE, "folder"),
    (f"E202/SQ0010/AI-concept/{FILE}", "folder"),
    (f"/{HOME}/{FILE}", "folder"),
    (f"/E202/SQ0010/AI-concept/{FILE}", "folder"),
    (f"./{HOME}/{FILE}", "folder"),
    (f"{HOME}//{FILE}", "folder"),
    (f"{HOME}/{FILE}/", "folder"),
    (f"{HOME}/../AI-concept/{FILE}", "folder"),
    (f"madsea/E203/SQ0010/AI-concept/{FILE}", "folder"),
    (f"madsea/E202/SQ0020/AI-concept/{FILE}", "folder"),
    (f"madsea/E202/SQ0010/Animation/{FILE}", "folder"),
    (f"madsea/E202/SQ0010/ai-concept/{FILE}", "folder"),
    (f"madsea/../SQ0010/AI-concept/{FILE}", "folder"),
    (f"madsea\\E202\\SQ0010\\AI-concept\\{FILE}", "folder"),
    (f"madsea/E202\x00/SQ0010/AI-concept/{FILE}", "folder"),
    (f"../E202/SQ0010/AI-concept/{FILE}", "project_id"),
    (f"C:\\x/E202/SQ0010/AI-concept/{FILE}", "project_id"),
    (f"{HOME}/..", "episode"),
    (f"{HOME}/e202_SQ0010-0010_AI-concept_v0001.png", "episode"),
    (f"{HOME}/E202_SQ0010-0010_AI-concept_v1.png", "version"),
    (f"{HOME}/{FILE}\x00", "extension"),
    (None, "folder"),
    (b"madsea", "folder"),
]


def parsed_or_none(text: str) -> tuple[str, FileName] | None:
    try:
        return paths.parse_path(text)
    except NomenclatureError:
        return None


def test_a_file_lies_in_the_folder_of_its_project_episode_sequence_and_task() -> None:
    assert paths.path("madsea", CONCEPT) == PurePosixPath(HOME, FILE)
    assert paths.folder("madsea", CONCEPT) == PurePosixPath(HOME)


def test_the_folder_is_known_before_the_version() -> None:
    task = PlanTask("E202", "SQ0010", "0010", "AI-concept")

    assert paths.folder("madsea", task) == PurePosixPath(HOME)


@pytest.mark.parametrize("relative", [f"{HOME}/{FILE}", PurePosixPath(HOME, FILE)], ids=repr)
def test_a_path_is_read_into_its_project_and_name(relative: str | PurePosixPath) -> None:
    assert paths.parse_path(relative) == ("madsea", CONCEPT)


@pytest.mark.parametrize(("relative", "field"), REFUSED)
def test_a_refused_path_says_which_field_is_wrong(relative: Any, field: str) -> None:
    with pytest.raises(NomenclatureError) as refusal:
        paths.parse_path(relative)

    assert refusal.value.field == field


def test_a_file_in_the_wrong_folder_is_told_the_right_one() -> None:
    with pytest.raises(NomenclatureError, match=f"the folder '{HOME}'") as refusal:
        paths.parse_path(f"madsea/E202/SQ0020/AI-concept/{FILE}")

    assert refusal.value.code == "wrong_folder"


@pytest.mark.parametrize("project_id", ["..", "", "/", "a/b", "a\\b", "x\x00", "NUL"])
def test_no_path_is_built_for_a_bad_project(project_id: str) -> None:
    with pytest.raises(NomenclatureError) as refusal:
        paths.path(project_id, CONCEPT)

    assert refusal.value.field == "project_id"


@given(project_ids, file_names())
@settings(deadline=None)
def test_what_is_built_is_read_back_as_the_same(project_id: str, name: FileName) -> None:
    built = paths.path(project_id, name)

    assert paths.parse_path(str(built)) == (project_id, name)
    assert paths.parse_path(built) == (project_id, name)


@given(st.text() | damaged(legal_paths))
@settings(deadline=None, max_examples=500)
def test_a_path_that_is_read_is_built_back_as_the_same_text(text: str) -> None:
    parsed = parsed_or_none(text)

    assert parsed is None or str(paths.path(*parsed)) == text
