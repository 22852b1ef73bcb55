"""Imports and their boards as they are told to clients and by the command."""

from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from generation import signed_urls
from generation.errors import Problem
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.selectors import doubt_messages, drafts
from storyboards.selectors.doubt_messages import DoubtDocument
from storyboards.selectors.drafts import Compared, Draft
from storyboards.selectors.known_plans import KnownPlan

#: What a picture's address is signed for, and what it begins with.
PICTURES = "madsea.storyboards"
PREFIX = "/api/storyboard_pictures/"


class PictureDocument(TypedDict):
    """A board's picture; the addresses are signed, for MADSEA_FILE_LINK_S."""

    sha256: str
    width: int
    height: int
    url: str
    thumbnail_url: str


class BoardDocument(TypedDict):
    """A board: what was read, what is proposed, and what it would do to which plan."""

    position: int
    page: int | None
    label: str
    uid: str
    start_ms: int | None
    duration_ms: int | None
    dialogue: str
    action: str
    notes: str
    picture: PictureDocument | None
    is_blank: bool
    doubts: list[DoubtDocument]
    checked: bool
    sequence_id: str
    begins_sequence: bool
    plan: str
    style: str
    selected: bool
    change: str
    changes: list[str]
    in_render: bool
    approved: bool


class GonePlan(TypedDict):
    """A plan of an earlier storyboard that no board is for: it is omitted."""

    sequence_id: str
    plan: str
    label: str
    in_render: bool
    approved: bool


class ProblemDocument(TypedDict):
    """What keeps a draft from being confirmed; `attr` is `boards`, the position and the field."""

    attr: str
    code: str
    detail: str


class FailureDocument(TypedDict):
    """Why a file cannot be read."""

    code: str
    detail: str
    data: dict[str, Any]


class ImportDocument(TypedDict):
    """A storyboard in a list, and how far it is."""

    id: str
    state: str
    progress: int
    error: FailureDocument | None
    project_id: str
    season: str
    episode: str
    file_name: str
    sha256: str
    revision: int
    created_at: str
    created_by: str | None
    confirmed_at: str | None
    confirmed_by: str | None
    made: dict[str, int]


class StoryboardDocument(ImportDocument):
    """A storyboard with its boards."""

    kind: str
    title: str
    doubts: list[DoubtDocument]
    counts: dict[str, int]
    problems: list[ProblemDocument]
    boards: list[BoardDocument]
    gone: list[GonePlan]


def listed(of: StoryboardImport) -> ImportDocument:
    """Return an import without its boards."""
    return {
        "id": of.public_id,
        "state": of.state,
        "progress": of.progress_pct,
        "error": _failure(of.error),
        "project_id": of.project_code,
        "season": of.season,
        "episode": of.episode_code,
        "file_name": of.file_name,
        "sha256": of.sha256,
        "revision": of.revision,
        "created_at": of.created_at.isoformat(),
        "created_by": of.created_by.get_username() if of.created_by else None,
        "confirmed_at": of.confirmed_at.isoformat() if of.confirmed_at else None,
        "confirmed_by": of.confirmed_by.get_username() if of.confirmed_by else None,
        "made": dict(of.made),
    }


def import_with_boards(
    of: StoryboardImport, *, origin: str = "", positions: Collection[int] | None = None
) -> StoryboardDocument:
    """Return an import with its boards, held against the episode's plans while it is a draft.

    `positions`: the boards that are told; None: all of them. What else is told is of them all.
    """
    return draft_with_boards(drafts.draft(of), origin=origin, positions=positions)


def draft_with_boards(
    draft: Draft, *, origin: str = "", positions: Collection[int] | None = None
) -> StoryboardDocument:
    """Return an import that was held against the episode's plans; see `import_with_boards`."""
    of = draft.of
    shown = draft.boards
    if positions is not None:
        shown = [each for each in shown if each.board.position in positions]
    return {
        **listed(of),
        "kind": of.kind,
        "title": of.title,
        "doubts": [doubt_messages.doubt_in_words(doubt) for doubt in of.doubts],
        "counts": dict(drafts.counts(draft)),
        "problems": [_problem(problem) for problem in draft.problems],
        "boards": [board(each, of, origin=origin) for each in shown],
        "gone": [_gone(plan) for plan in draft.gone],
    }


def board(compared: Compared, of: StoryboardImport, *, origin: str = "") -> BoardDocument:
    """Return a board."""
    row = compared.board
    return {
        "position": row.position,
        "page": row.page,
        "label": row.label,
        "uid": row.uid,
        "start_ms": row.start_ms,
        "duration_ms": row.duration_ms,
        "dialogue": row.dialogue,
        "action": row.action,
        "notes": row.notes,
        "picture": _picture(row, of, origin),
        "is_blank": row.is_blank,
        "doubts": [doubt_messages.doubt_in_words(doubt) for doubt in row.doubts],
        "checked": row.is_checked,
        "sequence_id": row.sequence_code,
        "begins_sequence": compared.begins_sequence,
        "plan": row.plan_code,
        "style": row.style_code,
        "selected": row.is_selected,
        "change": compared.change.value,
        "changes": list(compared.changes),
        "in_render": compared.known is not None and compared.known.is_in_render,
        "approved": compared.known is not None and compared.known.is_approved,
    }


def _picture(row: DraftBoard, of: StoryboardImport, origin: str) -> PictureDocument | None:
    if not row.picture_sha256:
        return None
    return {
        "sha256": row.picture_sha256,
        "width": row.width_px or 0,
        "height": row.height_px or 0,
        "url": origin + picture_url(of, row),
        "thumbnail_url": origin + picture_url(of, row, width_px=signed_urls.THUMBNAIL_PX),
    }


def picture_url(of: StoryboardImport, row: DraftBoard, *, width_px: int = 0) -> str:
    """Return the signed address of a board's picture; `width_px` 0: as it came."""
    signed = signed_urls.signed(f"{of.public_id}.{row.picture_name}.{width_px}", PICTURES)
    return signed_urls.address(f"{PREFIX}{signed}")


def _failure(error: Mapping[str, Any] | None) -> FailureDocument | None:
    if error is None:
        return None
    return {"code": error["code"], "detail": error["detail"], "data": dict(error["data"])}


def _problem(problem: Problem) -> ProblemDocument:
    return {"attr": problem.attr, "code": problem.code, "detail": problem.detail}


def _gone(plan: KnownPlan) -> GonePlan:
    return {
        "sequence_id": plan.sequence_id,
        "plan": plan.plan,
        "label": plan.label,
        "in_render": plan.is_in_render,
        "approved": plan.is_approved,
    }
