"""The stream of an episode's changes: what leaves word of them, and who puts them in order.

Each visible change leaves a row in its own transaction, without a number. Ids are given before the
commit, so that one of a transaction that commits late lies below ids which are read already; and
a number taken under a lock would have all drivers wait for one another. So a row gets its number
once it is visible, by one sequencer at a time, whoever that is: a reader of numbers misses nothing.
"""

from collections.abc import Collection
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from generation.models import EpisodeChange, Plan, Sequencer, Version
from generation.services import prepared_writes

#: The most plans and versions that a row names; of more it says that they are many.
NAMED_MAX = 100
#: How many changes are numbered in one transaction, deleted in one, and kept.
NUMBERED_AT_ONCE = 1000
PRUNED_AT_ONCE = 5_000
KEPT = 100_000

_TABLE = EpisodeChange._meta.db_table  # noqa: SLF001 - how Django names what a model is
_NUMBER = f"""
    UPDATE {_TABLE} SET number = %s + visible.place
    FROM (
        SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place
        FROM {_TABLE} WHERE number IS NULL ORDER BY id LIMIT %s
    ) AS visible
    WHERE {_TABLE}.id = visible.id
"""  # noqa: S608 - our own table's name


def record(
    episode_id: int,
    *,
    batch_id: int | None = None,
    plan_ids: Collection[int] = (),
    version_ids: Collection[int] = (),
) -> None:
    """Leave word that something visible of an episode has changed, in the transaction that did it.

    `batch_id` is the batch (its row's id) whose revision was raised. `plan_ids` are plans of which
    something other than the state of a run has changed; `version_ids` versions that were published
    or are shown in another way.
    """
    named = {"plans": plan_ids, "versions": version_ids}
    touched: dict[str, Any] = {name: sorted(ids) for name, ids in named.items() if ids}
    if max(len(plan_ids), len(version_ids)) > NAMED_MAX:
        touched = {"everything": True}
    prepared_writes.insert(EpisodeChange(episode_id=episode_id, batch_id=batch_id, touched=touched))


def record_plans(plan_ids: Collection[int]) -> None:
    """Leave word that something of plans has changed, one row for each of their episodes."""
    plans = Plan.objects.filter(pk__in=plan_ids).order_by("sequence__episode_id")
    rows = plans.values_list("sequence__episode_id", "pk")
    for episode_id, mine in groupby(rows, itemgetter(0)):
        record(episode_id, plan_ids={plan_id for _, plan_id in mine})


def record_versions(version_ids: Collection[int]) -> None:
    """Leave word that versions are there, or are shown otherwise, of which no batch tells."""
    of = Version.objects.filter(pk__in=version_ids).order_by("plan__sequence__episode_id", "pk")
    rows = of.values_list("plan__sequence__episode_id", "plan_id", "pk")
    for episode_id, mine in groupby(rows, itemgetter(0)):
        named = [(plan_id, version_id) for _, plan_id, version_id in mine]
        plan_ids, ids = ({*each} for each in zip(*named, strict=True))
        record(episode_id, plan_ids=plan_ids, version_ids=ids)


def number() -> int:
    """Number the changes that have become visible, in their order; return how many.

    0 where there are none, or where somebody else is at it: its lock ends with its transaction,
    so that whoever is killed at it holds nobody up.
    """
    n_numbered = 0
    while EpisodeChange.objects.filter(number=None).exists():
        n_now = _number_some()
        n_numbered += n_now
        if n_now < NUMBERED_AT_ONCE:
            break
    return n_numbered


def _number_some() -> int:
    with transaction.atomic():
        sequencer = _held()
        if sequencer is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, [sequencer.last_number, NUMBERED_AT_ONCE])
            n_numbered = int(cursor.rowcount)
        sequencer.last_number += n_numbered
        sequencer.save(update_fields=["last_number"])
    return n_numbered


def prune() -> int:
    """Throw away the oldest changes beyond `KEPT`, some at a time; return how many.

    Whoever has heard none of those since is told to read everything anew.
    """
    with transaction.atomic():
        sequencer = _held()
        if sequencer is None:
            return 0
        to = min(sequencer.last_number - KEPT, sequencer.pruned_to + PRUNED_AT_ONCE)
        if to <= sequencer.pruned_to:
            return 0
        n_pruned, _ = EpisodeChange.objects.filter(number__lte=to).delete()
        sequencer.pruned_to = to
        sequencer.save(update_fields=["pruned_to"])
    return n_pruned


def _held() -> Sequencer | None:
    """Lock the sequencer; None where somebody else has."""
    rows = Sequencer.objects.select_for_update(skip_locked=True, no_key=True)
    held = rows.first()
    if held is None and not Sequencer.objects.exists():
        Sequencer.objects.bulk_create([Sequencer(pk=1)], ignore_conflicts=True)
        held = rows.first()
    return held
