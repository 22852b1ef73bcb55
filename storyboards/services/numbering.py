"""How boards become numbered plans: styles by their words, sequences, plans in steps of ten. Pure.

What exists already keeps its number. A new board between two plans gets a number between theirs,
and the next free one of the sequence where there is none: the order comes from the position.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

STEP = 10
LAST = 9999

_SHOT = re.compile(r"\d+")


class NoNumberLeft(Exception):
    """There is no free number: an episode of sequences, or a sequence of plans, is full."""


@dataclass(frozen=True)
class ReadingConvention:
    """How a project's storyboards tell styles and sequences."""

    style_words: Mapping[str, str]  #: the word at the head of the action, and the style it means
    default_style: str
    is_by_shot: bool = False


@dataclass(frozen=True)
class Place:
    """The plan that a board is for: `SQ0010`, `0010`; empty where it is for none."""

    sequence_id: str
    plan: str


@dataclass(frozen=True)
class ToPlace:
    """A board as numbering sees it."""

    label: str
    action: str
    is_blank: bool = False
    place: Place | None = None  #: the plan that it is already, which it stays
    style: str = ""  #: the style that it is known to have
    begins: bool | None = None  #: whether a person wants a sequence to begin here; None: not said
    begins_scene: bool = False  #: its file says that a scene begins here


@dataclass(frozen=True)
class Proposal:
    """What a board is proposed as."""

    sequence_id: str
    plan: str
    style: str
    is_selected: bool


@dataclass
class _Numbers:
    """The numbers that are taken: sequences, and the plans of each."""

    plans: dict[int, set[int]] = field(default_factory=dict)

    def take(self, sequence: int, plan: int) -> None:
        self.plans.setdefault(sequence, set()).add(plan)


def propose(
    boards: Sequence[ToPlace], habit: ReadingConvention, taken: Iterable[Place] = ()
) -> list[Proposal]:
    """Return what each board is proposed as; `taken` are plans that exist, of whatever origin.

    Raises:
        NoNumberLeft: more sequences or plans than numbers.
    """
    numbers = _Numbers()
    for place in [*taken, *(board.place for board in boards if board.place)]:
        numbers.take(_sequence(place), int(place.plan))
    styles = _styles(boards, habit)
    sequences = _sequences(boards, styles, habit, numbers)
    plans = _plans(boards, sequences, numbers)
    return [
        Proposal(f"SQ{sequence:04d}", f"{plan:04d}" if plan else "", style, not board.is_blank)
        for board, sequence, plan, style in zip(boards, sequences, plans, styles, strict=True)
    ]


def style_of(action: str, habit: ReadingConvention) -> str:
    """Return the style that an action tells by its first word; none where it tells nothing."""
    head = action.lstrip(' \t\r\n-–—.:[(«"').casefold()
    if not head:
        return ""
    for word, style in habit.style_words.items():
        if re.match(rf"{re.escape(word.casefold())}(?!\w)", head):
            return style
    return habit.default_style


def _styles(boards: Sequence[ToPlace], habit: ReadingConvention) -> list[str]:
    """Return each board's style; one that tells nothing has that of the board before it."""
    told = [board.style or style_of(board.action, habit) for board in boards]
    last = next((style for style in told if style), habit.default_style)
    styles: list[str] = []
    for style in told:
        last = style or last
        styles.append(last)
    return styles


def _sequence(place: Place) -> int:
    return int(place.sequence_id.removeprefix("SQ"))


def _sequences(
    boards: Sequence[ToPlace], styles: Sequence[str], habit: ReadingConvention, numbers: _Numbers
) -> list[int]:
    """Return each board's sequence: its plan's own, the one above or below it, or a new one."""
    found: list[int] = []
    for at, board in enumerate(boards):
        if board.place:
            found.append(_sequence(board.place))
        elif found and not _is_boundary(boards, styles, habit, at):
            found.append(found[-1])
        else:
            found.append(_other_sequence(boards, styles, habit, at, found, numbers))
        numbers.plans.setdefault(found[-1], set())
    return found


