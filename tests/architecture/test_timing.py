"""No test asserts that something was quick: on a loaded machine nothing is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

#: Programs that measure and print, and so ask the clock; their own tests do not.
PROGRAMS = ("benchmarks", "chaos", "real", "hostile")
CLOCKS = {"monotonic", "perf_counter", "process_time", "time", "total_seconds", "elapsed"}
#: The end of a wait for something, which may be as late as it likes.
GIVES_UP = ("deadline", "ends_at")
ENDINGS = ("took_s", "elapsed_s", "lasted_s", "whole_s", "elapsed", "took")


def checked() -> list[Path]:
    """Return the files whose tests are held to it."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    measures = set(PROGRAMS)
    return [f for f in files if f.name.startswith("test_") or not measures & set(f.parts)]


def clocked(function: ast.AST) -> set[str]:
    """Return the names in a function that are given what a clock says."""
    given = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    return {
        target.id
        for node in given
        for target in node.targets
        if isinstance(target, ast.Name) and reads_clock(node.value, set())
    }


def reads_clock(node: ast.AST, known: set[str]) -> bool:
    """Tell whether an expression has to do with how long something took."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and each.attr in CLOCKS:
            return True
        if isinstance(each, ast.Name) and (each.id in known or each.id.endswith(ENDINGS)):
            return True
    return False


def bounded_above(compare: ast.Compare, known: set[str]) -> bool:
    """Tell whether a comparison says that a time is less than something."""
    sides = [compare.left, *compare.comparators]
    if any(ast.unparse(side).endswith(GIVES_UP) for side in sides):
        return False
    return any(
        reads_clock(left if isinstance(operator, ast.Lt | ast.LtE) else right, known)
        for left, operator, right in zip(sides, compare.ops, sides[1:], strict=False)
        if isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    )


def quick(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that assert that something was quick."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        known = clocked(function)
        for claim in (node for node in ast.walk(function) if isinstance(node, ast.Assert)):
            compared = [node for node in ast.walk(claim.test) if isinstance(node, ast.Compare)]
            if any(bounded_above(each, known) for each in compared):
                yield claim.lineno


@pytest.mark.parametrize("file", checked(), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_test_asserts_that_something_was_quick(file: Path) -> None:
    assert list(quick(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "claim",
    [
        "assert time.monotonic() - begun < 2",
        "assert 0 < answer.elapsed.total_seconds() < 0.15",
        "assert 2 > took_s(act)",
        "assert first_s <= 0.8 and is_known",
    ],
)
def test_a_claim_of_speed_is_seen(claim: str) -> None:
    body = f"def test() -> None:\n    first_s = time.perf_counter() - begun\n    {claim}\n"

    assert list(quick(ast.parse(body))) == [3]


@pytest.mark.parametrize(
    "claim",
    [
        "assert time.monotonic() - begun >= 2",
        "assert n_asked < 3",
        "assert time.monotonic() < ends_at",
    ],
)
def test_what_is_no_claim_of_speed_is_let_be(claim: str) -> None:
    assert list(quick(ast.parse(f"def test() -> None:\n    {claim}\n"))) == []
