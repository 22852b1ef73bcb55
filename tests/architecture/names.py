"""What the documents and docstrings name in backticks, and whether it is there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.sources import ROOT

PACKAGES = (
    *("wording", "nomenclature", "comfyui_preview", "generation", "storyboards", "review"),
    *("madsea", "lab", "samples", "tests"),
)
DOCUMENTS = tuple(
    file
    for file in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
    # What was changed is told in the words of its time.
    if file.name != "CHANGELOG.md"
)
#: Where a path that is named may begin.
BASES = ("", "docs", "generation", "tests")
SUFFIXES = ("py", "md", "in", "txt", "json", "html", "js", "css", "conf", "toml")
#: Numbers of system checks, hosts of examples, permissions, places in an answer, files of a run.
FOREIGN = re.compile(
    r"madsea\.([EW]\d{3}|studio)|generation\.(add|ask|change|delete|give|upload|view|write)_\w+"
    r"|review\.(comment|decide|share)|parameters\.\w+\.\w+|(progress|refused|storyboard)\.json"
)

_TOKEN = re.compile(r"`([^`\n]+)`")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?:\(.*\))?")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
#: An import of ours, in a program that a string holds.
_IMPORTED = re.compile(rf"\bfrom ((?:{'|'.join(PACKAGES)})[\w.]*) import (\w+(?:, \w+)*)")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def in_document(file: Path) -> list[str]:
    """Return what a document names that is not there."""
    tokens = _TOKEN.findall(file.read_text(encoding="utf-8"))
    return sorted({token for token in tokens if not is_there(token)})


def in_docstrings(name: str) -> list[str]:
    """Return what the docstrings of a module name that is not there: dotted names only."""
    nodes = [node for node in ast.walk(trees()[name]) if isinstance(node, Definition | ast.Module)]
    said = [ast.get_docstring(node) or "" for node in nodes]
    tokens = {token for text in said for token in _TOKEN.findall(text)}
    return sorted(token for token in tokens if _DOTTED.fullmatch(token) and not is_there(token))


def in_code_strings(name: str) -> list[str]:
    """Return what strings of a module import for another process, and that is not there."""
    nodes = [node for node in ast.walk(trees()[name]) if isinstance(node, ast.Constant)]
    strings = [node.value for node in nodes if isinstance(node.value, str)]
    found = [match.groups() for text in strings for match in _IMPORTED.finditer(text)]
    imported = [(module, one) for module, ones in found for one in ones.split(", ")]
    return sorted(f"{module}.{one}" for module, one in imported if not _is_imported(module, one))


def _is_imported(module: str, name: str) -> bool:
    return f"{module}.{name}" in trees() or (module in trees() and name in members(module))


def in_code(name: str) -> list[str]:
    """Return what a module takes from modules of ours, and that is not there: `module.what`.

    For tests, which no type checker reads: what is renamed under them fails when it is run only.
    """
    nodes = list(ast.walk(trees()[name]))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    taken = [(str(node.module), alias) for node in froms for alias in node.names]
    gone = {f"{module}.{one.name}" for module, one in taken if not _is_given(module, one.name)}
    modules = {one.asname or one.name: f"{module}.{one.name}" for module, one in taken}
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)} | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id, "") if node.value.id not in bound else ""
            if not node.attr.startswith("__") and not _is_given(module, node.attr):
                gone.add(f"{module}.{node.attr}")
    return sorted(gone)


def _is_given(module: str, name: str) -> bool:
    return module not in trees() or _has(module, name)


def is_there(token: str) -> bool:
    """Tell whether a token in backticks names nothing of ours, or something that is there."""
    if FOREIGN.fullmatch(token):
        return True
    if _is_file(token):
        return _leads_to_a_file(token)
    return not _DOTTED.fullmatch(token) or _is_known(token)


def _is_file(token: str) -> bool:
    """Tell whether a token is a path of ours: it ends like our files, or begins like a folder."""
    if not _PATH.fullmatch(token):
        return False
    top = token.partition("/")[0]
    # What Madsea writes lies below var/, and only once it has run.
    is_below_ours = (
        "/" in token and top != "var" and any((ROOT / base / top).is_dir() for base in BASES)
    )
    return token.rpartition(".")[2] in SUFFIXES or is_below_ours


def _leads_to_a_file(token: str) -> bool:
    # A bare name (`fault_kinds.py`) is found wherever it is.
    anywhere = "/" not in token and token in file_names()
    places = [ROOT / base / token for base in BASES]
    return anywhere or any(place.exists() or Path(f"{place}.py").exists() for place in places)


@cache
def file_names() -> frozenset[str]:
    """Return the names of all files of the project."""
    folders = [ROOT / package for package in (*PACKAGES, "docs", "workflows", "templates")]
    below = {file.name for folder in folders for file in folder.rglob("*.*")}
    return frozenset(below | {file.name for file in ROOT.iterdir()})


def _is_known(token: str) -> bool:
    """Tell whether a dotted name begins with nothing of ours, or leads to something of ours."""
    parts = token.partition("(")[0].split(".")
    fits = _longest_fits(parts)
    if any(_leads_to(name, rest) for name, rest in fits):
        return True
    if parts[0] in classes():
        return parts[1] in classes()[parts[0]]
    return not fits


def _longest_fits(parts: list[str]) -> list[tuple[str, list[str]]]:
    """Return the modules that as many of these parts as possible name, each with what is left.

    A function of a module is looked for in that module alone: that the module's package has the
    module says nothing of what is in it.
    """
    by_length = (
        [(name, parts[n:]) for name in ending_in(parts[:n])] for n in range(len(parts), 0, -1)
    )
    return next(filter(None, by_length), [])


def _leads_to(module: str, rest: list[str]) -> bool:
    """Tell whether a module has what is named in it, and a class of its own what is named in that.

    What it has imported is not followed further than its name.
    """
    if not rest or not _has(module, rest[0]):
        return not rest
    own = {node.name: node for node in trees()[module].body if isinstance(node, ast.ClassDef)}
    return len(rest) == 1 or rest[0] not in own or rest[1] in classes()[rest[0]]


def ending_in(parts: list[str]) -> Iterator[str]:
    """Yield the modules whose dotted names end in these parts."""
    end = ".".join(parts)
    yield from (name for name in trees() if name == end or name.endswith(f".{end}"))


def _has(module: str, name: str) -> bool:
    return name in members(module) or f"{module}.{name}" in trees()


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of each module, tests and programs too, by its dotted name."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    own = [file for file in files if "migrations" not in file.parts]
    return {_dotted(file): ast.parse(file.read_text(encoding="utf-8")) for file in own}


def _dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def members(module: str) -> frozenset[str]:
    """Return what is defined, assigned or imported at the top of a module."""
    return frozenset(_bound(trees()[module].body))


@cache
def classes() -> dict[str, frozenset[str]]:
    """Return the members of each class by its name; of two of one name, those of both."""
    known: dict[str, set[str]] = {}
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            known.setdefault(node.name, {"objects", "pk", "id"}).update(_bound(node.body))
            known[node.name].update(_own_attributes(node))
    return {name: frozenset(bound) for name, bound in known.items()}


def _own_attributes(of: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(of):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
            yield node.attr


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, Definition):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (ast.unparse(name) for target in targets for name in _names(target))


def _names(target: ast.expr) -> Iterator[ast.Name]:
    yield from (node for node in ast.walk(target) if isinstance(node, ast.Name))
