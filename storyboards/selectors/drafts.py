"""An import with its boards as it stands to the episode now: what would be added, changed, gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from generation.errors import NotFound, Problem
from generation.models import Style
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.selectors import known_plans
from storyboards.selectors.known_plans import KnownPlan
from storyboards.selectors.order_diff import moved
from storyboards.states import Change
from wording import say

#: What of a plan a board would change: its picture, its texts, its place in the order.
PICTURE, TEXTS, ORDER = "picture", "texts", "order"


@dataclass(frozen=True)
class Compared:
    """A board, and what it would do to which plan; None as plan: it is new, or none is meant."""

    board: DraftBoard
    change: Change
    changes: tuple[str, ...] = ()
    known: KnownPlan | None = None
    begins_sequence: bool = False  #: the board above is of another, or there is none


@dataclass(frozen=True)
class Draft:
    """All of an import; `gone` are plans of earlier storyboards that no board is for."""

    of: StoryboardImport
    boards: Sequence[Compared] = ()
    gone: Sequence[KnownPlan] = ()
    problems: Sequence[Problem] = field(default=())

    @property
    def n_doubtful(self) -> int:
        """How many boards have doubts that nobody has looked at."""
        return sum(1 for board in self.boards if is_doubtful(board.board))

    def count(self, change: Change) -> int:
        """Return how many boards would do this."""
        return sum(1 for board in self.boards if board.change is change)


def is_doubtful(board: DraftBoard) -> bool:
    """Tell whether a board has doubts that nobody has looked at."""
    return bool(board.doubts) and not board.is_checked


def find(public_id: str) -> StoryboardImport:
    """Return an import.

    Raises:
        NotFound: there is none of this id.
    """
    rows = StoryboardImport.objects.select_related("created_by", "confirmed_by")
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise NotFound(
            say("There is no storyboard {public_id!r:.40}.", public_id=public_id),
            code="unknown_storyboard",
        )
    return row


def draft(of: StoryboardImport) -> Draft:
    """Return an import with its boards; a draft is held against the episode's plans."""
    boards = list(of.boards.order_by("position"))
    if not of.is_draft:
        return Draft(of, _with_boundaries([_as_confirmed(board) for board in boards]))
    return compare(of, boards)


def compare(of: StoryboardImport, boards: Sequence[DraftBoard]) -> Draft:
    """Return boards, stored or not, as they stand to the episode's plans."""
    known = known_plans.of_episode(of.project_code, of.episode_code)
    compared = _with_boundaries(_compared(boards, known))
    meant = {board.known.plan_id for board in compared if board.known}
    gone = [
        plan
        for plan in known
        if plan.is_of_storyboard and not plan.is_omitted and plan.plan_id not in meant
    ]
    return Draft(of, compared, gone, problems(boards))


def _with_boundaries(compared: Sequence[Compared]) -> list[Compared]:
    codes = [each.board.sequence_code for each in compared]
    return [
        replace(each, begins_sequence=above != code)
        for each, above, code in zip(compared, [None, *codes], codes, strict=False)
    ]


def _as_confirmed(board: DraftBoard) -> Compared:
    return Compared(board, Change.SAME if board.is_selected else Change.LEFT_OUT)


def _compared(boards: Sequence[DraftBoard], known: Sequence[KnownPlan]) -> list[Compared]:
    by_place = {(plan.sequence_id, plan.plan): plan for plan in known}
    rank = {plan.plan_id: at for at, plan in enumerate(known)}
    plans = [by_place.get((board.sequence_code, board.plan_code)) for board in boards]
    # A plan that two boards name is a problem of its own.
    standing = list(dict.fromkeys(plan.plan_id for plan in plans if plan and plan.position))
    elsewhere = moved([rank[plan_id] for plan_id in standing])
    out = {standing[at] for at in elsewhere}
    return [_one(board, plan, out) for board, plan in zip(boards, plans, strict=True)]


def _one(board: DraftBoard, plan: KnownPlan | None, out_of_order: set[int]) -> Compared:
    if not board.is_selected:
        return Compared(board, Change.LEFT_OUT, known=plan)
    if plan is None:
        return Compared(board, Change.ADDED)
    changes = (
        *([PICTURE] if board.picture_sha256 != plan.panel_sha256 else []),
        *([TEXTS] if _texts_differ(board, plan) else []),
        *([ORDER] if plan.plan_id in out_of_order else []),
    )
    if PICTURE in changes or TEXTS in changes:
        return Compared(board, Change.CHANGED, changes, plan)
    return Compared(board, Change.MOVED if changes else Change.SAME, changes, plan)


def _texts_differ(board: DraftBoard, plan: KnownPlan) -> bool:
    """Tell whether a text is another; one that the storyboard does not tell stays as it is."""
    pairs = (
        (board.dialogue, plan.dialogue),
        (board.action, plan.action),
        (board.notes, plan.notes),
    )
    return any(new and new.split() != old.split() for new, old in pairs)


def problems(boards: Sequence[DraftBoard]) -> list[Problem]:
    """Return why a draft cannot be confirmed, each reason at its place: `boards.3.plan`."""
    styles = set(Style.objects.filter(is_active=True).values_list("code", flat=True))
    first: dict[tuple[str, str], DraftBoard] = {}
    found: list[Problem] = []
    for board in boards:
        if board.is_selected:
            found += _problems_of(board, first, styles)
    if boards and not any(board.is_selected for board in boards):
        found.append(Problem("boards", "none_selected", say("No board is selected: select one.")))
    return found


def _problems_of(
    board: DraftBoard, first: dict[tuple[str, str], DraftBoard], styles: set[str]
) -> list[Problem]:
    at, name = f"boards.{board.position}", say("Board {board}", board=board)
    found: list[Problem] = []
    if not board.picture_sha256:
        found.append(
            Problem(f"{at}.picture", "no_picture", say("{name} has no picture.", name=name))
        )
    if not board.sequence_code:
        found.append(
            Problem(f"{at}.sequence_id", "required", say("{name} has no sequence.", name=name))
        )
    if not board.plan_code:
        found.append(
            Problem(f"{at}.plan", "required", say("{name} has no plan number.", name=name))
        )
    if board.style_code and board.style_code not in styles:
        detail = say(
            "{name} has the style {style!r}, which there is not.",
            name=name,
            style=board.style_code,
        )
        found.append(Problem(f"{at}.style", "unknown_style", detail))
    place = board.sequence_code, board.plan_code
    if all(place) and (other := first.setdefault(place, board)) is not board:
        detail = say(
            "{name} has the plan {place}, which board {other} has too.",
            name=name,
            place="-".join(place),
            other=other,
        )
        found.append(Problem(f"{at}.plan", "duplicate_plan", detail))
    return found


def counts(of: Draft) -> Mapping[str, int]:
    """Return how many boards an import has, by what they would do."""
    return {
        "boards": len(of.boards),
        "selected": sum(1 for board in of.boards if board.board.is_selected),
        "doubtful": of.n_doubtful,
        **{change.value: of.count(change) for change in Change if of.of.is_draft},
        "gone": len(of.gone),
    }
