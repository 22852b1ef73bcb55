"""Layers: each imports only from its own or those before it. Cycles, and imports in functions."""

import ast

import pytest

from tests.architecture.sources import (
    APPS_ABOVE,
    PACKAGES,
    Module,
    first,
    found,
    functions,
    modules,
    names,
    own_imports,
    roots,
)

#: The longest prefix counts. Doors are the last layer.
LAYERS = {
    "wording": 1,
    "nomenclature": 1,
    "comfyui_preview": 1,
    "generation": 2,
    "generation.errors": 2,
    "generation.states": 2,
    "storyboards.states": 2,
    "review.states": 2,
    "generation.events": 2,
    "generation.failures": 2,
    "generation.extension_points": 2,
    "generation.examined_images": 2,
    "generation.parameter_sources": 2,
    "generation.state_words": 2,
    "generation.picture_checks": 2,
    "generation.board_action": 2,
    "generation.safe_open": 2,
    "generation.comfyui": 3,
    "generation.decoding": 3,
    "storyboards.reading": 3,
    "review.sheets": 3,
    "generation.workflows": 3,
    "generation.catalogues": 4,
    "generation.models": 4,
    "generation.selectors": 5,
    "generation.queueing": 5,
    "generation.storage": 5,
    "generation.image_decoding": 5,
    "generation.picture_measures": 5,
    "generation.home_cache": 5,
    "generation.showable_files": 5,
    "generation.signed_urls": 5,
    "generation.thumbnails": 5,
    "generation.services": 6,
    "generation.driver": 7,
    "generation.runtime": 7,
    "generation.apps": 8,
    "generation.tasks": 8,
    "generation.api": 8,
    "generation.admin": 8,
    "generation.checks": 8,
    "generation.management": 8,
    "madsea": 8,
    "review.pages": 8,
}
DOORS = {
    "generation.tasks": 1,
    "generation.api": 2,
    "generation.admin": 3,
    "generation.checks": 4,
    "generation.management": 5,
}
#: The layers without Django.
PURE = (1, 3)


def layer(name: str) -> int:
    """Return the layer of a module; an app above the engine has the engine's own floors."""
    app, _, rest = name.partition(".")
    same_floor = f"generation.{rest}".rstrip(".") if app in APPS_ABOVE else name
    return first(name, LAYERS) or first(same_floor, LAYERS) or 0


def test_every_module_has_a_layer_of_its_own() -> None:
    known = {*LAYERS, *APPS_ABOVE}
    undecided = found(lambda module: layer(module.name) == 2 and module.name not in known)

    assert undecided == {}


def test_a_module_imports_only_from_its_own_layer_or_those_before_it() -> None:
    def upwards(module: Module) -> list[str]:
        return [name for name in own_imports(module) if layer(name) > layer(module.name)]

    assert found(upwards) == {}


def test_nothing_of_the_project_s_settings_and_web_process_is_imported_by_the_apps() -> None:
    def settings(module: Module) -> bool:
        return layer(module.name) < layer("madsea") and "madsea" in roots(module)

    assert found(settings) == {}


@pytest.mark.parametrize("app", APPS_ABOVE)
def test_an_app_above_the_engine_is_known_neither_to_it_nor_to_the_other(app: str) -> None:
    def knows(module: Module) -> bool:
        return not module.name.startswith((app, "madsea")) and app in roots(module)

    assert found(knows) == {}


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("review.models.decision", 4),
        ("review.selectors", 5),
        ("storyboards.services.cutting", 6),
        ("storyboards.api", 8),
    ],
)
def test_an_app_above_the_engine_has_the_same_floors(name: str, floor: int) -> None:
    assert layer(name) == floor


def test_the_preview_server_knows_nothing_of_the_engine() -> None:
    def engine(module: Module) -> bool:
        return module.name.startswith("comfyui_preview") and "generation" in roots(module)

    assert found(engine) == {}


def test_the_preview_server_is_known_to_its_command_only() -> None:
    def knows(module: Module) -> bool:
        return module.name.partition(".")[0] != "comfyui_preview" and "comfyui_preview" in roots(
            module
        )

    assert set(found(knows)) == {"generation.management.commands.comfyui_preview"}


def test_doors_never_import_one_another() -> None:
    def other_doors(module: Module) -> list[str]:
        own = first(module.name, DOORS)
        return [n for n in own_imports(module) if own and first(n, DOORS) not in {None, own}]

    assert found(other_doors) == {}


def test_what_is_pure_knows_nothing_of_django() -> None:
    def django(module: Module) -> bool:
        return layer(module.name) in PURE and "django" in roots(module)

    assert found(django) == {}


def test_nothing_of_our_own_is_imported_inside_a_function() -> None:
    def inside(module: Module) -> list[int]:
        return [
            node.lineno
            for function in functions(module.tree)
            for node in ast.walk(function)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES
        ]

    assert found(inside) == {}


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {module.name: own_imports(module) - {module.name} for module in modules()}

    assert _circle(edges) == []


def _circle(edges: dict[str, set[str]]) -> list[str]:
    """Take away, again and again, the modules that import nothing left; a circle remains."""
    left = dict(edges)
    while free := [name for name, imported in left.items() if not imported & left.keys()]:
        left = {name: imported for name, imported in left.items() if name not in free}
    return sorted(left)


def test_the_layers_name_modules_that_exist() -> None:
    assert set(LAYERS) <= names()
