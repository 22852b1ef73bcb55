"""Reading what came in: one storyboard at a time on each machine, by a lease that is kept alive.

Whoever reads may be killed: the lease runs out, and the tick has it read again.
"""

import logging
from concurrent.futures import ThreadPoolExecutor, wait
from typing import cast

from django.db import transaction
from django.utils import timezone

from generation import storage
from generation.decoding.slots import alone_on_this_machine
from generation.errors import Busy, Fenced
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.models.storyboard_import import FOLDER
from storyboards.reading.child_launch import read_in_child
from storyboards.reading.kind_detection import Pictures
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Board, Doubt, Storyboard, UnreadableStoryboard
from storyboards.services import background_reader, intake, proposals, transitions
from storyboards.services.numbering import NoNumberLeft
from storyboards.states import ImportState
from wording import say, words_of

logger = logging.getLogger(__name__)

BEAT_S = 2.0
PICTURES = "pictures"
#: A folder without a row is somebody's who is just taking a file in, or was cut off.
ORPHAN_S = 3600
#: After these the same file may be read the next time.
PASSING = frozenset({"reader_ended", "io"})


def step() -> None:
    """Have read what waits, and remove folders that no import has: a step of the tick."""
    if StoryboardImport.objects.waiting(timezone.now()).exists():
        background_reader.start()
    remove_orphans()


def read_waiting() -> int:
    """Read what waits, one after another; return how many: none where another reads here."""
    n_read = 0
    try:
        with alone_on_this_machine(background_reader.lock(), wait_s=0):
            while (found := transitions.claim_next()) is not None:
                read(found)
                n_read += 1
    except Busy:
        logger.info("Another process reads storyboards on this machine.")
    return n_read


def read_now(of: StoryboardImport, *, wait_s: float) -> StoryboardImport:
    """Read one storyboard at once, when this machine is free; return it as it is then.

    Raises:
        Busy: others read on this machine all the time, or another machine reads it.
    """
    with alone_on_this_machine(background_reader.lock(), wait_s=wait_s):
        if of.state == ImportState.READING:
            if not transitions.claim(of):
                raise Busy
            read(of)
    return StoryboardImport.objects.get(pk=of.pk)


def read(of: StoryboardImport) -> None:
    """Read a storyboard whose lease is ours: it becomes a draft, or failed, or waits again."""
    try:
        keep(of, _boards(of))
    except UnreadableStoryboard as error:
        if error.code in PASSING:
            transitions.release(of, of.lease_token)
            return
        transitions.fail(of, {"code": error.code, "detail": words_of(error), "data": error.data})
    except NoNumberLeft:
        detail = say("It has more sequences or plans than there are numbers.")
        transitions.fail(of, {"code": "no_number_left", "detail": detail, "data": {}})
    except Fenced:
        logger.info("Storyboard %s was deleted, or is read elsewhere by now.", of.public_id)


def picture_file(of: StoryboardImport, name: str) -> str:
    """Return the path of a picture of an import, relative to the projects root."""
    return f"{of.folder}/{PICTURES}/{name}"


def _boards(of: StoryboardImport) -> Storyboard:
    """Read the file in a child; the lease is kept meanwhile.

    Raises:
        UnreadableStoryboard: the file is refused, or its reader has ended.
        Fenced: the import was deleted, or is read elsewhere by now.
    """
    folder = storage.absolute(of.folder)
    progress = _Progress()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(
            read_in_child,
            folder / intake.SOURCE,
            folder / PICTURES,
            limits=ReadingLimits(),
            pictures=cast(Pictures, of.pictures),
            on_progress=progress.note,
        )
        try:
            while not wait([reading], timeout=BEAT_S).done:
                transitions.beat(of, of.lease_token, progress_pct=progress.pct)
        except BaseException:
            progress.is_wanted = False
            raise
        return reading.result()


class _Progress:
    """How far the child is, as its thread notes it; raises there once nobody waits any more."""

    def __init__(self) -> None:
        self.pct = 0
        self.is_wanted = True

    def note(self, done: int, whole: int) -> None:
        if not self.is_wanted:
            raise Fenced
        self.pct = min(99, 100 * done // max(1, whole))


def proposed_boards(of: StoryboardImport, storyboard: Storyboard) -> list[DraftBoard]:
    """Return the boards of a storyboard with what they are proposed as, not stored.

    Raises:
        NoNumberLeft: it has more sequences or plans than there are numbers.
    """
    rows = [_row(of, board) for board in storyboard.boards]
    scenes = {at for at, board in enumerate(storyboard.boards) if board.begins_scene}
    proposals.propose(of, rows, scenes)
    return rows


def keep(of: StoryboardImport, storyboard: Storyboard) -> None:
    """Make a draft of a storyboard that was read by its lease.

    Raises:
        Fenced: it was deleted, or is read elsewhere by now.
        NoNumberLeft: it has more sequences or plans than there are numbers.
    """
    rows = proposed_boards(of, storyboard)
    with transaction.atomic():
        transitions.finish_reading(
            of,
            of.lease_token,
            kind=storyboard.kind[:16],
            title=storyboard.title[:255],
            doubts=[_doubt(doubt) for doubt in storyboard.doubts],
        )
        DraftBoard.objects.bulk_create(rows, batch_size=500)


def _row(of: StoryboardImport, board: Board) -> DraftBoard:
    picture = board.picture
    return DraftBoard(
        of=of,
        position=board.position,
        page=board.page,
        label=board.label[:64],
        uid=board.uid[:64],
        start_ms=board.start_ms,
        duration_ms=board.duration_ms,
        dialogue=board.dialogue,
        action=board.action,
        notes=board.notes,
        picture_sha256=picture.sha256 if picture else "",
        picture_suffix=picture.suffix if picture else "",
        width_px=picture.width if picture else None,
        height_px=picture.height if picture else None,
        is_blank=board.is_blank,
        doubts=[_doubt(doubt) for doubt in board.doubts],
        sequence_code=board.sequence_id,
        plan_code=board.plan,
    )


def _doubt(doubt: Doubt) -> dict[str, object]:
    return {"code": doubt.code, "data": dict(doubt.data)}


def remove_orphans() -> int:
    """Remove the folders that no import has and that nobody fills any more; return how many."""
    now_s = timezone.now().timestamp()
    old = {name for name, at in storage.names_in(FOLDER).items() if at < now_s - ORPHAN_S}
    if not old:
        return 0
    known = StoryboardImport.objects.filter(public_id__in=old).values_list("public_id", flat=True)
    orphans = old - set(known)
    for name in orphans:
        storage.remove_tree(f"{FOLDER}/{name}")
    return len(orphans)
