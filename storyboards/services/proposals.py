"""What the boards of a draft are proposed as: plans that exist, and new ones with their numbers."""

from collections.abc import Collection, Sequence

from generation.models import Style
from storyboards.models import Convention, DraftBoard, StoryboardImport
from storyboards.selectors import known_plans
from storyboards.selectors.known_plans import KnownPlan
from storyboards.services import matching, numbering
from storyboards.services.matching import ToMatch
from storyboards.services.numbering import Place, ReadingConvention, ToPlace


def habit_of(project_code: str) -> ReadingConvention:
    """Return how a project's storyboards tell styles and sequences."""
    own = Convention.objects.filter(project__code=project_code).first() or Convention()
    return ReadingConvention(
        style_words={str(word): str(style) for word, style in dict(own.style_words).items()},
        default_style=own.default_style,
        is_by_shot=own.sequences_by == Convention.SequencesBy.SHOT,
    )


def propose(
    of: StoryboardImport, boards: Sequence[DraftBoard], scenes: Collection[int] = ()
) -> None:
    """Fill in what each board of a storyboard that has just been read is proposed as.

    `scenes` are the places in `boards` at which its file says that a scene begins.

    Raises:
        NoNumberLeft: it has more sequences or plans than there are numbers.
    """
    known = known_plans.of_episode(of.project_code, of.episode_code)
    matched = matching.match([_to_match(board) for board in boards], known)
    wanted = [
        _to_place(board, matched.get(at), begins_scene=at in scenes)
        for at, board in enumerate(boards)
    ]
    proposed = numbering.propose(wanted, habit_of(of.project_code), places(known))
    usable = usable_styles()
    for at, (board, proposal) in enumerate(zip(boards, proposed, strict=True)):
        board.sequence_code = proposal.sequence_id
        board.plan_code = proposal.plan
        board.style_code = proposal.style if proposal.style in usable else ""
        board.is_selected = _is_wanted(board, matched.get(at))


def usable_styles() -> dict[str, str]:
    """Return the styles that a plan can have, by their codes, with their labels."""
    return dict(Style.objects.filter(is_active=True).values_list("code", "label"))


def places(known: Sequence[KnownPlan]) -> list[Place]:
    """Return the numbers that an episode's plans have."""
    return [Place(plan.sequence_id, plan.plan) for plan in known]


def _is_wanted(board: DraftBoard, known: KnownPlan | None) -> bool:
    if known is not None:
        return bool(board.picture_sha256)
    return bool(board.picture_sha256) and not board.is_blank


def _to_match(board: DraftBoard) -> ToMatch:
    return ToMatch(
        board.uid,
        board.label,
        board.dialogue,
        board.action,
        board.picture_sha256,
        _named_place(board),
    )


def _named_place(board: DraftBoard) -> tuple[str, str] | None:
    """Return the sequence and the plan that a board's file names, before it is proposed as any."""
    named = board.sequence_code, board.plan_code
    return named if all(named) else None


def _to_place(board: DraftBoard, known: KnownPlan | None, *, begins_scene: bool) -> ToPlace:
    return ToPlace(
        label=board.label,
        action=board.action,
        is_blank=board.is_blank or not board.picture_sha256,
        place=_place(board, known),
        style=known.style if known else "",
        begins_scene=begins_scene,
    )


def _place(board: DraftBoard, known: KnownPlan | None) -> Place | None:
    """Return the plan that a board is: the one that it was matched with, or that its file names."""
    if known is not None:
        return Place(known.sequence_id, known.plan)
    named = _named_place(board)
    return Place(*named) if named else None
