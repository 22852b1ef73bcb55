"""`adopt_storage`, and what the other commands say of a projects folder that is not ours."""

import shutil
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError

from generation import storage
from generation.models import Plan, StorageTrouble
from generation.services import volumes
from tests import factories
from tests.commands.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def empty(plans: list[Plan], projects_root: Path) -> Path:
    """An empty root, although a file was published there."""
    factories.version(plans[0])
    shutil.rmtree(projects_root)
    projects_root.mkdir()
    volumes.watch()
    return projects_root


def test_a_dry_run_says_what_is_there_and_writes_nothing(empty: Path) -> None:
    said = run("adopt_storage", "--dry-run")

    assert "It has no mark. Of 1 published files looked for, 0 are there." in said
    assert list(empty.iterdir()) == []


def test_an_empty_root_is_refused_unless_it_is_said(empty: Path) -> None:
    with pytest.raises(CommandError, match="--without-files"):
        run("adopt_storage")

    assert "is adopted" in run("adopt_storage", "--without-files")
    assert volumes.expected_marks() == {"": storage.read_mark()}
    assert not StorageTrouble.objects.exists()


def test_a_volume_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        run("adopt_storage", "nowhere")


def test_the_servers_command_says_what_is_wrong(empty: Path) -> None:
    factories.server()

    assert "its volume is not mounted" in run("servers")


def test_the_checks_say_what_is_wrong(empty: Path) -> None:
    assert [each.id for each in run_checks(tags=["storage"])] == ["madsea.W009"]


def test_the_audit_says_what_is_wrong_first(
    empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError):
        call_command("check_nomenclature")

    assert capsys.readouterr().out.startswith("not mounted: .: ")
