"""Owners: what only one module may do. And what every module owes its readers."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from generation.events import EVENTS
from tests.architecture.sources import (
    Module,
    assigned,
    calls,
    first,
    found,
    functions,
    imports,
    modules,
    source,
    undocumented,
)

CORE = {
    "nomenclature": 1,
    "generation": 1,
    "generation.apps": 0,
    "generation.tasks": 0,
    "generation.api": 0,
    "generation.admin": 0,
    "generation.checks": 0,
    "generation.runtime": 0,
    "generation.management": 0,
    "generation.models": 0,
    "madsea.environment": 1,
}
READERS = {
    "madsea.environment",
    # These hand their own environment on, to Django or to the processes they start.
    "madsea.asgi",
    "madsea.wsgi",
    "generation.runtime.processes",
    "generation.management.commands.serve",
}
STATES = {"state", "outcome", "review_state"}


@pytest.mark.parametrize(
    ("library", "owners"),
    [
        ("requests", ("generation.comfyui.", "generation.management.")),
        ("websocket", ("generation.comfyui.",)),
        ("django_q", ("generation.queueing", "generation.runtime.cluster", "generation.admin.")),
        ("aiohttp", ("comfyui_preview.",)),
    ],
)
def test_a_library_is_known_to_its_owner_only(library: str, owners: tuple[str, ...]) -> None:
    def knows(module: Module) -> bool:
        known = any(name.split(".")[0] == library for name in imports(module))
        return known and not module.name.startswith(owners)

    assert found(knows) == {}


def test_only_the_settings_read_the_environment() -> None:
    def reads(module: Module) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
        ]

    assert set(found(reads)) <= READERS


def test_no_state_is_written_but_by_a_change() -> None:
    def writes(module: Module) -> list[int]:
        updates = [
            call.lineno
            for call in calls(module, "update", "bulk_update", "update_or_create")
            if STATES & {keyword.arg for keyword in call.keywords}
        ]
        return updates + [target.lineno for target in assigned(module) if target.attr in STATES]

    owners = {
        "generation.services.transitions.unit_of_work",
        "generation.services.transitions.reviewing",
        "storyboards.services.transitions",
    }
    assert set(found(writes)) <= owners


def test_runs_are_made_by_the_creation_of_a_batch_only() -> None:
    def makes(module: Module) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if node.func.id == "PlanRun"
        ]

    assert set(found(makes)) == {"generation.services.batches"}


def test_files_get_their_names_from_the_storage_only() -> None:
    def links(module: Module) -> list[int]:
        return [
            call.lineno for call in calls(module, "link", "rename", "replace") if _is_of(call, "os")
        ]

    # The check tries on a file of its own whether there are hard links; a generated secret gets
    # its name once it is whole.
    others = {"generation.checks", "madsea.private_files"}
    owners = {f"generation.storage.{name}" for name in ("derived_files", "files", "volume_marks")}
    assert set(found(links)) - others == owners


def _is_of(call: ast.Call, owner: str) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return False
    return function.value.id == owner


def test_every_module_says_what_it_is() -> None:
    silent = found(lambda module: bool(source(module)) and not ast.get_docstring(module.tree))

    assert silent == {}


def test_everything_public_of_the_core_is_documented() -> None:
    silent = found(lambda module: undocumented(module) if first(module.name, CORE) else [])

    assert silent == {}


def test_no_function_is_longer_than_sixty_lines_and_no_module_than_five_hundred() -> None:
    def long(module: Module) -> list[str]:
        whole = [module.path] if source(module).count("\n") > 500 else []
        return whole + [
            function.name
            for function in functions(module.tree)
            if (function.end_lineno or 0) - function.lineno >= 60
        ]

    assert found(long) == {}


def test_no_two_test_files_outside_packages_have_one_name() -> None:
    """pytest imports such a file by its name alone, and refuses the second."""
    tests = Path(__file__).parents[1]
    names = Counter(
        file.name
        for file in tests.rglob("*.py")
        if file.name != "conftest.py" and not file.with_name("__init__.py").exists()
    )

    assert [name for name, n in names.items() if n > 1] == []


def test_nothing_is_left_to_be_done() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X")

    assert found(lambda module: [word for word in words if word in source(module)]) == {}


def test_every_event_happens_somewhere() -> None:
    writers = ("generation.services", "generation.driver", "generation.states")
    written = {
        node.value
        for module in modules()
        if module.name.startswith(writers)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
    }

    assert sorted(set(EVENTS) - written) == []
