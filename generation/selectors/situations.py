"""Why a plan is not running: what is stored with its run, and what its batch can hope for now."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict
from zlib import crc32

from django.db.models import Exists, OuterRef

from generation.comfyui.requirements import Lack
from generation.models import Capability, Server
from generation.selectors import claimable
from generation.states import RunState, ServerHealth, WaitReason


class Wait(TypedDict):
    """A stable code, and the sentence that tells it."""

    code: str
    message: str


class Situation(StrEnum):
    """What can become of a batch's queued plans, the first that fits."""

    PAUSED = "p"  #: Somebody paused the batch.
    NONE_ENABLED = "e"  #: No server is enabled, or those that are take nothing more.
    ALL_DOWN = "d"  #: Every enabled server is down.
    NONE_CAPABLE = "c"  #: Servers answer, but none of them can run its workflow.
    NORMAL = "n"  #: At least one server could take them.


@dataclass(frozen=True)
class Outlook:
    """A batch's situation; `detail` says what each server lacks, where none is capable."""

    situation: Situation = Situation.NORMAL
    detail: str = ""

    @property
    def tag(self) -> str:
        """What stands for the outlook in an ETag: letters and digits."""
        return f"{self.situation}{crc32(self.detail.encode()):x}" if self.detail else self.situation


NORMAL = Outlook()
_OF_REASON = {
    WaitReason.TURN: Wait(code="turn", message="Its turn has not come: the queue says its place."),
    WaitReason.PANEL: Wait(
        code="panel", message="It has no panel yet: it goes on as soon as one is imported."
    ),
    WaitReason.UPLOAD: Wait(code="upload", message="An image uploaded for it is being published."),
}
_OF_SITUATION = {
    Situation.NORMAL: _OF_REASON[WaitReason.TURN],
    Situation.PAUSED: Wait(
        code="paused", message="Its batch is paused: it goes on when somebody resumes it."
    ),
    Situation.NONE_ENABLED: Wait(
        code="no_server",
        message="No ComfyUI server is enabled: a technical director has to enable one.",
    ),
    Situation.ALL_DOWN: Wait(
        code="servers_down",
        message="No ComfyUI server answers: it goes on as soon as one does.",
    ),
    Situation.NONE_CAPABLE: Wait(
        code="no_capable_server",
        message="No server that answers has all that its workflow needs.",
    ),
}
_FOR_AN_ARTIST = Wait(code="artist", message="It waits for an artist to upload its image.")


def waits(state: str, wait_reason: str, outlook: Outlook = NORMAL) -> Wait | None:
    """Return why a run of this state is not running; None when it runs or is finished."""
    if state == RunState.WAITING:
        return _FOR_AN_ARTIST
    if state != RunState.QUEUED:
        return None
    reason = WaitReason(wait_reason)
    if reason != WaitReason.TURN:
        return _OF_REASON[reason]
    wait = _OF_SITUATION[outlook.situation]
    if not outlook.detail:
        return wait
    return Wait(code=wait["code"], message=f"{wait['message']} {outlook.detail}")


def situation_annotations(needs: str = "needs") -> dict[str, Any]:
    """Return what lets any query bring the situation along: see `situation_of`.

    `needs` is the way from the query's rows to what their batch needs.
    """
    enabled = Server.objects.filter(is_enabled=True, is_draining=False)
    usable = enabled.exclude(health=ServerHealth.DOWN)
    lacking = claimable.incapable(OuterRef("pk"), OuterRef(OuterRef(needs)))
    return {
        "any_server_enabled": Exists(enabled),
        "any_server_usable": Exists(usable),
        "any_server_capable": Exists(usable.filter(~lacking)),
    }


def situation_of(row: Any, *, is_paused: bool) -> Situation:
    """Return the situation from a row with the annotations."""
    if is_paused:
        return Situation.PAUSED
    if not row.any_server_enabled:
        return Situation.NONE_ENABLED
    if not row.any_server_usable:
        return Situation.ALL_DOWN
    return Situation.NORMAL if row.any_server_capable else Situation.NONE_CAPABLE


def outlook(situation: Situation, needs_id: int | None) -> Outlook:
    """Return the outlook of one batch; asks the database only where no server is capable."""
    return outlooks([(situation, needs_id)])[situation, needs_id]


Standing = tuple[Situation, int | None]


def outlooks(standings: Iterable[Standing]) -> dict[Standing, Outlook]:
    """Return the outlook of each (situation, id of the needs), in two queries at the most."""
    wanted = set(standings)
    unmet = {needs for situation, needs in wanted if situation == Situation.NONE_CAPABLE and needs}
    details = _details(unmet) if unmet else {}
    return {
        (situation, needs): Outlook(
            situation, details.get(needs, "") if situation == Situation.NONE_CAPABLE else ""
        )
        for situation, needs in wanted
    }


def _details(needs_ids: Iterable[int]) -> dict[int | None, str]:
    """Say for each needs what each enabled server lacks, and which does not answer."""
    rows = Capability.objects.filter(needs__in=needs_ids, is_capable=False)
    lacking = {
        (needs, server): missing
        for needs, server, missing in rows.values_list("needs_id", "server_id", "missing")
    }
    taking = Server.objects.filter(is_enabled=True, is_draining=False).order_by("name")
    servers = list(taking.values_list("pk", "name", "health"))
    return {
        needs: " ".join(_of_server(lacking.get((needs, pk)), name, at) for pk, name, at in servers)
        for needs in needs_ids
    }


def _of_server(missing: list[dict[str, Any]] | None, name: str, health: str) -> str:
    if missing is None:
        return f"{name} does not answer."
    down = " and does not answer" if health == ServerHealth.DOWN else ""
    return f"{name} lacks {lacks(missing)}{down}."


def lacks(missing: Iterable[dict[str, Any]]) -> str:
    """Return what a Capability's `missing` holds, in words."""
    found = (Lack(each["name"], each["where"], tuple(each["closest"])) for each in missing)
    return ", ".join(map(str, found))
