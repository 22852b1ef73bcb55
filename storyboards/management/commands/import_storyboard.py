"""Import an episode's storyboard: a draft, or its plans at once."""

import json
import tempfile
from collections.abc import Iterator
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
from storyboards.services import confirmation, intake, reading_queue
from storyboards.services.folder_packing import packed
from storyboards.states import ImportState

_PIECE_BYTES = 2**20
#: So long it waits for others who read on this machine.
WAIT_S = 600.0


class Command(MadseaCommand):
    help = (
        "Import an episode's storyboard: a PDF, a Storyboarder project (its folder, or a zip of"
        " it), a folder or zip of images. It becomes a draft, to be looked over in the admin;"
        " --confirm makes its plans at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--project", required=True, metavar="PROJECT")
        parser.add_argument("--episode", required=True, metavar="E202")
        parser.add_argument("--season", metavar="S02", help="the episode's own, unless it is given")
        parser.add_argument(
            "--pictures",
            choices=intake.PICTURES,
            default="first",
            help="which of several pictures of one plan to take",
        )
        parser.add_argument("--json", action="store_true", help="print it as the API tells it")
        parser.add_argument(
            "--confirm", action="store_true", help="make its plans, with their panels and texts"
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.exists():
            raise CommandError(f"There is no file {file}.")
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
            draft = drafts.compare(of, reading_queue.proposed(of, read))
        if options["json"]:
            self._dump([documents.board(each, of) for each in draft.boards])
        else:
            self._boards(draft)
            self.stdout.write("Nothing is kept (--dry-run).")

    def _tell(self, made: StoryboardImport, options: dict[str, Any]) -> None:
        if options["json"]:
            self._dump(documents.whole(made)["boards"])
            return
        self._boards(drafts.draft(made))
        if made.state == ImportState.CONFIRMED:
            # PostgreSQL keeps no order of the keys.
            counts = ", ".join(f"{made.made[what]} {what}" for what in confirmation.COUNTED)
            self.stdout.write(f"Confirmed: {counts}.")
        else:
            self.stdout.write(f"Draft {made.public_id}: look it over in the admin, or --confirm.")

    def _boards(self, draft: Draft) -> None:
        for compared in draft.boards:
            board = compared.board
            told = "; ".join(doubt_messages.told(each)["detail"] for each in board.doubts)
            plan = f"{board.sequence_code}-{board.plan_code}" if board.is_selected else "left out"
            line = f"{board.label or board.position} → {plan} {board.style_code} {compared.change}"
            self.stdout.write(printable(f"{line}  {told}".rstrip()))
        for plan_gone in draft.gone:
            where = f"{plan_gone.sequence_id}-{plan_gone.plan}"
            self.stdout.write(printable(f"{plan_gone.label or '–'} → {where} gone"))
        for problem in draft.problems:
            self.stdout.write(printable(problem.detail))
        self.stdout.write(f"{counted(len(draft.boards), 'board')}, {draft.n_doubtful} doubtful.")

    def _dump(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))


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
    with safe_open.plain(file) as handle:
        while piece := handle.read(_PIECE_BYTES):
            yield piece
