"""Preflight: before plans are queued, whether any server could ever run them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from generation.errors import Problem
from generation.models import Capability, Needs, Server, Workflow
from generation.selectors import situations
from generation.services import capability, servers, workflows
from generation.states import ServerHealth

CODE = "no_capable_server"
#: A server that was read so long ago is asked again before anything is refused for its sake.
READ_AGAIN_S = 10
#: Who has asked waits no longer for that; then what was known counts.
WITHIN_S = 8.0

Missing = list[dict[str, Any]]


def check(
    workflow: Workflow, values: Mapping[str, Any], given: Iterable[str]
) -> tuple[Needs, list[Problem]]:
    """Return what a workflow with these parameters needs, and what keeps every server from it.

    There is no problem as long as one server that takes work may have all of it: its definitions
    are not known, or it does not answer now. `given` are the parameters that the request itself
    sets: one that names a file which is missing is to blame, else the workflow is.
    """
    needs = capability.needs_of(workflow, values)
    capability.settle([needs])
    lacking = _lacking(needs)
    if lacking:
        _read_again()
        capability.settle([needs])
        lacking = _lacking(needs)
    if not lacking:
        return needs, []
    said = " ".join(f"{name} lacks {situations.lacks(found)}." for name, found in lacking)
    detail = f"No server can run {workflow.name}. {said}"
    place = _place(workflow, {name: values[name] for name in given}, lacking[0][1])
    return needs, [Problem(place, CODE, detail)]


def _lacking(needs: Needs) -> list[tuple[str, Missing]]:
    """Return every candidate's name with what it lacks; empty when one may lack nothing."""
    lacks = Capability.objects.filter(server=OuterRef("pk"), needs=needs, is_capable=False)
    rows = _candidates().annotate(lacks=Subquery(lacks.values("missing")[:1])).order_by("name")
    found = list(rows.values_list("name", "health", "lacks"))
    if any(lacks is None or health != ServerHealth.UP for _, health, lacks in found):
        return []
    return [(name, lacks) for name, _, lacks in found]


def _candidates() -> QuerySet[Server]:
    """Return the servers that may ever be given more; one that drains is on its way out."""
    return servers.enabled().filter(is_draining=False)


def _read_again() -> None:
    """Read the servers whose definitions have grown old: what was missing may be there now."""
    old = Q(definitions__read_at__lt=Now() - timedelta(seconds=READ_AGAIN_S))
    servers.look_at(_candidates().filter(old), WITHIN_S)


def _place(workflow: Workflow, given: Mapping[str, Any], missing: Missing) -> str:
    """Return the place in the payload that names something missing."""
    found = workflows.parameters(workflow)
    lacked = {(each["where"], each["name"]) for each in missing}
    for name, value in given.items():
        targets = found[name].targets
        wheres = (f"{workflow.graph[node]['class_type']}.{target}" for node, target in targets)
        if any((where, value) in lacked for where in wheres):
            return f"params.{name}"
    return workflows.FIELD
