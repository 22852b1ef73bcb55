"""Make the projects folder, or a volume below it, the one that this database publishes to."""

from typing import Any

from django.core.management.base import CommandParser

from generation import storage
from generation.management.command import MadseaCommand, actor, add_actor, add_dry_run
from generation.services import volumes
from generation.services.volumes import FoundVolume
from wording import in_turn, say


class Command(MadseaCommand):
    help = say(
        "Adopt the projects folder as this database's, after it was moved or restored: it gets a"
        " mark, without which nothing is published. An empty home adopts its own by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            nargs="?",
            default="",
            metavar="PATH",
            help=say(
                "a volume below the projects folder, such as madsea-2025-ep202; without it, the"
                " projects folder itself"
            ),
        )
        parser.add_argument(
            "--without-files",
            action="store_true",
            help=say("adopt it although none of the files that were published there is there"),
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        path = path.strip("/")
        if options["dry_run"]:
            self.stdout.write(_described(volumes.look_at(path)))
            return
        found = volumes.adopt(path, even_if_empty=options["without_files"], actor=actor(options))
        self.stdout.write(_described(found))
        told = say("{where} is adopted: what waited for it goes on.", where=_where(found))
        self.stdout.write(str(told))


def _where(found: FoundVolume) -> str:
    return str(storage.absolute(found.path))


def _described(found: FoundVolume) -> str:
    if not found.mark:
        mark = say("It has no mark.")
    elif found.mark == found.known_mark:
        mark = say("Its mark is the one that the database knows.")
    else:
        mark = say("Its mark is not the one that the database knows.")
    files = say(
        "Of {n_looked_for} published files looked for, {n_there} are there.",
        n_looked_for=found.n_looked_for,
        n_there=found.n_there,
    )
    told = in_turn([mark, files])
    return str(say("{label}: {value}", label=_where(found), value=told))
