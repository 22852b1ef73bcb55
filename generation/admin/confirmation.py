"""The page that asks before an act: how many of what, which, and what follows.

What was shown goes with the answer. The act is done to that and to nothing else: what is no longer
to be changed is left alone, and where anything else has come in, the page asks anew.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from generation.admin.actions import Act, Question, Targets, all_targets, counted
from wording import say, say_n

TEMPLATE = "admin/generation/question.html"
ROWS_SHOWN = 50
#: A question that is older was asked about another state of things.
ANSWERED_WITHIN_S = 3600
RETRY = say(
    "Each is queued again and takes its time on a server once more. Seeds and "
    "parameters stay as they are."
)
RETRY_WITH = say(
    "Each is queued again and made with this workflow from now on, with what "
    "was asked for before; presets and the style's values are those of this "
    "workflow. Seeds stay where they fit."
)
CANCEL = say(
    "What waits is cancelled at once. What is running is stopped, and its "
    "image is dropped. Images that are published are kept. “Retry” queues "
    "cancelled plans again."
)
AGAIN = say(
    "Each is rendered once more by its recipe, as a new version: the same "
    "graph, seed and panel, so that on the same server the picture is the "
    "same. What is published stays."
)
NEW_SEED = say(
    "Each is rendered once more by its recipe, as a new version, with a new "
    "seed. What is published stays."
)
_ANSWERED = "madsea_answered"
_ANSWERED_MAX = 100


@dataclass(frozen=True)
class ShownQuestion:
    """What somebody was asked about: the ids of the rows, and of what the act would change.

    `key` tells this question from any other: it is answered once.
    """

    rows: frozenset[int]
    targets: frozenset[int]
    key: str

    def signed(self, salt: str) -> str:
        """Return it as a form carries it."""
        held = [_ranges(self.rows), _ranges(self.targets), self.key]
        return signing.dumps(held, salt=salt, compress=True)


def read_question(text: str, salt: str) -> ShownQuestion | None:
    """Return what a form carries; None where it is too old, or not what was sent."""
    try:
        rows, targets, key = signing.loads(text, salt=salt, max_age=ANSWERED_WITHIN_S)
    except signing.BadSignature:
        return None
    return ShownQuestion(_ids(rows), _ids(targets), key)


def answer_once(request: HttpRequest, shown: ShownQuestion) -> bool:
    """Note that a question is answered; False where it was before, as by a second click."""
    answered = request.session.get(_ANSWERED, [])
    if shown.key in answered:
        return False
    request.session[_ANSWERED] = [*answered, shown.key][-_ANSWERED_MAX:]
    return True


def tell_left_alone(request: HttpRequest, act: Act, shown: ShownQuestion, targets: Targets) -> None:
    """Say what was asked about and needs the act no more."""
    n_left = len(shown.targets - all_targets(targets))
    if n_left:
        noun = (
            act.question.noun
            if act.question and act.question.noun[0]
            else (say("row"), say("rows"))
        )
        text = say_n(
            "{what} had changed meanwhile and was left alone.",
            "{what} had changed meanwhile and were left alone.",
            n_left,
            what=counted(n_left, noun),
        )
        messages.info(request, text)


def question_page(
    admin: Any, request: HttpRequest, act: Act, rows: Sequence[Any], changed: str = ""
) -> HttpResponse:
    """Answer with the question; `changed` says what is other than when it was asked before."""
    question = act.question or Question("")
    targets = act.targets(rows)
    shown = ShownQuestion(
        frozenset(row.pk for row in rows), all_targets(targets), secrets.token_hex(8)
    )
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": say(
            "{label}: {what}?", label=act.label, what=counted_targets(admin, act, targets)
        ),
        "press": say("{label}: {what}", label=act.label, what=counted_targets(admin, act, targets)),
        "act": act,
        "follows": question.follows,
        "note": question.note(rows) if question.note else "",
        "changed": changed,
        "rows": _lines(admin, act, rows, targets)[:ROWS_SHOWN],
        "n_more": max(0, len(targets) - ROWS_SHOWN),
        "left": _left(admin, rows, targets),
        "shown": shown.signed(admin.salt(act)),
        "url": admin.answer_url(act),
        "back": admin.back(request),
    }
    return TemplateResponse(request, TEMPLATE, context)


def counted_targets(admin: Any, act: Act, targets: Targets) -> str:
    """Return how many of what an act would change: "26 plans of 2 batches"."""
    n_rows = sum(1 for ids in targets.values() if ids)
    rows = counted(n_rows, admin.nouns())
    noun = act.question.noun if act.question else ("", "")
    return (
        say("{n} of {rows}", n=counted(len(all_targets(targets)), noun), rows=rows)
        if noun[0]
        else rows
    )


def _lines(admin: Any, act: Act, rows: Sequence[Any], targets: Targets) -> list[str]:
    noun = act.question.noun if act.question else ("", "")
    affected = [(row, len(targets.get(row.pk, ()))) for row in rows]
    return [
        f"{admin.described(row)}: {counted(n, noun)}" if noun[0] else admin.described(row)
        for row, n in affected
        if n
    ]


def _left(admin: Any, rows: Sequence[Any], targets: Targets) -> str:
    n_left = sum(1 for row in rows if not targets.get(row.pk))
    if not n_left:
        return ""
    return say_n(
        "{what} of your choice is left alone: nothing to do there.",
        "{what} of your choice are left alone: nothing to do there.",
        n_left,
        what=counted(n_left, admin.nouns()),
    )


def _ranges(ids: frozenset[int]) -> list[list[int]]:
    """Return ids as pairs of first and last: those of a batch are mostly one."""
    pairs: list[list[int]] = []
    for row_id in sorted(ids):
        if pairs and pairs[-1][1] == row_id - 1:
            pairs[-1][1] = row_id
        else:
            pairs.append([row_id, row_id])
    return pairs


def _ids(pairs: list[list[int]]) -> frozenset[int]:
    return frozenset(row_id for first, last in pairs for row_id in range(first, last + 1))
