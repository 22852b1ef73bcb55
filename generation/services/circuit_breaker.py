"""Blocking: a server that fails one workflow again and again takes none of it any more.

Three failures in a row of what others render, asked for in the very same way, say that the server
is at fault and not the plans: what it failed is queued again for the others. What a request itself
causes fails everywhere, and is never held against a server. One that is shown to have changed or
restarted is given another chance; that it did not answer for a while shows nothing.
"""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from generation import queueing
from generation.failures import FAILURES, Fault
from generation.models import Attempt, Block, PlanRun, Server, Workflow
from generation.selectors import claimable
from generation.services import transitions
from generation.states import AttemptOutcome
from wording import say

logger = logging.getLogger(__name__)

IN_A_ROW = 3
#: Among how many attempts before the first of those failures a success elsewhere is looked for.
ATTEMPTS_BACK = 1000
#: How many of the latest failures are looked at, and forgiven.
ROW_MOST = 300
#: The failures that may be a server's fault.
_BLAMED = [
    failure.code for failure in FAILURES.values() if failure.fault in (Fault.SERVER, Fault.EITHER)
]


def block_if_failing(server: Server, workflow: Workflow, latest: Attempt | None = None) -> bool:
    """Block a server for a workflow if it failed it again and again; tell whether it is blocked.

    The `latest` to fail on one that is blocked already was on its way there: it is forgiven too.
    """
    if Block.objects.filter(server=server, workflow=workflow).exists():
        if latest is not None:
            latest.refresh_from_db(fields=["is_held_against"])
            _unblame(server, [latest] if latest.is_held_against else [])
        return True
    failed = _proven(server, workflow, _last_failed(server, workflow))
    if len(failed) < IN_A_ROW:
        return False
    detail = say(
        "{n} plans in a row failed there, the last with: {words}",
        n=len(failed),
        words=_words(failed[0]),
    )
    # Keep a prompt that reached the server: only a restart makes the server forget it.
    known = next(
        (attempt.id_on_server for attempt in failed if attempt.acknowledged_at is not None), ""
    )
    _, is_new = Block.objects.get_or_create(
        server=server, workflow=workflow, defaults={"detail": detail, "prompt_id": known}
    )
    if is_new:
        logger.warning("%s is blocked for %s: %s", server.name, workflow.name, detail)
        _unblame(server, failed)
        queueing.wake()
    return True


def block_after_later_success() -> None:
    """Block also where the success elsewhere came after the failures."""
    newest = Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    failed = Attempt.objects.filter(
        pk__gt=newest - ATTEMPTS_BACK, outcome=AttemptOutcome.ERROR, is_held_against=True
    )
    workflow = Coalesce("run__own_workflow", "run__batch__workflow")
    pairs = failed.order_by().values_list("server_id", workflow)
    often = pairs.annotate(n=Count("pk")).filter(n__gte=IN_A_ROW)
    for server_id, workflow_id, _ in often:
        block_if_failing(Server.objects.get(pk=server_id), Workflow.objects.get(pk=workflow_id))


def _ended(workflow: Workflow) -> QuerySet[Attempt]:
    ended = [AttemptOutcome.DONE, AttemptOutcome.ERROR]
    return Attempt.objects.filter(_made_with([workflow.pk]), outcome__in=ended)


def _made_with(workflows: Sequence[int]) -> Q:
    """Return the condition for attempts that one of these workflows was posted in.

    What a plan was before a retry named another workflow for it counts for neither.
    """
    since = Q(number__gt=F("run__tried_from"))
    return Q(run__own_workflow=None, run__batch__workflow__in=workflows) | (
        Q(run__own_workflow__in=workflows) & since
    )


def _last_failed(server: Server, workflow: Workflow) -> list[Attempt]:
    """Return the failures since the last success there, the latest first.

    A plan's first shortage of memory and failures caused by the request are left out: they count
    neither as failures nor as successes.
    """
    ended = _ended(workflow).filter(server=server)
    done = ended.filter(outcome=AttemptOutcome.DONE).order_by("-pk").values("pk")[:1]
    failed = ended.filter(
        pk__gt=Coalesce(Subquery(done), 0), is_held_against=True, failure_code__in=_BLAMED
    )
    related = failed.select_related("run__batch").defer("graph")
    return list(related.order_by("-pk")[:ROW_MOST])


