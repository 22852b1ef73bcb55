"""Every address of Madsea by every method, as each role: only what the table says.

An address that the table lacks fails: whoever adds one says there who may.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from tests.commands.running import run
from tests.review import doors
from tests.review.doors import LETTERS, METHODS, Studio, Visitor

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("who_may_what.txt")
#: Leads to a model's own page; none has one.
LEFT_OUT = frozenset({"admin:view_on_site"})
#: There only where tasks wait in the database, and not in Redis.
OF_THE_QUEUE = "admin:django_q_ormq_"


def expected() -> Mapping[str, Mapping[str, str]]:
    """Return for each address and method the letters of who is let in."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {
        name: dict(_cell(cell) for cell in cells.split("   ") if cell.strip())
        for name, cells in rows
        if not (name.startswith(OF_THE_QUEUE) and name not in doors.addresses())
    }


def _cell(cell: str) -> tuple[str, str]:
    method, _, who = cell.strip().partition(" ")
    return method, "" if who.strip() == "no one" else who.strip()


EXPECTED = expected()


def test_the_table_names_every_address() -> None:
    assert set(EXPECTED) == set(doors.addresses()) - LEFT_OUT


@pytest.mark.parametrize("letter", ["-", *LETTERS])
def test_each_role_is_let_in_where_the_table_says(letter: str, settings: Any) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    visitor = Visitor(LETTERS.get(letter, "anonymous"), Studio())

    found = {
        f"{method} {name}": bool(visitor.is_let_in(name, method))
        for name, told in EXPECTED.items()
        for method in METHODS
        if method in told
    }

    wanted = {
        f"{method} {name}": letter in who
        for name, told in EXPECTED.items()
        for method, who in told.items()
    }
    assert {key: found[key] for key in found if found[key] != wanted[key]} == {}


#: May be sent by whoever may comment, so what they send is read first.
READ_FIRST = {("a", "reviews")}


@pytest.mark.parametrize("letter", ["n", "a", "s", "d"])
def test_who_may_not_is_told_so_and_not_what_is_wrong(letter: str, settings: Any) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    visitor = Visitor(LETTERS[letter], Studio())
    shut = [
        (name, method)
        for name, told in EXPECTED.items()
        for method in METHODS
        if method in told and method != "GET" and letter not in told[method]
        if (letter, name) not in READ_FIRST and not name.startswith("guest-") and name != "token"
    ]

    let_in = [f"{method} {name}" for name, method in shut if visitor.is_let_in(name, method, {})]

    assert let_in == []


@pytest.mark.parametrize(
    "command",
    [
        ("generate", "/no/such/request.json"),
        ("cancel_batches",),
        ("retry_plans", "--batch", "nothing"),
        ("import_panels", "madsea", "E999", "/no/such/folder", "--numbered", "wrong"),
        ("import_concepts", "/no/such/folder", "--project", "wrong name"),
        ("import_workflow", "/no/such/workflow.json"),
        ("import_storyboard", "/no/such.pdf", "--project", "wrong name", "--episode", "x"),
        ("import_reviews", "/no/such/table.csv"),
        ("retake_plans", "--project", "nothing", "--episode", "x"),
        ("servers", "--take-back", "nothing"),
        ("servers", "--access", "nothing"),
    ],
)
def test_a_command_on_behalf_of_who_may_not_says_so_first(
    command: tuple[str, ...], settings: Any, artist: User
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False

    with pytest.raises(CommandError, match="it takes the permission"):
        run(*command, "--as", artist.username)


@pytest.mark.parametrize("name", [n for n in EXPECTED if hasattr(doors.view(n), "actions")])
def test_the_table_names_every_method_of_the_api(name: str) -> None:
    assert set(EXPECTED[name]) == {method.upper() for method in doors.view(name).actions} - {"HEAD"}
