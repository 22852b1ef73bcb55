"""What the first request and the first plan need is there before they come, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generation.runtime.processes import ROOT

SPARED = ("generation.admin", "unfold.admin", "redis", "psycopg")
PRINT = "import sys; print(*(name for name in {names!r} if name not in sys.modules))"


@pytest.mark.parametrize(
    ("start", "needed"),
    [
        ("import madsea.asgi", ["generation.api.generate_endpoints", "storyboards.api.views"]),
        (
            "import django; django.setup(); import generation.management.commands.work",
            ["generation.driver.loop", "generation.driver.flight_control"],
        ),
    ],
)
def test_a_process_has_loaded_what_its_first_work_needs(start: str, needed: list[str]) -> None:
    program = f"{start}; {PRINT.format(names=needed)}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_web_process_spares_the_collector_what_stays() -> None:
    program = "import madsea.asgi, gc; print(gc.get_freeze_count() > 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    "command", ["servers", "generate", "derive", "demo_user", "cancel_batches"]
)
def test_a_command_loads_neither_pages_nor_what_only_other_services_need(command: str) -> None:
    of_sqlite = {"DATABASE_URL": "", "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "madsea.settings"}
    start = f"import django; django.setup(); import generation.management.commands.{command}"
    program = f"import sys; {start}; print(*(name for name in {SPARED!r} if name in sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | of_sqlite,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == []


def test_the_collector_walks_again_once_a_command_is_loaded(tmp_path: Path) -> None:
    told = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 50_000)"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", told],
        cwd=ROOT,
        env=os.environ | {"MADSEA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True"]
