"""Preflight: before plans are queued, whether any server could ever run them.

It is judged by what was read of the servers last. Nobody who asks waits for a server: the tick
reads those of which too little, or nothing new, is known, and the plans say why they wait.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from generation.errors import Problem
from generation.models import Capability, Needs, Server, Workflow
from generation.selectors import wait_reasons
from generation.services import capability, requested_workflows
from generation.states import ServerHealth
from generation.workflows.named_files import INPUT
from wording import Sentence, in_turn, say

CODE = "no_capable_server"
#: How old definitions may be to refuse a request: what was missing then may be there now.
FRESH_S = 60

Missing = list[dict[str, Any]]


def check(
    workflow: Workflow, needs: Needs, values: Mapping[str, Any], asked_at: Mapping[str, str]
) -> list[Problem]:
    """Return why no server can run a workflow with these parameters, which needs `needs`.

    There is no problem as long as one server that takes work may have all of it: it was read too
    long ago or never, or does not answer now. `asked_at` is the place of each parameter that the
    request itself sets: one that names what is missing is to blame, else the workflow is. Writes
    nothing.
    """
    lacking = _lacking(needs)
    if not lacking:
        return []
    said = [
        say("No server can run {workflow}.", workflow=workflow.name),
        *(
            say("{server} lacks {lacks}.", server=name, lacks=wait_reasons.lacks(found))
            for name, found in lacking
        ),
        *_remedies(lacking),
    ]
    detail = in_turn(said)
    return [Problem(_place(workflow, values, asked_at, lacking[0][1]), CODE, detail)]


def have_read(needs: Iterable[Needs]) -> None:
    """Have the tick read anew the servers that may have got what they lacked of this."""
    lacks = Capability.objects.filter(
        server=OuterRef("pk"), needs__in=list(needs), is_capable=False
    )
    may_have = _candidates().filter(Exists(lacks), _outdated())
    Server.objects.filter(pk__in=list(may_have.values_list("pk", flat=True))).update(
        needs_reading=True
    )


def _lacking(needs: Needs) -> list[tuple[str, Missing]]:
    """Return every candidate's name with what it lacks; empty when one may lack nothing."""
    candidates = list(_candidates().order_by("name"))
    known = capability.missing(needs, [server.pk for server in candidates])
    if any(server.health != ServerHealth.UP or not known.get(server.pk) for server in candidates):
        return []
    if _candidates().filter(_outdated()).exists():
        return []
    return [(server.name, known[server.pk]) for server in candidates]


def _remedies(lacking: Iterable[tuple[str, Missing]]) -> list[Sentence]:
    """Return what whoever asks can do about it, where a server's lists do not say it."""
    wheres = {each["where"] for _, found in lacking for each in found}
    if INPUT not in wheres:
        return []
    return [say("Put the picture into a server's input folder, or name one that lies there.")]


def _candidates() -> QuerySet[Server]:
    """Return the servers that may ever be given more; one that drains is on its way out."""
    return Server.objects.staying()


def _outdated() -> Q:
    return Q(definitions__read_at__lt=Now() - timedelta(seconds=FRESH_S))


def _place(
    workflow: Workflow, values: Mapping[str, Any], asked_at: Mapping[str, str], missing: Missing
) -> str:
    """Return the place in the payload that names something missing."""
    parameters = requested_workflows.parameters(workflow)
    lacked = {(lack["where"], lack["name"]) for lack in missing}
    pictures = {lack["name"] for lack in missing if lack["where"] == INPUT}
    for name, place in asked_at.items():
        value, targets = str(values[name]), parameters[name].targets
        wheres = (f"{workflow.graph[node]['class_type']}.{target}" for node, target in targets)
        if value in pictures or any((where, value) in lacked for where in wheres):
            return place
    return requested_workflows.FIELD
