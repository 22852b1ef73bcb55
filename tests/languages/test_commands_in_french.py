"""What commands say is in the language of whoever sits at the terminal."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.utils.translation import override

from generation.checks import tls_ahead
from generation.models import Plan
from generation.states import RunState
from tests import factories
from tests.api.calls import EXAMPLE
from tests.languages import foreign_words

OWN = sorted(
    name for name, app in get_commands().items() if app in {"generation", "review", "storyboards"}
)
#: What every command of Django's has, which Django has in English alone.
_DJANGOS = {action.dest for action in BaseCommand().create_parser("", "")._actions}


@pytest.mark.parametrize("name", OWN)
def test_the_help_of_a_command_is_in_french(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    with override("fr"):
        actions = command.create_parser("manage.py", name)._actions
        helps = [command.help, *(each.help for each in actions if each.dest not in _DJANGOS)]
        told = [str(each) for each in helps if each]

    assert [why for each in told if (why := foreign_words.foreign(each, "fr"))] == []


def in_french(command: str, *arguments: Any, **options: Any) -> list[str]:
    """Return the lines of what a command says, at its end as well, that are not in French."""
    out = StringIO()
    with override("fr"):
        try:
            call_command(command, *map(str, arguments), stdout=out, **options)
        except CommandError as error:
            out.write(str(error))
    lines = out.getvalue().splitlines()
    assert lines
    # Values are those of styles and workflows: prompts are in English.
    told = [line for line in lines if not line.startswith("Valeurs")]
    return [line for line in told if foreign_words.foreign(line, "fr")]


@pytest.fixture
def request_file(tmp_path: Path, plans: list[Plan]) -> Path:
    """A request as a frontend would send it."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps(EXAMPLE))
    return file


@pytest.mark.parametrize("options", [["--dry-run"], [], ["--as", "nn"]])
def test_generate_speaks_french(request_file: Path, options: list[str]) -> None:
    factories.server()

    assert in_french("generate", request_file, *options) == []


def test_what_steers_batches_speaks_french(plans: list[Plan], supervisor: User) -> None:
    factories.batch((RunState.ERROR, RunState.DONE, RunState.QUEUED))
    factories.server("gpu-2", is_draining=True)

    said = [
        *in_french("retry_plans", "--all", "--dry-run"),
        *in_french("retry_plans"),
        *in_french("retry_plans", "--all"),
        *in_french("cancel_batches", "--all", "--dry-run"),
        *in_french("cancel_batches", "--all"),
        *in_french("cancel_batches", "--all"),
        *in_french("servers"),
    ]

    # What failed was told by the server, in its own words.
    assert [line for line in said if "KSampler" not in line] == []


def test_imports_and_audits_speak_french(tmp_path: Path, plans: list[Plan]) -> None:
    folder = tmp_path / "dossier"
    folder.mkdir()
    (folder / "E202_SQ0010-0010_extracted-raw.png").write_bytes(factories.png())
    (folder / "E202_SQ0010-0020_extracted-raw.png").write_bytes(b"")
    project = factories.PROJECT_ID

    assert in_french("import_panels", project, "E202", folder, dry_run=True) == []
    assert in_french("import_panels", project, "E202", folder) == []
    assert in_french("check_nomenclature") == []


def test_checks_speak_french(settings: Any) -> None:
    settings.MADSEA_HTTPS, settings.MADSEA_TRUSTED_PROXIES = True, []

    [found] = tls_ahead()

    with override("fr"):
        assert str(found).startswith("?: (madsea.W010) MADSEA_HTTPS est activé")
        assert foreign_words.foreign(str(found.hint), "fr") == ""
