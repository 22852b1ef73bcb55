"""Why a plan is not running: what is stored with its run, and what its batch can hope for now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict, TypeVar
from zlib import crc32

from django.db.models import Exists, OuterRef, Subquery

from generation.models import Block, Capability, RunGroup, Server
from generation.selectors import claimable
from generation.states import RunState, ServerHealth, WaitReason
from generation.workflows.requirements import Lack
from wording import in_turn, say

T = TypeVar("T")


class Wait(TypedDict):
    """A stable code, the sentence that tells it, and which of the `reasons` says more, if any."""

    code: str
    message: str
    reason: str | None


class Situation(StrEnum):
    """What can become of a batch's queued plans, the first that fits."""

    PAUSED = "p"  #: Somebody paused the batch.
    STORAGE = "s"  #: The folder where its files go cannot be used just now.
    NONE_ENABLED = "e"  #: No server is enabled, or those that are drain.
    ALL_DOWN = "d"  #: Every enabled server is down, or set aside.
    NONE_CAPABLE = "c"  #: Servers answer, but none of them can run its workflow, or may.
    NORMAL = "n"  #: At least one server could take them.


@dataclass(frozen=True)
class Outlook:
    """A batch's situation; `detail` says of each server why it is none for its plans."""

    situation: Situation = Situation.NORMAL
    detail: str = ""

    @property
    def reason(self) -> str | None:
        """The key under which the detail stands among the `reasons`; None without a detail."""
        return f"{crc32(self.detail.encode()):08x}" if self.detail else None

    @property
    def etag_part(self) -> str:
        """What stands for the outlook in an ETag: letters and digits."""
        return f"{self.situation}{self.reason or ''}"


NORMAL = Outlook()


def _wait(code: str, message: str) -> Wait:
    return Wait(code=code, message=message, reason=None)


_OF_REASON = {
    WaitReason.TURN: _wait("turn", say("Its turn has not come: the queue says its place.")),
    WaitReason.PANEL: _wait(
        "panel", say("It has no panel yet: it goes on as soon as one is imported.")
    ),
    WaitReason.UPLOAD: _wait("upload", say("An image uploaded for it is being published.")),
}
_OF_SITUATION = {
    Situation.NORMAL: _OF_REASON[WaitReason.TURN],
    Situation.PAUSED: _wait(
        "paused", say("Its batch is paused: it goes on when somebody resumes it.")
    ),
    Situation.STORAGE: _wait(
        "storage",
        say(
            "The folder where its files go cannot be used: it goes on by itself once "
            "that is mended."
        ),
    ),
    Situation.NONE_ENABLED: _wait(
        "no_server",
        say("No ComfyUI server takes plans: a technical director has to enable one."),
    ),
    Situation.ALL_DOWN: _wait(
        "servers_down",
        say("No ComfyUI server can take work: it goes on as soon as one does."),
    ),
    Situation.NONE_CAPABLE: _wait(
        "no_capable_server", say("No server that answers can take its workflow.")
    ),
}
_FOR_AN_ARTIST = _wait("artist", say("It waits for an artist to upload its image."))


def waits(state: str, wait_reason: str, outlook: Outlook = NORMAL) -> Wait | None:
    """Return why a run of this state is not running; None when it runs or is finished.

    What each server lacks is not in it: see `reasons`.
    """
    if state == RunState.WAITING:
        return _FOR_AN_ARTIST
    if state != RunState.QUEUED:
        return None
    reason = WaitReason(wait_reason)
    if reason != WaitReason.TURN:
        return _OF_REASON[reason]
    wait = _OF_SITUATION[outlook.situation]
    return Wait(code=wait["code"], message=wait["message"], reason=outlook.reason)


def translated_wait(wait: Wait) -> Wait:
    """Return it with its message told in the language of whoever reads it, for JSON."""
    return Wait(code=wait["code"], message=str(wait["message"]), reason=wait["reason"])


def reasons(outlooks: Iterable[Outlook]) -> dict[str, str]:
    """Return what each server lacks or why it takes nothing, once each, by its key."""
    return {outlook.reason: str(outlook.detail) for outlook in outlooks if outlook.reason}


def situation_annotations(batch: str = "", needs: str = "needs") -> dict[str, Any]:
    """Return the annotations by which a query brings the situation along: see `situation_of`.

    `batch` is the way from the query's rows to their batch, empty or `batch__`; `needs` the way to
    what they need.
    """
    lacking = claimable.incapable(OuterRef("pk"), OuterRef(OuterRef(needs)))
    of_batch = OuterRef(OuterRef("workflow"))
    workflow = claimable.workflow_of(deep=True) if batch else of_batch
    blocked = claimable.blocks(OuterRef("pk"), workflow)
    usable = Server.objects.answering()
    troubles = claimable.troubles(batch).order_by("scope").values("detail")
    return {
        "storage_trouble": Subquery(troubles[:1]),
        "any_server_enabled": Exists(Server.objects.staying()),
        "any_server_usable": Exists(usable),
        "any_server_capable": Exists(usable.filter(~lacking, ~blocked)),
    }


def batch_annotations() -> dict[str, Any]:
    """Return the annotations by which a query of batches brings along what `queued_groups` asks."""
    return {
        **situation_annotations(),
        "any_own_needs": Exists(
            RunGroup.objects.queued_with_own_needs().filter(batch=OuterRef("pk"))
        ),
    }


