"""Which board of a new storyboard is which plan that exists: by uid, picture, then texts. Pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from storyboards.selectors.known_plans import KnownPlan

#: Shorter texts stand on many boards.
_TELLING_CHARACTERS = 12


@dataclass(frozen=True)
class ToMatch:
    """A board as it is told apart from others."""

    uid: str
    label: str
    dialogue: str
    action: str
    picture_sha256: str
    place: tuple[str, str] | None = None  #: sequence and plan, where its file's name says them


#: What must be the same of both; empty: it says nothing.
_Key = Callable[[ToMatch | KnownPlan], Hashable]


def match(boards: Sequence[ToMatch], known: Sequence[KnownPlan]) -> dict[int, KnownPlan]:
    """Return the plan of each board that has one, by the board's place in `boards`.

    A uid stays with a board for life, so it counts before all else, and then what its file's name
    says. Of several boards with the same picture, or the same label and texts, the first is the
    first plan's, and so on.
    """
    matched: dict[int, KnownPlan] = {}
    for key in (_uid, _place, _picture, _label_and_texts, _long_texts):
        _pair(boards, known, key, matched)
    _between(boards, known, matched)
    return matched


def _uid(of: ToMatch | KnownPlan) -> Hashable:
    return of.uid


def _place(of: ToMatch | KnownPlan) -> Hashable:
    return (of.sequence_id, of.plan) if isinstance(of, KnownPlan) else of.place


def _picture(of: ToMatch | KnownPlan) -> Hashable:
    return of.panel_sha256 if isinstance(of, KnownPlan) else of.picture_sha256


def _label_and_texts(of: ToMatch | KnownPlan) -> Hashable:
    texts = _texts(of)
    return (of.label, texts) if of.label and any(texts) else ""


def _long_texts(of: ToMatch | KnownPlan) -> Hashable:
    texts = _texts(of)
    return texts if sum(map(len, texts)) >= _TELLING_CHARACTERS else ""


def _texts(of: ToMatch | KnownPlan) -> tuple[str, str]:
    return " ".join(of.dialogue.split()), " ".join(of.action.split())


def _pair(
    boards: Sequence[ToMatch], known: Sequence[KnownPlan], key: _Key, found: dict[int, KnownPlan]
) -> None:
    taken = {plan.plan_id for plan in found.values()}
    left: dict[Hashable, list[KnownPlan]] = defaultdict(list)
    for plan in known:
        if plan.plan_id not in taken and key(plan):
            left[key(plan)].append(plan)
    for at, board in enumerate(boards):
        if at not in found and key(board) and left[key(board)]:
            found[at] = left[key(board)].pop(0)


def _between(
    boards: Sequence[ToMatch], known: Sequence[KnownPlan], found: dict[int, KnownPlan]
) -> None:
    """Match what was drawn and written anew: the one board, and the one plan, between two others.

    They must have the same label, or the board would be another one in the plan's place.
    """
    place = {plan.plan_id: at for at, plan in enumerate(known)}
    taken = {plan.plan_id for plan in found.values()}
    for at, board in enumerate(boards):
        here = _place_after(at, place, found)
        if at in found or here is None or here >= len(known):
            continue
        plan = known[here]
        is_last = at + 1 == len(boards) and here + 1 == len(known)
        is_followed = at + 1 in found and place[found[at + 1].plan_id] == here + 1
        is_between = is_followed or is_last
        if is_between and plan.plan_id not in taken and _are_alike(board, plan):
            found[at] = plan
            taken.add(plan.plan_id)


def _place_after(at: int, place: Mapping[int, int], found: Mapping[int, KnownPlan]) -> int | None:
    """Return the place behind the plan of the board before; None where that has none."""
    if at == 0:
        return 0
    return place[found[at - 1].plan_id] + 1 if at - 1 in found else None


def _are_alike(board: ToMatch, plan: KnownPlan) -> bool:
    is_same_label = bool(board.label) and plan.label == board.label
    return is_same_label and not (plan.uid and board.uid)
