"""Import an episode's storyboard: a draft, or its plans at once."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation import safe_open
from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    counted,
    listed,
    printable,
)
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from storyboards.models import StoryboardImport
from storyboards.reading.child_launch import read_in_child
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import UnreadableStoryboard
from storyboards.selectors import documents, doubt_messages, drafts
from storyboards.selectors.drafts import Draft
from storyboards.selectors.known_plans import KnownPlan
from storyboards.services import confirmation, intake, reading_queue
from storyboards.services.folder_packing import packed
from storyboards.states import Change, ImportState
from wording import say

_PIECE_BYTES = 2**20
#: So long it waits for others who read on this machine.
WAIT_S = 600.0
#: What a confirmation has made, and what a board would do, in words.
_COUNTED: Mapping[str, str] = {
    "plans": say("plans"),
    "new": say("new plans"),
    "changed": say("changed"),
    "panels": say("panels"),
    "omitted": say("omitted"),
}
_CHANGES: Mapping[Change, str] = {
    Change.ADDED: say("added"),
    Change.CHANGED: say("changed"),
    Change.MOVED: say("moved"),
    Change.SAME: say("same"),
    Change.LEFT_OUT: say("left out"),
}


class Command(MadseaCommand):
    help = say(
        "Import an episode's storyboard: a PDF, a Storyboarder project (its folder, or a zip of"
        " it), a folder or zip of images. It becomes a draft, to be looked over in the admin;"
        " --confirm makes its plans at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--project", required=True, metavar="PROJECT")
        parser.add_argument("--episode", required=True, metavar="E202")
        parser.add_argument(
            "--season", metavar="S02", help=say("the episode's own, unless it is given")
        )
        parser.add_argument(
            "--pictures",
            choices=intake.PICTURES,
            default="first",
            help=say("which of several pictures of one plan to take"),
        )
        parser.add_argument("--json", action="store_true", help=say("print it as the API tells it"))
        parser.add_argument(
            "--confirm",
            action="store_true",
            help=say("make its plans, with their panels and texts"),
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked before anything is read.
        actor(options, intake.TO_SEND)
        file: Path = options["file"]
        if not file.exists():
            raise CommandError(say("There is no file {file}.", file=file))
        place = _place(options)
        with packed(file) as whole:
            if options["dry_run"]:
                self._preview(whole, file.name, place, options)
                return
            made = self._read(whole, file.name, place, options)
        if options["confirm"]:
            made = confirmation.confirm(made, actor=actor(options))
        self._tell(made, options)

    def _read(
        self, whole: Path, name: str, place: dict[str, str], options: dict[str, Any]
    ) -> StoryboardImport:
        made = intake.take(
            _pieces(whole), filename=name, actor=actor(options), is_read_here=True, **place
        )
        made = reading_queue.read_now(made, wait_s=WAIT_S)
        if made.error:
            raise CommandError(f"{printable(name)}: {made.error['detail']}")
        return made

    def _preview(
        self, whole: Path, name: str, place: dict[str, str], options: dict[str, Any]
    ) -> None:
        intake.check_names(**place)
        of = StoryboardImport(
            public_id="0",
            project_code=place["project_id"],
            season=place["season"],
            episode_code=place["episode"],
            file_name=name,
            state=ImportState.DRAFT,
        )
        with tempfile.TemporaryDirectory() as into:
            try:
                read = read_in_child(
                    whole, Path(into), limits=ReadingLimits(), pictures=options["pictures"]
                )
            except UnreadableStoryboard as error:
                raise CommandError(f"{printable(name)}: {error}") from error
            draft = drafts.compare(of, reading_queue.proposed_boards(of, read))
        if options["json"]:
            self._dump([documents.board(each, of) for each in draft.boards])
        else:
            self._boards(draft)
            self.stdout.write(str(say("Nothing is kept (--dry-run).")))

    def _tell(self, made: StoryboardImport, options: dict[str, Any]) -> None:
        if options["json"]:
            self._dump(documents.import_with_boards(made)["boards"])
            return
        self._boards(drafts.draft(made))
        if made.state == ImportState.CONFIRMED:
            # PostgreSQL keeps no order of the keys.
            counts = listed(
                say("{label}: {value}", label=_COUNTED[what], value=made.made[what])
                for what in confirmation.COUNTED
            )
            self.stdout.write(str(say("Confirmed. {counts}.", counts=counts)))
        else:
            told = say("Draft {id}: look it over in the admin, or --confirm.", id=made.public_id)
            self.stdout.write(str(told))

    def _boards(self, draft: Draft) -> None:
        for compared in draft.boards:
            board = compared.board
            told = "; ".join(
                str(doubt_messages.doubt_in_words(each)["detail"]) for each in board.doubts
            )
            plan = (
                f"{board.sequence_code}-{board.plan_code}" if board.is_selected else say("left out")
            )
            change = listed([_CHANGES[compared.change], *_standing(compared.known)])
            line = f"{board.label or board.position} → {plan} {board.style_code} {change}"
            self.stdout.write(printable(f"{line}  {told}".rstrip()))
        for plan_gone in draft.gone:
            where = f"{plan_gone.sequence_id}-{plan_gone.plan}"
            gone = listed([say("gone"), *_standing(plan_gone)])
            self.stdout.write(printable(f"{plan_gone.label or '–'} → {where} {gone}"))
        for problem in draft.problems:
            self.stdout.write(printable(str(problem.detail)))
        summary = say(
            "{boards}, {n} doubtful.",
            boards=counted(len(draft.boards), "board"),
            n=draft.n_doubtful,
        )
        self.stdout.write(str(summary))

    def _dump(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))


def _standing(plan: KnownPlan | None) -> list[str]:
    """Return what somebody has to know of a plan before its board changes it."""
    if plan is None:
        return []
    rendered: list[str] = [say("in render")] if plan.is_in_render else []
    return [*rendered, say("approved")] if plan.is_approved else rendered


def _place(options: dict[str, Any]) -> dict[str, str]:
    season = options["season"]
    if season is None:
        try:
            season = rules.season_of(options["episode"])
        except NomenclatureError as error:
            raise CommandError(f"episode: {error}") from error
    return {
        "project_id": options["project"],
        "season": season,
        "episode": options["episode"],
        "pictures": options["pictures"],
    }


def _pieces(file: Path) -> Iterator[bytes]:
    with safe_open.open_plain(file) as handle:
        while piece := handle.read(_PIECE_BYTES):
            yield piece
