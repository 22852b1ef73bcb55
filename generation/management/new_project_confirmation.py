"""Projects and episodes that a command would make new: a typing error does so as well."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from generation.services import production_tree
from wording import all_of, say


def add_create(parser: CommandParser) -> None:
    """Add `--create`."""
    parser.add_argument(
        "--create",
        action="store_true",
        help=say("the project is new, although there is one of a similar name"),
    )


def confirm(
    project_id: str, episodes: Sequence[str], options: dict[str, Any], stdout: OutputWrapper
) -> None:
    """Say what is new of a project and its episodes.

    Raises:
        CommandError: there is no such project, but one of a similar name, and no `--create`.
    """
    news = production_tree.what_would_be_new(project_id, *episodes)
    if news.like and not options["create"]:
        text = say(
            "There is no project {project!r}, but {similar}. Is it new? Then say --create.",
            project=project_id,
            similar=all_of(news.like),
        )
        raise CommandError(text)
    if news.project:
        stdout.write(str(say("Project {project} is new.", project=news.project)))
    elif news.episode:
        stdout.write(
            str(say("New in {project}: {episode}.", project=project_id, episode=news.episode))
        )
