from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from generation import checks, storage
from generation.models import Server
from tests import factories

pytestmark = pytest.mark.django_db

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/studio /mnt/studio nfs4 rw 0 0
/dev/sdb1 /mnt/studio/local\\040disk xfs rw 0 0
"""


def found(*, deploy: bool = False) -> list[str | None]:
    messages = run_checks(tags=[checks.TAG], include_deployment_checks=deploy)
    return [message.id for message in messages]


def test_a_good_installation_has_nothing_to_say() -> None:
    assert found() == []


def test_a_projects_folder_that_cannot_be_made_is_an_error(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.MADSEA_PROJECTS_ROOT = tmp_path / "file" / "projects"

    assert found() == ["madsea.E001"]


def test_the_probe_of_the_projects_folder_leaves_nothing(projects_root: Path) -> None:
    found()

    left = [each.name for each in projects_root.rglob("*") if each.is_file()]
    assert left == [storage.MARK]


def test_a_missing_workflows_folder_is_an_error(settings: Any, tmp_path: Path) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path / "nowhere"

    assert found() == ["madsea.E003"]


@pytest.mark.parametrize("text", ["{", "[]", '{"nodes": [], "links": []}'])
def test_a_workflow_that_cannot_be_used_is_a_warning(
    settings: Any, tmp_path: Path, text: str
) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    (tmp_path / "Broken.json").write_text(text)

    assert found() == ["madsea.W004"]


@pytest.mark.parametrize(
    ("changes", "n_errors"),
    [
        ({}, 0),
        ({"timeout": 60}, 1),
        ({"timeout": None}, 1),
        ({"timeout": -1}, 1),
        ({"retry": 3600}, 1),
        ({"guard_cycle": 0.2}, 1),
        ({"guard_cycle": 0.25}, 0),
        ({"guard_cycle": 0}, 1),
        ({"timeout": 60, "retry": 60, "guard_cycle": 0.3}, 3),
    ],
)
def test_unsafe_times_of_the_queue_are_errors(
    settings: Any, changes: dict[str, object], n_errors: int
) -> None:
    settings.Q_CLUSTER = settings.Q_CLUSTER | changes

    assert found() == ["madsea.E005"] * n_errors


def test_a_pool_of_connections_is_an_error() -> None:
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": True}}

    assert [message.id for message in checks.problems_of(database)] == ["madsea.E006"]


def test_sqlite_on_a_network_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_mounts", lambda: MOUNTS)
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/mnt/studio/madsea.sqlite3"}

    assert [message.id for message in checks.problems_of(database)] == ["madsea.E007"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/madsea.sqlite3", "ext4"),
        ("/mnt/studio/madsea.sqlite3", "nfs4"),
        ("/mnt/studio/local disk/madsea.sqlite3", "xfs"),
        ("/mnt/studios/madsea.sqlite3", "ext4"),
    ],
)
def test_a_path_lies_on_the_innermost_mount(path: str, kind: str) -> None:
    assert checks.file_system(Path(path), MOUNTS) == kind


@pytest.mark.django_db
def test_production_without_a_real_server_is_an_error(settings: Any) -> None:
    factories.server("preview", source=Server.Source.PREVIEW)

    assert found(deploy=True) == ["madsea.E008"]
    assert found() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes", [{"DEBUG": True}, {"COMFYUI_SERVERS": ["http://gpu:8188"]}], ids=["debug", "listed"]
)
def test_trying_out_or_a_listed_server_is_no_error(settings: Any, changes: dict[str, Any]) -> None:
    settings.DEBUG = changes.get("DEBUG", False)
    settings.COMFYUI_SERVERS = changes.get("COMFYUI_SERVERS", [])

    assert found(deploy=True) == []


@pytest.mark.django_db
def test_a_server_registered_in_the_admin_is_a_real_one() -> None:
    factories.server("gpu-1", source=Server.Source.ADMIN)

    assert found(deploy=True) == []


@pytest.mark.parametrize(
    ("is_https", "proxies", "ids"),
    [
        (True, [], ["madsea.W010"]),
        (True, ["127.0.0.1"], []),
        (False, [], []),
    ],
)
def test_tls_that_no_proxy_tells_of_is_a_warning(
    settings: Any, is_https: bool, proxies: list[str], ids: list[str]
) -> None:
    settings.COMFYUI_SERVERS = ["http://gpu:8188"]
    settings.MADSEA_HTTPS = is_https
    settings.MADSEA_TRUSTED_PROXIES = proxies

    assert found(deploy=True) == ids


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("generation", "0001_initial"),
        ("generation", "0001_madsea"),
        ("storyboards", "0002_names_in_two_languages"),
        ("review", "0004_retake_reasons"),
    ],
)
def test_a_database_of_an_earlier_madsea_is_refused_before_it_is_migrated(
    app: str, name: str
) -> None:
    recorder = MigrationRecorder(connection)
    recorder.migration_qs.filter(app=app).delete()
    recorder.record_applied(app, name)

    with pytest.raises(SystemCheckError, match="made by an earlier Madsea"):
        call_command("migrate", verbosity=0, skip_checks=False)


def test_a_database_of_today_is_migrated_again_without_a_word() -> None:
    call_command("migrate", verbosity=0, skip_checks=False)
