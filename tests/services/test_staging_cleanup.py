"""What lies in staging without a version is cleared away, and nothing else."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from generation import storage
from generation.models import Plan
from generation.services import publication
from tests import factories

pytestmark = pytest.mark.django_db


def staged(*, age_s: float) -> str:
    """Return the path of a file that was staged so long ago."""
    path = storage.stage(b"image").path
    then = time.time() - age_s
    os.utime(storage.absolute(path), (then, then))
    return path


@pytest.fixture(autouse=True)
def a_minute(settings: Any) -> None:
    """Staged files are kept for a minute."""
    settings.MADSEA_STAGING_S = 60


def test_an_old_staged_file_without_a_version_is_removed() -> None:
    path = staged(age_s=61)

    assert publication.clear_staging() == 1
    assert not storage.absolute(path).exists()


def test_a_young_staged_file_stays() -> None:
    path = staged(age_s=30)

    assert publication.clear_staging() == 0
    assert storage.absolute(path).exists()


def test_a_staged_file_that_is_reserved_stays(plans: list[Plan]) -> None:
    path = staged(age_s=86400)
    factories.reserved(plans[0], staging_path=path)

    assert publication.clear_staging() == 0
    assert storage.absolute(path).exists()


def test_without_a_staging_folder_there_is_nothing_to_clear() -> None:
    assert publication.clear_staging() == 0


def test_a_staging_folder_that_cannot_be_read_ends_nothing(
    projects_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (projects_root / storage.STAGING).symlink_to(projects_root / "elsewhere")

    assert publication.clear_staging() == 0
    assert "staging is not cleared" in caplog.text


def test_what_a_link_in_place_of_staging_leads_to_stays(projects_root: Path) -> None:
    theirs = projects_root.parent / "documents"
    theirs.mkdir()
    (theirs / "thesis.odt").write_bytes(b"years of work")
    os.utime(theirs / "thesis.odt", (0, 0))
    (projects_root / storage.STAGING).symlink_to(theirs)

    assert publication.clear_staging() == 0
    assert (theirs / "thesis.odt").read_bytes() == b"years of work"


def test_what_is_no_plain_file_in_staging_is_left_alone(projects_root: Path) -> None:
    folder = projects_root / storage.STAGING
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")

    assert publication.clear_staging() == 0
    assert len(list(folder.iterdir())) == 3
