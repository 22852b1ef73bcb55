"""Blocking: a server that fails one workflow again and again takes none of it any more.

Three failures in a row, while others render the same workflow, say that the server is at fault and
not the plans: what it failed is queued again for the others. A server that is shown to have changed
or restarted is given another chance; that it did not answer for a while shows nothing.
"""

import logging
from collections import Counter
from collections.abc import Sequence

from django.db.models import Count, OuterRef, QuerySet

from generation import queueing
from generation.models import Attempt, Block, PlanRun, Server, Workflow
from generation.selectors import claimable
from generation.services import transitions
from generation.states import AttemptOutcome

logger = logging.getLogger(__name__)

IN_A_ROW = 3
#: Among how many attempts before the first of those failures a success elsewhere is looked for.
ATTEMPTS_BACK = 1000


def look(server: Server, workflow: Workflow, latest: Attempt | None = None) -> bool:
    """Block a server for a workflow if it failed it again and again; tell whether it is blocked.

    The `latest` to fail on one that is blocked already was on its way there: it is forgiven too.
    """
    if Block.objects.filter(server=server, workflow=workflow).exists():
        if latest is not None:
            latest.refresh_from_db(fields=["is_held_against"])
            _unblame(server, [latest] if latest.is_held_against else [])
        return True
    failed = _last_failed(server, workflow)
    if len(failed) < IN_A_ROW or not _succeeds_elsewhere(server, workflow, failed[-1]):
        return False
    detail = f"{len(failed)} plans in a row failed there, the last with: {_words(failed[0])}"
    # What it took it will know until it restarts; of what never reached it, it knows nothing.
    known = next((each.id_on_server for each in failed if each.acknowledged_at is not None), "")
    _, is_new = Block.objects.get_or_create(
        server=server, workflow=workflow, defaults={"detail": detail, "prompt_id": known}
    )
    if is_new:
        logger.warning("%s is blocked for %s: %s", server.name, workflow.name, detail)
        _unblame(server, failed)
        queueing.wake()
    return True


def look_everywhere() -> None:
    """Block also where the success elsewhere came after the failures."""
    newest = Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    failed = Attempt.objects.filter(
        pk__gt=newest - ATTEMPTS_BACK, outcome=AttemptOutcome.ERROR, is_held_against=True
    )
    pairs = failed.order_by().values_list("server_id", "run__batch__workflow_id")
    often = pairs.annotate(n=Count("pk")).filter(n__gte=IN_A_ROW)
    for server_id, workflow_id, _ in often:
        look(Server.objects.get(pk=server_id), Workflow.objects.get(pk=workflow_id))


def _ended(workflow: Workflow) -> QuerySet[Attempt]:
    ended = [AttemptOutcome.DONE, AttemptOutcome.ERROR]
    return Attempt.objects.filter(run__batch__workflow=workflow, outcome__in=ended)


def _last_failed(server: Server, workflow: Workflow) -> list[Attempt]:
    """Return the failures since the last success there, the latest first.

    A first shortage of memory is neither: each plan has one before it fails for it.
    """
    counted = _ended(workflow).filter(server=server).exclude(failure_code="memory_short")
    last = list(counted.defer("graph").order_by("-pk")[: 10 * IN_A_ROW])
    failed: list[Attempt] = []
    for attempt in last:
        if not attempt.is_held_against:
            break
        failed.append(attempt)
    return failed


def _succeeds_elsewhere(server: Server, workflow: Workflow, first: Attempt) -> bool:
    # Not on one that is blocked itself: else the last that is left would be blocked in the end.
    blocked = claimable.blocks(OuterRef("pk"), workflow.pk)
    others = claimable.answering().filter(~blocked).exclude(pk=server.pk)
    done = _ended(workflow).filter(outcome=AttemptOutcome.DONE, server__in=others)
    return done.filter(pk__gt=first.pk - ATTEMPTS_BACK).exists()


def _words(attempt: Attempt) -> str:
    return attempt.outcome_detail.splitlines()[0][:200] if attempt.outcome_detail else "no words"


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
    blamed.filter(run__batch__workflow__in=lifted).update(is_held_against=False)
    blocks.delete()
    if lifted:
        queueing.wake()
    return len(lifted)
