"""A storyboard comes in: its file is kept where all machines see it, and is read afterwards."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation import storage
from generation.errors import Conflict, InvalidRequest, Problem, Refusal
from generation.services import acts, permissions, production_tree, volumes
from generation.services.permissions import Needed
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from storyboards.models import StoryboardImport
from storyboards.models.storyboard_import import FOLDER
from storyboards.services import background_reader
from storyboards.states import ImportState
from wording import say

#: How large a storyboard may be.
MAX_BYTES = 500 * 10**6
SOURCE = "source"
PICTURES = ("first", "last", "all")
_NAME_MAX = 255
TO_SEND = Needed(permissions.WRITE, say("send storyboards in"))
TO_DELETE = Needed(permissions.WRITE, say("delete storyboards"))


class _Counted:
    """Passes the pieces of a file on, and knows then how many bytes and which hash it had."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.n_bytes += len(piece)
            if self.n_bytes > MAX_BYTES:
                detail = say("A storyboard may have {max_bytes:,} bytes.", max_bytes=MAX_BYTES)
                raise Refusal(detail, code="too_large", attr="file")
            self._digest.update(piece)
            yield piece
        if not self.n_bytes:
            raise Refusal(say("The file is empty."), code="empty", attr="file")

    @property
    def sha256(self) -> str:
        """The hash of what was passed on."""
        return self._digest.hexdigest()


def take(
    pieces: Iterable[bytes],
    *,
    filename: str,
    project_id: str,
    season: str,
    episode: str,
    pictures: str = "first",
    actor: User | None,
    is_read_here: bool = False,
) -> StoryboardImport:
    """Keep a file as an episode's storyboard and have it read; return its import.

    `is_read_here`: whoever calls reads it, so that no process is started for it.

    The same file, sent again while it is read or is a draft, is the same import.

    Raises:
        Forbidden: who sends it may not.
        InvalidRequest: a name is none, or the project exists in another spelling.
        Refusal: the file is empty or too large.
        StorageError: the projects folder cannot be written.
    """
    permissions.require(actor, *TO_SEND)
    check_names(project_id, season, episode, pictures)
    public_id = secrets.token_hex(8)
    counted = _Counted(pieces)
    folder = f"{FOLDER}/{public_id}"
    try:
        storage.put(folder, SOURCE, counted, volumes.expected_marks())
        made, is_new = _made(
            public_id=public_id,
            project_code=project_id,
            season=season,
            episode_code=episode,
            file_name=filename[-_NAME_MAX:],
            n_bytes=counted.n_bytes,
            sha256=counted.sha256,
            pictures=pictures,
            created_by=actor,
        )
    except BaseException:
        storage.remove_tree(folder)
        raise
    if not is_new:
        storage.remove_tree(folder)
    if not is_read_here:
        transaction.on_commit(background_reader.start)
    return made


def _made(**fields: Any) -> tuple[StoryboardImport, bool]:
    same = ("project_code", "season", "episode_code", "sha256", "pictures")
    unfinished = StoryboardImport.objects.filter(
        **{name: fields[name] for name in same},
        state__in=(ImportState.READING, ImportState.DRAFT),
    )
    found = unfinished.order_by("-pk").first()
    return (found, False) if found else (_created(**fields), True)


def _created(**fields: Any) -> StoryboardImport:
    with transaction.atomic():
        made = StoryboardImport.objects.create(**fields)
        told = {name: fields[name] for name in ("project_code", "sha256")}
        acts.record("send in", made, by=fields["created_by"], after=told)
    return made


def check_names(project_id: str, season: str, episode: str, pictures: str = "first") -> None:
    """Refuse names that the nomenclature does not know.

    Raises:
        InvalidRequest: with every name that is wrong.
    """
    problems = [
        *_problem("project_id", lambda: rules.check_project_id(project_id)),
        *_problem("season", lambda: rules.check_season(season)),
        *_problem("episode", lambda: rules.check_episode(episode)),
    ]
    if not problems:
        problems += _problem("episode", lambda: rules.check_episode(episode, season))
    if pictures not in PICTURES:
        detail = say("Expected one of {pictures}.", pictures=", ".join(PICTURES))
        problems.append(Problem("pictures", "invalid_choice", detail))
    if problems:
        raise InvalidRequest(problems)
    production_tree.check_spelling(project_id)


def _problem(attr: str, check: Callable[[], object]) -> list[Problem]:
    try:
        check()
    except NomenclatureError as error:
        return [Problem(attr, error.code, say("Expected {expected}.", expected=error.expected))]
    return []


def delete(of: StoryboardImport, *, actor: User | None) -> None:
    """Delete an import that is not confirmed, with its files.

    Raises:
        Forbidden: who deletes it may not.
        Conflict: it is confirmed: it says where its plans came from.
    """
    permissions.require(actor, *TO_DELETE)
    others = StoryboardImport.objects.filter(pk=of.pk).exclude(state=ImportState.CONFIRMED)
    with transaction.atomic():
        n_deleted, _ = others.delete()
        if n_deleted:
            told = {"project_code": of.project_code, "state": of.state, "sha256": of.sha256}
            acts.record("delete", of, by=actor, before=told)
    if not n_deleted and StoryboardImport.objects.filter(pk=of.pk).exists():
        detail = say("It is confirmed: it is kept, as it says where its plans came from.")
        raise Conflict(detail, code="storyboard_confirmed")
    storage.remove_tree(of.folder)