def _proven(server: Server, workflow: Workflow, failed: list[Attempt]) -> list[Attempt]:
    """Leave those failures that say something of the server, not of what was asked for.

    Others have rendered the same: with the same parameters and, if this server has rendered the
    workflow before, the same panel too. A shortage of memory on such a server shows that the
    request was too large, not that the server is at fault.
    """
    if len(failed) < IN_A_ROW:
        return []
    others = _others(server, workflow)
    is_able = _ended(workflow).filter(server=server, outcome=AttemptOutcome.DONE).exists()
    since = failed[-1].pk - ATTEMPTS_BACK
    elsewhere = _ended(workflow).filter(server__in=others, pk__gt=since).order_by()
    done = elsewhere.filter(outcome=AttemptOutcome.DONE)
    rendered = {_asked_for(*row, is_able=is_able) for row in done.values_list(*_ASKED)}
    failing = elsewhere.filter(is_held_against=True).exclude(run__in=done.values("run"))
    fails_everywhere = set(failing.values_list("run_id", flat=True))
    return [
        attempt
        for attempt in failed
        if attempt.run_id not in fails_everywhere
        and _asked_for(*_asked(attempt), is_able=is_able) in rendered
        and not (is_able and attempt.failure_code == "out_of_memory")
    ]


def _others(server: Server, workflow: Workflow) -> QuerySet[Server]:
    # Leave out servers that are blocked themselves; otherwise the last one would be blocked too.
    blocked = claimable.blocks(OuterRef("pk"), workflow.pk)
    return Server.objects.answering().filter(~blocked).exclude(pk=server.pk)


_ASKED = ("run__batch__params", "run__params", "run__own_workflow_id", "panel_id")


def _asked(attempt: Attempt) -> tuple[dict[str, Any], dict[str, Any], int | None, int | None]:
    run = attempt.run
    return run.batch.params, run.params, run.own_workflow_id, attempt.panel_id


def _asked_for(
    params: dict[str, Any],
    overrides: dict[str, Any],
    own_workflow_id: int | None,
    panel_id: int | None,
    *,
    is_able: bool,
) -> str:
    """Return a key that plans share which ask for the same; their seeds may differ."""
    given = overrides if own_workflow_id is not None else params | overrides
    values = {name: value for name, value in given.items() if name != "seed"}
    return json.dumps([values, panel_id if is_able else None], sort_keys=True)


def _words(attempt: Attempt) -> str:
    return attempt.outcome_detail or say("no words")


def _unblame(server: Server, failed: Sequence[Attempt]) -> None:
    """Queue again what failed there, batch by batch, and give its tries back."""
    runs = PlanRun.objects.in_bulk({attempt.run_id for attempt in failed})
    tries = Counter(a.run_id for a in failed if a.number > runs[a.run_id].tried_from)
    for batch_id in sorted({run.batch_id for run in runs.values()}):
        mine = {pk: n for pk, n in sorted(tries.items()) if runs[pk].batch_id == batch_id}
        transitions.unblame(batch_id, mine, server.name)


# Lifting ------------------------------------------------------------------------------------------


def lift(server: Server, workflow: Workflow | None = None) -> int:
    """Let a server take a workflow again, or all of them; return how many blocks were lifted.

    What it failed before is forgiven: else the next failure alone would block it again.
    """
    blocks = Block.objects.filter(server=server)
    if workflow is not None:
        blocks = blocks.filter(workflow=workflow)
    lifted = list(blocks.values_list("workflow_id", flat=True))
    blamed = Attempt.objects.filter(server=server, is_held_against=True)
    blamed.filter(_made_with(lifted)).update(is_held_against=False)
    blocks.delete()
    if lifted:
        queueing.wake()
    return len(lifted)
