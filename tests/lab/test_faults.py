"""Every case of the matrix, played; and its line in docs/faults.md."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.server import PreviewServer
from lab.faults import all_cases, table
from lab.faults.case import Case
from lab.faults.scene import Scene

pytestmark = pytest.mark.django_db

#: Where a run that writes the page collects the lines.
ROWS = os.environ.get("FAULTS_ROWS", "")


@pytest.fixture
def play(
    start_comfy: Callable[..., PreviewServer], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Case], Scene]:
    """Plays a case to its end; returns the scene as it is then."""
    settings.MADSEA_LINGER_S = 0

    def play_one(case: Case) -> Scene:
        for name, value in case.settings.items():
            setattr(settings, name, value)
        for place, value in case.patches.items():
            module, _, name = place.rpartition(".")
            monkeypatch.setattr(import_module(f"generation.{module}"), name, value)
        healthy = [start_comfy() for _ in range(case.n_servers - 1)]
        scene = Scene([start_comfy(**case.plays), *healthy], case.graph)
        for fault in case.faults:
            scene.comfy.faults.set(**fault)
        scene.ask()
        case.before(scene)
        scene.render(case.meanwhile, until=case.state)
        return scene

    return play_one


def marks(case: Case) -> list[pytest.MarkDecorator]:
    """Expect of a case that waits for the product that it fails until then."""
    why = all_cases.WAITING.get(case.slug)
    return [pytest.mark.xfail(reason=why, strict=True)] if why else []


@pytest.mark.soak
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.slug, marks=marks(case)) for case in all_cases.CASES]
)
def test_a_plan_ends_as_it_must(case: Case, play: Callable[[Case], Scene]) -> None:
    scene = play(case)

    run = scene.run
    assert (run.state, run.error_code, scene.outcomes()) == (case.state, case.error, case.outcomes)
    assert scene.events() == case.log
    assert (scene.renders(), run.n_tries) == (case.renders, case.tries)
    assert all(scene.comfy.faults.n_struck(fault["name"]) for fault in case.faults)
    assert run.versions.count() == (run.state == "done")
    tell(case, table.row(case, scene))


def tell(case: Case, row: str) -> None:
    """Write the line for the page, or find it there."""
    if ROWS:
        (Path(ROWS) / case.slug).write_text(row, encoding="utf-8")
    else:
        assert row in table.PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_has_a_line_for_every_case_and_for_nothing_else() -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.endswith("× |")]

    assert len(rows) == len(all_cases.PLAYED)
    assert text == table.page(rows, all_cases.UNMET)


def test_every_fault_of_the_list_is_met_or_told_why_not() -> None:
    told = {case.number for case in all_cases.CASES} | {unmet.number for unmet in all_cases.UNMET}

    assert told == set(range(1, 51))


def test_no_two_cases_have_one_name() -> None:
    names = [case.slug for case in all_cases.CASES]

    assert len(set(names)) == len(names)
    assert set(all_cases.WAITING) <= set(names)
