"""How `.ci/run` looks at tests that fail: what passes alone is told, and fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from generation.runtime.processes import ROOT

PYTEST = f"{sys.executable} -m pytest -p no:django -p no:randomly -o addopts="
SOUND = "def test_sound():\n    assert True\n"
BROKEN = "def test_broken():\n    assert False\n"
#: Fails among others, which is how it is asked first.
UNSTEADY = """
import pathlib, pytest

{mark}
def test_unsteady():
    asked = pathlib.Path("asked")
    first = not asked.exists()
    asked.touch()
    assert not first
"""
RACE = UNSTEADY.format(mark="")
TIMED = UNSTEADY.format(mark="@pytest.mark.timing")


def run(folder: Path, *tests: str) -> tuple[int, str]:
    """Look at a project of these tests as `.ci/run` does; return its exit code and what it says."""
    markers = "    timing: hangs on the machine\n    soak: takes long\n"
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}")
    (folder / "Makefile").write_text(f"test:\n\t{PYTEST} $(ARGS)\n")
    _ = [(folder / f"test_{n}.py").write_text(text) for n, text in enumerate(tests)]
    done = subprocess.run(
        [str(ROOT / ".ci" / "tests")],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTEST": PYTEST},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_what_passes_is_run_once(tmp_path: Path) -> None:
    code, said = run(tmp_path, SOUND)

    assert code == 0
    assert "Once more" not in said


def test_what_fails_alone_as_well_fails_the_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, SOUND, BROKEN)

    assert code == 1
    assert "may be races" not in said


@pytest.mark.parametrize("others", [[], [TIMED.replace("asked", "timed")]])
def test_what_passes_alone_is_told_and_fails_the_run(tmp_path: Path, others: list[str]) -> None:
    code, said = run(tmp_path, SOUND, RACE, *others)

    assert code == 1
    assert said.rstrip().endswith("may be races:\ntest_1.py::test_unsteady")


def test_what_is_marked_as_timing_may_pass_alone(tmp_path: Path) -> None:
    code, said = run(tmp_path, SOUND, TIMED)

    assert code == 0
    assert "passed alone:\ntest_1.py::test_unsteady" in said


def test_a_run_that_fails_without_a_test_that_does_stays_failed(tmp_path: Path) -> None:
    code, _ = run(tmp_path, "raise SystemExit(3)\n")

    assert code == 1
