"""Contact sheets: pictures with plan, version, state and comment, on paper; drawn by a child."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from django.utils import formats, timezone

from generation import storage, thumbnails
from generation.errors import Busy, MadseaError, NotFound, Refusal
from generation.states import ReviewState
from review.selectors import reviews
from review.selectors.light_table import Tile
from review.selectors.state_words import FILTERS, NONE, WORDS
from review.services.exports import Selection
from review.sheets.job import PAGES, Cell, SheetJob
from wording import say, say_n

#: By pictures on a page: how many plans a sheet may have. A large picture takes its child 15 ms.
CELLS_MAX = {6: 600, 20: 2_000}
#: Waiting for its turn and drawn: less than a proxy waits for an answer.
WALL_S = 55.0
#: What the child runs.
MODULE = "review.sheets"
#: By pictures on a page: how wide the small pictures are that are drawn.
_WIDTHS_PX = {6: 1280, 20: 640}
_ROOT = Path(__file__).resolve().parents[2]
#: Of each state, where a picture has a frame.
_COLOURS: Mapping[str, str] = {
    ReviewState.TO_REVIEW: "#1d4ed8",
    ReviewState.APPROVED: "#15803d",
    ReviewState.RETAKE: "#b91c1c",
    ReviewState.SUPERSEDED: "#6b7280",
    NONE: "#9ca3af",
}
#: One child at a time draws for a web process; others wait.
_TURN = asyncio.Semaphore(1)


class NotDrawn(MadseaError):
    """The contact sheet could not be drawn."""

    code = "not_drawn"


def job(of: Selection, per_page: int) -> SheetJob:
    """Return what a contact sheet of a selection is to show, in the language of who asks.

    Raises:
        Refusal: so many pictures stand on no page, or it has too many plans.
        NotFound: the filter shows none.
    """
    if per_page not in PAGES:
        known = ", ".join(map(str, PAGES))
        detail = say("A page has one of {known} pictures.", known=known)
        raise Refusal(detail, code="invalid", attr="per_page")
    if not of.tiles:
        raise NotFound(say("No plan fits this filter."), code="no_plans")
    if len(of.tiles) > CELLS_MAX[per_page]:
        detail = say(
            "{n:,} plans are more than a contact sheet has: {most:,}. Choose one sequence.",
            n=len(of.tiles),
            most=CELLS_MAX[per_page],
        )
        raise Refusal(detail, code="too_many_plans")
    return _job(of, per_page)


def _job(of: Selection, per_page: int) -> SheetJob:
    ids = of.version_ids
    hashes = {version.pk: version.sha256 for version in of.versions()}
    said = reviews.last_comments(ids)
    n_plans = str(say_n("{n} plan", "{n} plans", len(of.tiles)))
    now = formats.date_format(timezone.localtime(), "SHORT_DATETIME_FORMAT")
    place = " · ".join(part for part in (of.episode.code, of.asked.sequence) if part)

    def cell(tile: Tile) -> Cell:
        version_id = tile.picture.id if tile.picture else 0
        return Cell(
            name=" · ".join(part for part in (f"{tile.sequence}-{tile.code}", tile.label) if part),
            version=f"v{tile.picture.number:04d}" if tile.picture else "",
            state=str(WORDS[tile.state]),
            colour=_COLOURS[tile.state],
            comment=said.get(version_id, ""),
            picture=_picture(hashes.get(version_id, ""), _WIDTHS_PX[per_page]),
        )

    return SheetJob(
        title=f"{place} — {of.episode.project.code}",
        subtitle=" · ".join([str(FILTERS[of.asked.show]), n_plans, now]),
        page=str(say("page {page} of {pages}", page="{page}", pages="{pages}")),
        no_picture=str(say("no picture")),
        root=str(storage.root()),
        per_page=per_page,
        cells=[cell(tile) for tile in of.tiles],
    )


def _picture(sha256: str, width_px: int) -> str:
    if not sha256:
        return ""
    return f"{storage.DERIVED}/{thumbnails.folder(sha256)}/{thumbnails.name(sha256, width_px)}"


async def draw(of: SheetJob) -> bytes:
    """Return a contact sheet as PDF, drawn by a child with limits of memory and time.

    Raises:
        Busy: others are drawn for so long already.
        NotDrawn: the child has ended without it.
    """
    try:
        async with asyncio.timeout(WALL_S), _TURN:
            return await _drawn(of)
    except TimeoutError:
        raise Busy(say("Too many contact sheets are drawn just now: try again later.")) from None


async def _drawn(of: SheetJob) -> bytes:
    # Nothing else of our environment: it holds secrets.
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        stdin=PIPE,
        stdout=PIPE,
        cwd=_ROOT,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        return await _answer(child, json.dumps(asdict(of)).encode() + b"\n")
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _answer(child: Process, line: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise NotDrawn
    with suppress(BrokenPipeError, ConnectionResetError):
        # The pipe stays open: its end tells the child that nobody waits any more.
        child.stdin.write(line)
        await child.stdin.drain()
    content = await child.stdout.read()
    if await child.wait():
        raise NotDrawn
    return content
