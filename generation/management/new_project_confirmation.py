"""Projects and episodes that a command would make new: a typing error does so as well."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from generation.services import production_tree


def add_create(parser: CommandParser) -> None:
    """Add `--create`."""
    parser.add_argument(
        "--create",
        action="store_true",
        help="the project is new, although there is one of a similar name",
    )


def confirm(
    project_id: str, episodes: Sequence[str], options: dict[str, Any], stdout: OutputWrapper
) -> None:
    """Say what is new of a project and its episodes.

    Raises:
        CommandError: there is no such project, but one of a similar name, and no `--create`.
    """
    news = production_tree.news(project_id, *episodes)
    if news.like and not options["create"]:
        similar = " and ".join(news.like)
        text = f"There is no project {project_id!r}, but {similar}. Is it new? Then say --create."
        raise CommandError(text)
    if news.project:
        stdout.write(f"Project {news.project} is new.")
    elif news.episode:
        stdout.write(f"New in {project_id}: {news.episode}.")
