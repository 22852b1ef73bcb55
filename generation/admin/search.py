"""Searching as supervisors write: a file's name, a part of one, a batch, a project, a word."""

import json
import string
from collections.abc import Callable

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IContains

from generation.events import EVENTS
from generation.models import Batch, LogEntry, PlanRun, Project
from generation.selectors import production
from generation.states import RunState
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, UnversionedName


def in_plans(text: str, prefix: str = "") -> Q:
    """The condition on plans, which lie at `prefix` of the rows that are searched.

    All words must fit. A whole name of a file means its plan; else each piece of a word is told
    by the nomenclature's rules: `E202_SQ0010-0010`, `SQ0010-0010`, `SQ0010`, `0010`; what no rule
    knows is looked for in the project's name, and of plans in their texts.
    """
    condition = Q()
    for word in text.split():
        # The texts of plans alone: of all versions there ever were it would take too long.
        is_of_texts = not (prefix or _parsed(word) or _is_a_place(word))
        condition &= _word(word, prefix) | (production.word_condition(word) if is_of_texts else Q())
    return condition


def in_runs(text: str) -> Q:
    """The same on plan runs, where a word may also be a batch's id, or stand in an error."""
    condition = Q()
    for word in text.split():
        # Asked first: a condition with OR would have PostgreSQL read every run there ever was.
        batch = Batch.objects.filter(public_id=word).first()
        condition &= Q(batch=batch) if batch else _in_run(word)
    return condition


def _in_run(word: str) -> Q:
    if _parsed(word) or _is_a_place(word) or Project.objects.filter(code__icontains=word).exists():
        return _word(word, "plan__")
    in_error = Q(error_message__icontains=word) | Q(error_code=word)
    return Q(state=RunState.ERROR) & in_error


def in_batches(text: str) -> Q:
    """The condition on batches: all words must fit.

    A word is the beginning of an id, a part of the batch's name, a plan or a part of its name, a
    project, a style, or a user.
    """
    condition = Q()
    for word in text.split():
        condition &= _in_batch(word)
    return condition


def _in_batch(word: str) -> Q:
    if _parsed(word) or _is_a_place(word):
        batches = PlanRun.objects.filter(_word(word, "plan__")).values("batch")
        return Q(pk__in=batches) | Q(public_id=word)
    return (
        Q(public_id__istartswith=word)
        | Q(name__icontains=word)
        | Q(episode__project__code__icontains=word)
        | Q(style__label__icontains=word)
        | Q(style__code=word)
        | Q(requested_by__username__iexact=word)
    )


#: Among how many of the newest log entries words are looked for: the past grows for ever.
LOG_WORDS_AMONG = 100_000
NAMED_MAX = 50
#: Entries of a whole batch have no plan, but an episode.
_OF_LOG = {
    "code": "run__plan__code",
    "sequence__code": "run__plan__sequence__code",
    "sequence__episode__code": "batch__episode__code",
    "sequence__episode__season": "batch__episode__season",
}
_LITERALS = {
    code: "".join(literal for literal, *_ in string.Formatter().parse(event.sentence)).lower()
    for code, event in EVENTS.items()
}
_FIELDS = sorted(
    {
        name
        for event in EVENTS.values()
        for _, name, *_ in string.Formatter().parse(event.sentence)
        if name
    }
)


def in_log(text: str) -> Q:
    """The condition on log entries: all words must fit.

    A word is a batch's id, a file's name or a part of one, a project, an event's code, a level, or
    stands in the entry's sentence.
    """
    condition = Q()
    for word in text.split():
        condition &= _in_log(word)
    return condition


def _in_log(word: str) -> Q:
    batch = Batch.objects.filter(public_id=word).first()
    if batch:
        return Q(batch=batch)
    project = Project.objects.filter(code__iexact=word).first()
    if project:
        return Q(batch__episode__project=project)
    name = _parsed(word)
    if name is not None:
        return _at("run__plan__", name.episode, name.sequence_id, name.plan)
    if _is_a_place(word):
        return Q(*((_OF_LOG[_lookup(piece)], piece) for piece in _pieces(word)))
    return _said(word)


def _said(word: str) -> Q:
    """The condition that a word stands in an entry's sentence, or names who or what it is about."""
    newest = LogEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    lowered = word.lower()
    batches = Batch.objects.filter(public_id__istartswith=word).values_list("pk", flat=True)
    projects = Project.objects.filter(code__icontains=word).values_list("pk", flat=True)
    said = (
        Q(event__in=[code for code, text in _LITERALS.items() if lowered in text or code == word])
        | Q(level=lowered)
        | Q(actor__username__iexact=word)
        | Q(batch__in=list(batches[:NAMED_MAX]))
        | Q(batch__episode__project__in=list(projects[:NAMED_MAX]))
        | _in_data(word)
    )
    return Q(pk__gt=newest - LOG_WORDS_AMONG) & said


def _in_data(word: str) -> Q:
    """The condition that a field of an entry's data holds a word.

    The text of the whole, which costs little, is asked first: as it is, and as JSON escapes it.
    """
    whole = Cast("data", TextField())
    anywhere = Q(IContains(whole, word)) | Q(IContains(whole, json.dumps(word)[1:-1]))
    fields = Q()
    for name in _FIELDS:
        fields |= Q(**{f"data__{name}__icontains": word})
    return anywhere & fields


def _word(word: str, prefix: str) -> Q:
    name = _parsed(word)
    if name is not None:
        return _at(prefix, name.episode, name.sequence_id, name.plan)
    condition = Q()
    for piece in _pieces(word) if _is_a_place(word) else [word]:
        condition &= _piece(piece, prefix)
    return condition


def _parsed(word: str) -> FileName | UnversionedName | None:
    for parse in (FileName.parse, UnversionedName.parse):
        try:
            return parse(word)
        except NomenclatureError:
            continue
    return None


def _pieces(word: str) -> list[str]:
    return word.replace("-", "_").split("_")


def _is_a_place(word: str) -> bool:
    return all(_lookup(piece) for piece in _pieces(word))


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


def _lookup(piece: str) -> str:
    """Return where a piece of a name is looked for; nothing where no rule knows it."""
    return next((lookup for check, lookup in _PIECES if _passes(check, piece)), "")


def _piece(piece: str, prefix: str) -> Q:
    lookup = _lookup(piece)
    if lookup:
        return Q(**{f"{prefix}{lookup}": piece})
    return Q(**{f"{prefix}sequence__episode__project__code__icontains": piece})


def _passes(check: Callable[[object], object], piece: str) -> bool:
    try:
        check(piece)
    except NomenclatureError:
        return False
    return True