def situation_of(row: Any, *, is_paused: bool) -> Situation:
    """Return the situation from a row with the annotations."""
    if is_paused:
        return Situation.PAUSED
    if row.storage_trouble is not None:
        return Situation.STORAGE
    if not row.any_server_enabled:
        return Situation.NONE_ENABLED
    if not row.any_server_usable:
        return Situation.ALL_DOWN
    return Situation.NORMAL if row.any_server_capable else Situation.NONE_CAPABLE


@dataclass(frozen=True)
class QueuedGroup:
    """A batch's situation, and the ids of what decides where it can go."""

    situation: Situation
    needs_id: int | None
    workflow_id: int | None
    storage_trouble: str | None = None


#: A batch's id, and the id of a group that needs something else than the batch; None: the others.
GroupKey = tuple[int, int | None]


def queued_groups(batches: Iterable[Any]) -> dict[GroupKey, QueuedGroup]:
    """Return where the queued plans of batches stand, whose rows have the `batch_annotations`."""
    rows = list(batches)
    groups: dict[GroupKey, QueuedGroup] = {
        (row.pk, None): QueuedGroup(
            situation_of(row, is_paused=row.paused_at is not None),
            row.needs_id,
            row.workflow_id,
            row.storage_trouble,
        )
        for row in rows
    }
    some = {row.pk: row for row in rows if row.any_own_needs}
    return groups | _own_standings(some) if some else groups


def _own_standings(batches: Mapping[int, Any]) -> dict[GroupKey, QueuedGroup]:
    annotations = situation_annotations("batch__")
    own = RunGroup.objects.queued_with_own_needs()
    groups: Iterable[Any] = own.filter(batch__in=batches).annotate(**annotations)
    return {
        (row.batch_id, row.pk): QueuedGroup(
            situation_of(row, is_paused=batches[row.batch_id].paused_at is not None),
            row.needs_id,
            row.own_workflow_id or batches[row.batch_id].workflow_id,
            row.storage_trouble,
        )
        for row in groups
    }


def outlook(standing: QueuedGroup) -> Outlook:
    """Return the outlook of one batch; asks the database only where no server can take it."""
    return outlooks([standing])[standing]


def outlooks(standings: Iterable[QueuedGroup]) -> dict[QueuedGroup, Outlook]:
    """Return the outlook of each standing, in three queries at the most."""
    wanted = set(standings)
    stuck = [group for group in wanted if group.situation in _IN_DETAIL]
    details = _details(stuck) if stuck else {}
    unstored = [group for group in wanted if group.situation is Situation.STORAGE]
    details |= {group: group.storage_trouble or "" for group in unstored}
    return {group: Outlook(group.situation, details.get(group, "")) for group in wanted}


def outlooks_of(batches: Iterable[Any]) -> dict[GroupKey, Outlook]:
    """Return the outlook of each part of batches, whose rows have the `batch_annotations`."""
    parts = queued_groups(batches)
    by_group = outlooks(parts.values())
    return {part: by_group[standing] for part, standing in parts.items()}


def known_of_group(known: Mapping[GroupKey, T], part: GroupKey) -> T:
    """Return what is known of a batch's group: of its own, or else of most of the batch."""
    return known[part] if part in known else known[part[0], None]


_IN_DETAIL = (Situation.NONE_CAPABLE, Situation.ALL_DOWN, Situation.NONE_ENABLED)


def _details(standings: list[QueuedGroup]) -> dict[QueuedGroup, str]:
    """Say for each standing why each enabled server cannot take its plans."""
    rows = Capability.objects.filter(
        needs__in={group.needs_id for group in standings}, is_capable=False
    )
    lacking = {
        (needs, server): missing
        for needs, server, missing in rows.values_list("needs_id", "server_id", "missing")
    }
    blocks = Block.objects.filter(workflow__in={group.workflow_id for group in standings})
    blocked = {(block.workflow_id, block.server_id): block.detail for block in blocks}
    servers = list(Server.objects.enabled().order_by("name"))
    return {
        group: in_turn(
            _of_server(
                server,
                lacking.get((group.needs_id or 0, server.pk)),
                blocked.get((group.workflow_id or 0, server.pk)),
            )
            for server in servers
        )
        for group in standings
    }


def _of_server(server: Server, missing: list[dict[str, Any]] | None, blocked: str | None) -> str:
    if server.set_aside_at is not None:
        return say(
            "{server} is set aside ({code}): {why!p}.",
            server=server.name,
            code=server.set_aside_code,
            why=server.set_aside_detail,
        )
    if blocked is not None:
        return say(
            "{server} is blocked for this workflow: {why!p}.", server=server.name, why=blocked
        )
    if missing is None:
        if server.is_draining:
            return say("{server} drains: it takes nothing more.", server=server.name)
        return say("{server} does not answer.", server=server.name)
    if server.health == ServerHealth.DOWN:
        return say(
            "{server} lacks {lacks} and does not answer.", server=server.name, lacks=lacks(missing)
        )
    return say("{server} lacks {lacks}.", server=server.name, lacks=lacks(missing))


def lacks(missing: Iterable[Mapping[str, Any]]) -> str:
    """Return what a Capability's `missing` holds, in words."""
    found = (Lack(lack["name"], lack["where"], tuple(lack["closest"])) for lack in missing)
    return in_turn((lack.sentence() for lack in found), ", ")
