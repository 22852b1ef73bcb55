"""Give a workflow from a file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from generation import safe_open
from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    counted,
    printable,
)
from generation.services import permissions, workflow_descriptions, workflow_imports
from wording import say


class Command(MadseaCommand):
    help = say(
        "Give a workflow: ComfyUI's API format or its editor's, wrapped or not, or a PNG or WebP"
        " that ComfyUI saved. A workflow of the same name becomes this one; what was chosen for it"
        " stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--name", metavar="NAME", help=say("default: the file's own"))
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options, permissions.TO_GIVE_WORKFLOW)
        given = {
            "content": _content(options["file"]),
            "filename": options["file"].name,
            "name": options["name"],
            "actor": user,
        }
        if options["dry_run"]:
            self._tell(workflow_descriptions.describe(workflow_imports.check(**given)), is_new=None)
            return
        imported = workflow_imports.take(**given)
        self._tell(workflow_descriptions.describe(imported.row), is_new=imported.is_new)

    def _tell(self, told: workflow_descriptions.ContractDocument, *, is_new: bool | None) -> None:
        """Say what is asked and warned; `is_new` None: nothing was given."""
        for said in (*told["warnings"], *told["questions"]):
            self.stdout.write(printable(f"{said['code']}: {said['detail']}"))
        name, n_questions = printable(told["workflow_json"]), len(told["questions"])
        n_parameters = counted(len(told["parameters"]), "parameter")
        done = {
            None: say("{name} can be given: {parameters}.", name=name, parameters=n_parameters),
            True: say("{name} is given: {parameters}.", name=name, parameters=n_parameters),
            False: say("{name} is replaced: {parameters}.", name=name, parameters=n_parameters),
        }[is_new]
        self.stdout.write(self.style.SUCCESS(str(done)))
        if n_questions:
            asked = say(
                "{questions} to answer before it runs.",
                questions=counted(n_questions, "question"),
            )
            self.stdout.write(str(asked))


def _content(file: Path) -> bytes:
    try:
        return safe_open.read_following_links(file, settings.MADSEA_IMAGE_MAX_BYTES)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from error
