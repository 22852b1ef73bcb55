"""The project's own modules as syntax trees: what each imports, and what it calls."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: Apps above the engine, whether they are built already or not.
APPS_ABOVE = ("storyboards", "review")
PACKAGES = ("wording", "nomenclature", "comfyui_preview", "generation", *APPS_ABOVE, "madsea")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, its path below the root, its tree."""

    name: str
    path: str
    tree: ast.Module


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the project but migrations, by name."""
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return tuple(_module(file) for file in files if "migrations" not in file.parts)


def _module(file: Path) -> Module:
    relative = file.relative_to(ROOT)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    return Module(name, str(relative), ast.parse(file.read_text(encoding="utf-8")))


@cache
def names() -> frozenset[str]:
    """Return the dotted names of all modules."""
    return frozenset(module.name for module in modules())


def imports(module: Module) -> Iterator[str]:
    """Yield the dotted names that a module imports; our own down to the module that holds them."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in names() else node.module


def own_imports(module: Module) -> set[str]:
    """Return the modules of the project that a module imports."""
    return {name for name in imports(module) if name in names()}


def calls(module: Module, *attributes: str) -> Iterator[ast.Call]:
    """Yield the calls of methods of these names."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in attributes:
            yield node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions of a tree, methods and inner ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def first(name: str, prefixes: dict[str, int]) -> int | None:
    """Return the number of the longest prefix that a dotted name begins with."""
    fits = [prefix for prefix in prefixes if name == prefix or name.startswith(f"{prefix}.")]
    return prefixes[max(fits, key=len)] if fits else None


def found(look: Callable[[Module], Any]) -> dict[str, Any]:
    """Return what `look` finds in the modules, by name; those without a find are left out."""
    finds = {module.name: look(module) for module in modules()}
    return {name: find for name, find in finds.items() if find}


def roots(module: Module) -> set[str]:
    """Return the packages that a module imports from."""
    return {name.partition(".")[0] for name in imports(module)}


def assigned(module: Module) -> Iterator[ast.Attribute]:
    """Yield the attributes that a module assigns to, those of `self` left out."""
    for node in ast.walk(module.tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and not _is_self(target.value):
                yield target


def _is_self(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Name) and owner.id == "self"


def undocumented(module: Module) -> list[str]:
    """Return the public functions, classes and methods of a module that have no docstring."""
    public = [node for node in _members(module.tree) if not node.name.startswith("_")]
    classes = [node for node in public if isinstance(node, ast.ClassDef)]
    methods = [node for of in classes for node in _members(of) if not node.name.startswith("_")]
    silent = [node.name for node in public + methods if not ast.get_docstring(node)]
    return [name for name in silent if name != "Meta"]


def _members(of: ast.Module | ast.ClassDef) -> list[Any]:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in of.body if isinstance(node, kinds)]


def source(module: Module) -> str:
    """Return the text of a module."""
    return (ROOT / module.path).read_text(encoding="utf-8").strip()
