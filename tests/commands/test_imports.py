import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from generation.models import Batch, Plan, Project, Version
from generation.states import WaitReason
from tests import factories
from tests.commands.running import run

PROJECT = "madsea-2025-ep202"
SAMPLES = Path(__file__).parents[2] / "samples" / "panels"
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    return made


def put(folder: Path, name: str, color: str = "white") -> None:
    (folder / name).write_bytes(factories.png(color=color))


def published() -> list[str]:
    return [str(version) for version in Version.objects.order_by("path")]


def refusal(*arguments: object, **options: object) -> str:
    with pytest.raises(CommandError) as refused:
        run(*arguments, **options)  # type: ignore[arg-type]
    return str(refused.value)


# Panels -----------------------------------------------------------------------------------------


def test_the_sample_panels_become_panels_of_their_plans() -> None:
    said = run("import_panels", PROJECT, "E202", SAMPLES)

    assert said == f"Project {PROJECT} is new.\n6 images published, 0 unchanged.\n"

    assert published()[0] == "E202_SQ0010-0010_extracted-raw_v0001.png"
    assert Plan.objects.count() == 6


def test_importing_twice_changes_nothing(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    run("import_panels", PROJECT, "E202", folder)

    said = run("import_panels", PROJECT, "E202", folder)

    assert said == "0 images published, 1 unchanged.\n"
    assert published() == ["E202_SQ0010-0010_extracted-raw_v0001.png"]


def test_a_panel_that_has_changed_is_the_next_version(folder: Path, artist: User) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    run("import_panels", PROJECT, "E202", folder)
    put(folder, "E202_SQ0010-0010_extracted-raw.png", "black")

    run("import_panels", PROJECT, "E202", folder, user="artist")

    latest = Version.objects.get(number=2)
    assert (str(latest), latest.created_by) == ("E202_SQ0010-0010_extracted-raw_v0002.png", artist)


def test_of_several_versions_of_a_panel_the_last_is_taken(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw_v0002.png", "black")
    put(folder, "E202_SQ0010-0010_extracted-raw_v0010.png", "white")

    run("import_panels", PROJECT, "E202", folder)

    taken = Version.objects.get()
    written = (folder / "E202_SQ0010-0010_extracted-raw_v0010.png").stat().st_size
    assert (taken.number, taken.n_bytes) == (1, written)


def test_plans_that_waited_for_their_panels_go_on(folder: Path) -> None:
    batch = factories.batch()
    batch.runs.update(wait_reason=WaitReason.PANEL)
    put(folder, "E202_SQ0010-0020_extracted-raw.png")

    run("import_panels", PROJECT, "E202", folder)

    waiting = batch.runs.filter(wait_reason=WaitReason.PANEL)
    assert [found.plan.code for found in waiting] == ["0010", "0030"]
    assert Batch.objects.get().revision == 2


def test_numbered_panels_are_the_plans_of_a_sequence_in_order(folder: Path) -> None:
    put(folder, "panel 10.png", "white")
    put(folder, "panel 2.png", "black")
    put(folder, "Panel 1.png", "red")
    put(folder, ".DS_Store")

    said = run("import_panels", PROJECT, "E202", folder, numbered="SQ0010", dry_run=True)

    assert said.splitlines() == [
        f"Project {PROJECT} is new.",
        f"Panel 1.png → {PROJECT} E202_SQ0010-0010_extracted-raw",
        f"panel 2.png → {PROJECT} E202_SQ0010-0020_extracted-raw",
        f"panel 10.png → {PROJECT} E202_SQ0010-0030_extracted-raw",
        "3 images would be published where they are new, 1 passed over.",
    ]
    assert not Project.objects.exists()


def test_numbered_panels_are_published_with_their_numbers(folder: Path) -> None:
    put(folder, "b.png")
    put(folder, "a.png")

    run("import_panels", PROJECT, "E202", folder, numbered="SQ0030")

    assert published() == [
        "E202_SQ0030-0010_extracted-raw_v0001.png",
        "E202_SQ0030-0020_extracted-raw_v0001.png",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("E203_SQ0010-0010_extracted-raw.png", "episode: expected 'E202'"),
        ("E202_SQ0010-0010_AI-concept.png", "task: expected 'extracted-raw'"),
        ("E202_SQ0010-10_extracted-raw.png", "plan: expected four digits"),
        ("E202_SQ0010-0010_extracted-raw_v1.png", "version: expected 'v' and four digits"),
        ("holiday.png", "episode: expected"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_and_the_others_are_taken(
    folder: Path, name: str, said: str
) -> None:
    put(folder, "E202_SQ0010-0020_extracted-raw.png")
    put(folder, name)

    lines = refusal("import_panels", PROJECT, "E202", folder).splitlines()

    assert lines[0].startswith(f"{name}: {said}")
    assert lines[1:] == ["1 image published, 0 unchanged, 1 refused."]
    assert published() == ["E202_SQ0010-0020_extracted-raw_v0001.png"]


def test_two_files_of_one_plan_are_ambiguous(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / "E202_SQ0010-0010_extracted-raw.jpg").write_bytes(factories.jpeg())

    assert refusal("import_panels", PROJECT, "E202", folder).count("which one is meant?") == 2
    assert published() == []


def test_a_file_of_3_gb_is_refused_unread(folder: Path) -> None:
    (folder / "E202_SQ0010-0010_extracted-raw.png").touch()
    os.truncate(folder / "E202_SQ0010-0010_extracted-raw.png", 3 * 2**30)

    said = refusal("import_panels", PROJECT, "E202", folder)

    assert "has 3,221,225,472 bytes; at most 67,108,864 are taken" in said


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "E202_SQ0010-0010_extracted-raw.png")

    assert "is no plain file" in refusal("import_panels", PROJECT, "E202", folder)


def test_a_device_is_refused(folder: Path) -> None:
    (folder / "E202_SQ0010-0010_AI-concept.png").symlink_to("/dev/zero")

    assert "is no plain file" in refusal("import_concepts", folder, project=PROJECT)


def test_a_linked_image_is_an_image(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "panel.png")
    (folder / "E202_SQ0010-0010_extracted-raw.png").symlink_to(tmp_path / "panel.png")

    run("import_panels", PROJECT, "E202", folder)

    assert published() == ["E202_SQ0010-0010_extracted-raw_v0001.png"]


def test_a_file_that_is_no_image_is_refused_and_the_others_are_taken(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / "E202_SQ0010-0020_extracted-raw.png").write_bytes(b"not an image")

    said = refusal("import_panels", PROJECT, "E202", folder)

    assert said.splitlines()[0].startswith("E202_SQ0010-0020_extracted-raw.png: ")
    assert said.splitlines()[-1] == "1 image published, 0 unchanged, 1 refused."
    assert published() == ["E202_SQ0010-0010_extracted-raw_v0001.png"]


@pytest.mark.parametrize(
    ("project", "episode", "numbered", "said"),
    [
        ("../etc", "E202", None, "project_id: "),
        (PROJECT, "../E202", "SQ0010", "episode: "),
        (PROJECT, "E202", "../SQ0010", "sequence_id: "),
        ("Madsea-2025-EP202", "E202", None, "This project exists as 'madsea-2025-ep202'"),
    ],
)
def test_what_names_the_place_is_checked(
    folder: Path, project: str, episode: str, numbered: str | None, said: str
) -> None:
    factories.episode()
    put(folder, "E202_SQ0010-0010_extracted-raw.png")

    assert said in refusal("import_panels", project, episode, folder, numbered=numbered)
    assert published() == []


def test_a_folder_without_panels_or_none_at_all_is_refused(folder: Path) -> None:
    assert "There is no image in" in refusal("import_panels", PROJECT, "E202", folder)
    assert "There is no folder" in refusal("import_panels", PROJECT, "E202", folder / "no")


def test_numbered_files_must_be_images_by_their_names(folder: Path) -> None:
    put(folder, "1.png")
    (folder / "notes.txt").write_text("hello")

    said = refusal("import_panels", PROJECT, "E202", folder, numbered="SQ0010")

    assert said.startswith("notes.txt: extension: expected png, jpg or webp")
    assert published() == []


# Concepts ---------------------------------------------------------------------------------------


def test_concepts_are_published_as_the_next_versions(folder: Path, plans: list[Plan]) -> None:
    factories.version(plans[0])
    put(folder, "E202_SQ0010-0010_AI-concept.png")
    put(folder, "E301_SQ0010-0010_AI-concept.png")

    said = run("import_concepts", folder, project=PROJECT)

    assert said == f"New in {PROJECT}: E301.\n2 images published, 0 unchanged.\n"
    assert published()[1:] == [
        "E202_SQ0010-0010_AI-concept_v0002.png",
        "E301_SQ0010-0010_AI-concept_v0001.png",
    ]


def test_a_concept_with_a_version_in_its_name_is_refused(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_AI-concept_v0003.png")

    said = refusal("import_concepts", folder, project=PROJECT)

    assert "version: expected a name without version" in said


def test_a_dry_run_of_concepts_writes_nothing(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_AI-concept.png")

    run("import_concepts", folder, project=PROJECT, dry_run=True)

    assert not Project.objects.exists()


# Folders as strangers have them -------------------------------------------------------------------

PASSED_OVER = [
    "thumbs.db",
    "DESKTOP.INI",
    "Icon\r",
    "._E202_SQ0010-0010_extracted-raw.png",
    ".DS_Store",
    ".hidden.png",
    "~$list.docx",
]


@pytest.mark.parametrize("name", PASSED_OVER)
def test_litter_and_hidden_files_are_passed_over_and_counted(folder: Path, name: str) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / name).touch()

    said = run("import_panels", PROJECT, "E202", folder)

    assert said.splitlines()[-1] == "1 image published, 0 unchanged, 1 passed over."


def test_litter_is_no_numbered_panel(folder: Path) -> None:
    put(folder, "1.png")
    (folder / "Thumbs.db").touch()
    (folder / "@eaDir").mkdir()
    put(folder / "@eaDir", "1.png")

    run("import_panels", PROJECT, "E202", folder, numbered="SQ0030")

    assert published() == ["E202_SQ0030-0010_extracted-raw_v0001.png"]


@pytest.mark.parametrize("ending", ["JPG", "jpeg", "JPEG", "Jpg"])
def test_an_ending_counts_in_any_spelling(folder: Path, ending: str) -> None:
    (folder / f"E202_SQ0010-0010_extracted-raw.{ending}").write_bytes(factories.jpeg())

    run("import_panels", PROJECT, "E202", folder)

    assert published() == ["E202_SQ0010-0010_extracted-raw_v0001.jpg"]


def test_a_concept_s_ending_counts_in_any_spelling(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_AI-concept.PNG")

    run("import_concepts", folder, project=PROJECT)

    assert published() == ["E202_SQ0010-0010_AI-concept_v0001.png"]


def test_one_plan_in_two_spellings_of_the_ending_is_ambiguous(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    put(folder, "E202_SQ0010-0010_extracted-raw.PNG")

    assert "which one is meant?" in refusal("import_panels", PROJECT, "E202", folder)


def test_folders_of_sequences_are_followed(folder: Path) -> None:
    (folder / "E202" / "sq0070").mkdir(parents=True)
    put(folder / "E202" / "sq0070", "E202_SQ0070-0010_extracted-raw.png")
    put(folder, "E202_SQ0010-0010_extracted-raw.png")

    run("import_panels", PROJECT, "E202", folder)

    assert published() == [
        "E202_SQ0010-0010_extracted-raw_v0001.png",
        "E202_SQ0070-0010_extracted-raw_v0001.png",
    ]


def test_a_file_in_another_sequence_s_folder_is_refused(folder: Path) -> None:
    (folder / "SQ0080").mkdir()
    put(folder / "SQ0080", "E202_SQ0070-0010_extracted-raw.png")

    said = refusal("import_panels", PROJECT, "E202", folder)

    assert "SQ0080/E202_SQ0070-0010_extracted-raw.png: sequence_id: expected 'SQ0080'" in said


def test_a_link_to_a_folder_is_refused_and_not_followed(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / "round").symlink_to(folder)

    said = refusal("import_panels", PROJECT, "E202", folder)

    assert said.splitlines()[0] == "round: It is a link to a folder: not followed."


def test_folders_in_a_numbered_folder_are_refused(folder: Path) -> None:
    put(folder, "1.png")
    (folder / "SQ0070").mkdir()
    put(folder / "SQ0070", "1.png")

    said = refusal("import_panels", PROJECT, "E202", folder, numbered="SQ0010")

    assert said.startswith("SQ0070/1.png: It lies in a folder of its own")
    assert published() == []


def test_a_file_whose_name_says_its_plan_is_not_numbered(folder: Path) -> None:
    put(folder, "E202_SQ0010-0030_extracted-raw.png")

    said = refusal("import_panels", PROJECT, "E202", folder, numbered="SQ0010")

    assert "E202_SQ0010-0030_extracted-raw): import without numbers" in said


@pytest.mark.parametrize("numbered", [None, "SQ0040"])
def test_several_pictures_of_a_plan_are_asked_about(folder: Path, numbered: str | None) -> None:
    put(folder, "E202_SQ0040_0010_1.png")
    put(folder, "E202_SQ0040_0010_2.png")

    lines = refusal("import_panels", PROJECT, "E202", folder, numbered=numbered).splitlines()

    assert "Storyboard Pro's picture 2 of plan 0010 of SQ0040: rename the one" in lines[1]
    assert "E202_SQ0040-0010_extracted-raw.png" in lines[1]
    assert published() == []


@pytest.mark.parametrize("name", ["E202_SQ0090-0010_extracted-raw.tif", "E202.xml", "panel"])
def test_what_is_no_image_by_its_ending_is_refused_with_what_is_taken(
    folder: Path, name: str
) -> None:
    put(folder, name)

    said = refusal("import_panels", PROJECT, "E202", folder)

    assert f"{name}: extension: expected png, jpg or webp (convert it" in said


def test_a_refused_name_that_no_terminal_shows_is_told_escaped(folder: Path) -> None:
    put(folder, "a\nb.tif")

    assert "a\\nb.tif: extension" in refusal("import_panels", PROJECT, "E202", folder)


@pytest.mark.parametrize("content", [b"not an image", factories.png()])
def test_a_strict_import_takes_all_or_nothing(folder: Path, content: bytes) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / "E202_SQ0010-0020_extracted-raw.jpg").write_bytes(content)

    said = refusal("import_panels", PROJECT, "E202", folder, "--strict")

    assert said.splitlines()[-1] == "Nothing is imported (--strict), 1 refused."
    assert published() == []
    assert not Project.objects.exists()


def test_a_strict_import_of_good_files_takes_them(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")

    run("import_panels", PROJECT, "E202", folder, "--strict")

    assert published() == ["E202_SQ0010-0010_extracted-raw_v0001.png"]


def test_a_dry_run_says_which_files_are_no_images(folder: Path) -> None:
    put(folder, "E202_SQ0010-0010_extracted-raw.png")
    (folder / "E202_SQ0010-0020_extracted-raw.png").write_bytes(b"not an image")

    said = refusal("import_panels", PROJECT, "E202", folder, "--dry-run")

    assert said.splitlines()[-1] == "1 image would be published where they are new, 1 refused."


def test_refused_files_alone_make_no_project(folder: Path) -> None:
    (folder / "E202_SQ0010-0010_extracted-raw.png").write_bytes(b"not an image")

    refusal("import_panels", PROJECT, "E202", folder)

    assert not Project.objects.exists()


# Projects that are new ----------------------------------------------------------------------------


def test_a_project_that_may_be_mistyped_is_asked_about(folder: Path) -> None:
    factories.episode()
    put(folder, "E202_SQ0010-0010_extracted-raw.png")

    said = refusal("import_panels", "madsea-2025-ep20", "E202", folder)

    assert said == (
        f"There is no project 'madsea-2025-ep20', but {PROJECT}. Is it new? Then say --create."
    )
    assert Project.objects.count() == 1


def test_a_project_of_a_similar_name_is_made_when_it_is_said_to_be_new(folder: Path) -> None:
    factories.episode()
    put(folder, "E202_SQ0010-0010_extracted-raw.png")

    said = run("import_panels", "madsea-2025-ep203", "E202", folder, "--create")

    assert said.splitlines()[0] == "Project madsea-2025-ep203 is new."
    assert Project.objects.count() == 2
