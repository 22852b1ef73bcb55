"""What is said about Madsea is true: every setting and every command is told of."""

import ast
import re
from pathlib import Path

import pytest

from generation.failures import FAILURES, FailureClass
from tests.architecture import names
from tests.architecture.sources import ROOT

FOLDERS = ("nomenclature", "generation", "storyboards", "review")


def settings_read() -> set[str]:
    """Return the variables that the settings read."""
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "madsea/settings.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "environment"
        and node.args
    ]
    first = [call.args[0] for call in calls]
    return {str(arg.value) for arg in first if isinstance(arg, ast.Constant)}


def commands() -> set[str]:
    """Return the commands that the project adds."""
    found = [file for app in FOLDERS for file in (ROOT / app / "management/commands").glob("*.py")]
    return {file.stem for file in found if not file.stem.startswith("_")}


def said() -> str:
    """Return all that the README and the documents say."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_every_setting_is_told_of(name: str) -> None:
    assert re.search(rf"\b{name}\b", said())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_told_of(name: str) -> None:
    assert re.search(rf"\b{name}\b", said())


@pytest.mark.parametrize("file", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")))
def test_every_link_between_documents_leads_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    inner = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in inner if not (file.parent / link).exists()] == []


@pytest.mark.parametrize("known", FAILURES.values(), ids=list(FAILURES))
def test_every_failure_is_told_of_as_it_is(known: FailureClass) -> None:
    assert row_of(known) in (ROOT / "docs/operations.md").read_text()


def row_of(known: FailureClass) -> str:
    """The line of the table in docs/operations.md."""
    tries = "yes" if known.counts else "no"
    return f"| `{known.code}` | {known.meaning} | {known.again} | {tries} | {known.remedy} |"


@pytest.mark.parametrize("file", names.DOCUMENTS, ids=lambda file: file.name)
def test_what_a_document_names_is_there(file: Path) -> None:
    assert names.in_document(file) == []


def test_what_docstrings_name_is_there() -> None:
    gone = {name: names.in_docstrings(name) for name in names.trees()}

    assert {name: tokens for name, tokens in gone.items() if tokens} == {}


def test_what_programs_in_strings_import_is_there() -> None:
    gone = {name: names.in_code_strings(name) for name in names.trees()}

    assert {name: tokens for name, tokens in gone.items() if tokens} == {}


def test_what_tests_take_from_modules_is_there() -> None:
    gone = {name: names.in_code(name) for name in names.trees() if name.startswith("tests.")}

    assert {name: tokens for name, tokens in gone.items() if tokens} == {}


@pytest.mark.parametrize(
    "token",
    [
        "claims.claim_next",
        "services.claims.claim_next",
        "services.claims.Desk.claim_next",
        "services.requests",
        "Server.owner",
        "services/asking.py",
        "docs/nowhere.md",
        "generation/nowhere",
    ],
)
def test_what_is_named_and_not_there_is_seen(token: str) -> None:
    assert not names.is_there(token)


@pytest.mark.parametrize(
    "token",
    [
        "services.claims",
        "Server.objects.taking_work",
        "services/claims.py",
        "transitions.claim",
        "services.claims.Desk.claim",
        "storage.link(path)",
        "django.db.models",
        "PATCH /api/batches",
        "n_running",
    ],
)
def test_what_is_there_or_not_ours_is_passed_over(token: str) -> None:
    assert names.is_there(token)


DECISIONS = (ROOT / "docs/decisions.md").read_text(encoding="utf-8").splitlines()
DECISION = re.compile(
    r"- \*\*(?P<id>[A-Z]\d+)\*\* \(\d{4}-\d\d-\d\d, (holds|in part: .+?|no more: .+?)\) \S.*"
)


def test_every_decision_has_an_id_a_day_and_says_whether_it_holds() -> None:
    lines = [line for line in DECISIONS if line.startswith("- ")]

    assert [line for line in lines if not DECISION.fullmatch(line)] == []


def test_no_two_decisions_have_one_id() -> None:
    ids = [known["id"] for line in DECISIONS if (known := DECISION.fullmatch(line))]

    assert sorted({decision for decision in ids if ids.count(decision) > 1}) == []
