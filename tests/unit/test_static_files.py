"""Static files: hashed once they are collected, served by their plain names else."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

from madsea.web.static_files import HashedFiles

SCRIPT = "generation/live.js"


@pytest.fixture
def root(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they are collected, of two small folders of files."""
    source = tmp_path / "source"
    (source / "generation").mkdir(parents=True)
    (source / SCRIPT).write_text("follow();", encoding="utf-8")
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "madsea.web.static_files.HashedFiles"},
    }
    finders.get_finder.cache_clear()
    return tmp_path


def url() -> str:
    return HashedFiles().url(SCRIPT)


def test_what_was_collected_has_a_name_of_its_content(root: Path) -> None:
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)

    assert url().startswith("/static/generation/live.")
    assert url() != f"/static/{SCRIPT}"
    assert (root / "collected" / url().removeprefix("/static/")).exists()


def test_what_was_not_collected_keeps_its_name(root: Path) -> None:
    assert url() == f"/static/{SCRIPT}"


def test_what_an_older_madsea_has_collected_is_not_used(root: Path) -> None:
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    (root / "source" / SCRIPT).write_text("forget();", encoding="utf-8")

    assert url() == f"/static/{SCRIPT}"


def test_another_content_has_another_name(root: Path) -> None:
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    before = url()
    (root / "source" / SCRIPT).write_text("forget();", encoding="utf-8")

    call_command("collectstatic", interactive=False, clear=True, verbosity=0)

    assert url() not in {before, f"/static/{SCRIPT}"}