def _is_boundary(
    boards: Sequence[ToPlace], styles: Sequence[str], habit: ReadingConvention, at: int
) -> bool:
    """Tell whether a sequence ends above a board."""
    board = boards[at]
    if board.begins is not None:
        return board.begins
    if board.begins_scene:
        return True
    if habit.is_by_shot:
        return _shot(board.label) != _shot(boards[at - 1].label)
    return styles[at] != styles[at - 1]


def _shot(label: str) -> str:
    digits = _SHOT.match(label)
    return digits[0].lstrip("0") if digits else ""


def _other_sequence(
    boards: Sequence[ToPlace],
    styles: Sequence[str],
    habit: ReadingConvention,
    at: int,
    above: Sequence[int],
    numbers: _Numbers,
) -> int:
    """Return the sequence of the next plan that exists, if no boundary is between, or a new one."""
    below = next((n for n in range(at + 1, len(boards)) if boards[n].place), None)
    place = boards[below].place if below is not None else None
    if below is not None and place is not None and boards[at].begins is None:
        between = range(at + 1, below + 1)
        if not any(_is_boundary(boards, styles, habit, n) for n in between):
            return _sequence(place)
    return _new_sequence(above[-1] if above else 0, _sequence(place) if place else None, numbers)


def _new_sequence(above: int, below: int | None, numbers: _Numbers) -> int:
    if below is not None and below > above:
        free = [n for n in range(above + 1, below) if n not in numbers.plans]
        if free:
            return _roundest(free)
    return _next_free(max(numbers.plans, default=0), numbers.plans)


def _roundest(free: Sequence[int]) -> int:
    """Return the number that reads best: a ten, else a five, nearest the middle."""
    middle = (free[0] + free[-1]) / 2
    return min(free, key=lambda n: (n % 10 != 0, n % 5 != 0, abs(n - middle), n))


def _next_free(last: int, taken: Iterable[int]) -> int:
    """Return the next number in steps of ten; the highest free one where these have run out."""
    number = last // STEP * STEP + STEP
    if number <= LAST:
        return number
    known = set(taken)
    free = next((n for n in range(LAST, 0, -1) if n not in known), None)
    if free is None:
        raise NoNumberLeft
    return free


def _plans(boards: Sequence[ToPlace], sequences: Sequence[int], numbers: _Numbers) -> list[int]:
    """Return each board's plan; 0 for a blank board that is none."""
    found = [int(board.place.plan) if board.place else 0 for board in boards]
    for run in _runs(boards, sequences):
        for at, number in zip(run, _numbers_of(run, sequences, found, numbers), strict=True):
            found[at] = number
            numbers.take(sequences[at], number)
    return found


def _runs(boards: Sequence[ToPlace], sequences: Sequence[int]) -> list[list[int]]:
    """Return the boards that are to be numbered, those together that follow one another."""
    runs: list[list[int]] = []
    is_open = False
    for at, board in enumerate(boards):
        if at and sequences[at] != sequences[at - 1]:
            is_open = False
        if board.place:
            is_open = False
        elif not board.is_blank:
            if not is_open:
                runs.append([])
            runs[-1].append(at)
            is_open = True
    return runs


def _numbers_of(
    run: Sequence[int], sequences: Sequence[int], found: Sequence[int], numbers: _Numbers
) -> list[int]:
    sequence = sequences[run[0]]
    taken = numbers.plans.setdefault(sequence, set())
    same = [at for at, each in enumerate(sequences) if each == sequence and found[at]]
    before = max((found[at] for at in same if at < run[0]), default=0)
    after = min((found[at] for at in same if at > run[-1]), default=None)
    if after is not None and before < after:
        free = [n for n in range(before + 1, after) if n not in taken]
        if len(free) >= len(run):
            return _spread(free, len(run))
    return _following(taken, len(run))


def _spread(free: Sequence[int], n: int) -> list[int]:
    """Return so many of the free numbers, evenly apart, tens where they fit."""
    tens = [number for number in free if number % STEP == 0]
    if len(tens) >= n:
        return tens[:n]
    return [free[(at + 1) * (len(free) + 1) // (n + 1) - 1] for at in range(n)]


def _following(taken: set[int], n: int) -> list[int]:
    found: list[int] = []
    for _ in range(n):
        every = {*taken, *found}
        found.append(_next_free(max(every, default=0), every))
    return found
