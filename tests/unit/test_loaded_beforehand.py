"""What the first request and the first plan need is there before they come."""

import subprocess
import sys

import pytest

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
