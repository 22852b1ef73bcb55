"""Searching as supervisors write: a file's name, a part of one, a batch, a project."""

from collections.abc import Callable

from django.db.models import Q

from generation.models import Batch
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, UnversionedName


def in_plans(text: str, prefix: str = "") -> Q:
    """The condition on plans, which lie at `prefix` of the rows that are searched.

    All words must fit. A whole name of a file means its plan; else each piece of a word is told
    by the nomenclature's rules: `E202_SQ0010-0010`, `SQ0010-0010`, `SQ0010`, `0010`; what no rule
    knows is looked for in the project's name.
    """
    condition = Q()
    for word in text.split():
        condition &= _word(word, prefix)
    return condition


def in_runs(text: str) -> Q:
    """The same on plan runs, where a word may also be a batch's id."""
    condition = Q()
    for word in text.split():
        # Asked first: a condition with OR would have PostgreSQL read every run there ever was.
        batch = Batch.objects.filter(public_id=word).first()
        condition &= Q(batch=batch) if batch else _word(word, "plan__")
    return condition


def _word(word: str, prefix: str) -> Q:
    for parse in (FileName.parse, UnversionedName.parse):
        try:
            name = parse(word)
        except NomenclatureError:
            continue
        return _at(prefix, name.episode, name.sequence_id, name.plan)
    condition = Q()
    for piece in word.replace("-", "_").split("_") if _is_a_place(word) else [word]:
        condition &= _piece(piece, prefix)
    return condition


def _is_a_place(word: str) -> bool:
    pieces = word.replace("-", "_").split("_")
    return all(any(_passes(check, piece) for check, _ in _PIECES) for piece in pieces)


def _at(prefix: str, episode: str, sequence: str, plan: str) -> Q:
    return Q(
        **{
            f"{prefix}code": plan,
            f"{prefix}sequence__code": sequence,
            f"{prefix}sequence__episode__code": episode,
        }
    )


_PIECES: tuple[tuple[Callable[[object], object], str], ...] = (
    (rules.check_plan, "code"),
    (rules.check_sequence_id, "sequence__code"),
    (rules.check_episode, "sequence__episode__code"),
    (rules.check_season, "sequence__episode__season"),
)


def _piece(piece: str, prefix: str) -> Q:
    for check, lookup in _PIECES:
        if _passes(check, piece):
            return Q(**{f"{prefix}{lookup}": piece})
    return Q(**{f"{prefix}sequence__episode__project__code__icontains": piece})


def _passes(check: Callable[[object], object], piece: str) -> bool:
    try:
        check(piece)
    except NomenclatureError:
        return False
    return True
