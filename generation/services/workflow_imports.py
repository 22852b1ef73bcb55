"""Giving a workflow: a file, whatever exported it, becomes what a name stands for."""

from dataclasses import dataclass
from pathlib import PurePath

from django.contrib.auth.models import User
from django.db import transaction

from generation.comfyui.untrusted_json import storable
from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import NamedWorkflow
from generation.services import (
    acts,
    node_definitions,
    permissions,
    requested_workflows,
    workflow_file_parsing,
    workflow_library,
)
from generation.workflows import names
from generation.workflows.remarks import Remark
from wording import in_turn, say

FILE, NAME = "file", "name"
#: So many nodes are named that were left out.
CAUSES_MOST = 5
_LEFT_OUT = frozenset({"muted", "bypassed"})
_PICTURES = frozenset({".png", ".webp"})


@dataclass(frozen=True)
class Imported:
    """A workflow that was given; `is_new`: nobody had given one of this name."""

    row: NamedWorkflow
    is_new: bool


def take(content: bytes, *, filename: str, name: str | None = None, actor: User | None) -> Imported:
    """Let a name stand for the workflow in a file; what was chosen for it stays.

    Without a `name` it is that of the file; a picture's ends in .json instead.

    Raises:
        Forbidden: `actor` may not give workflows.
        InvalidRequest: the name cannot be used, or the file is no workflow that a plan can be made
            with: with its node.
        Conflict: somebody else has changed it meanwhile.
        Busy: too much is being decoded just now.
    """
    row = check(content, filename=filename, name=name, actor=actor)
    is_new = row.pk is None
    with transaction.atomic():
        if not workflow_library.keep(row, by=actor):
            detail = say(
                "Somebody else has just changed this workflow: look at it again, then give yours."
            )
            raise Conflict(detail, code="changed_meanwhile")
        kept = NamedWorkflow.objects.get(folded=row.folded)
        acts.record("give workflow", kept, by=actor, after={"sha256": kept.sha256})
    return Imported(kept, is_new)


def check(
    content: bytes, *, filename: str, name: str | None = None, actor: User | None
) -> NamedWorkflow:
    """Return what a name would stand for, without storing it. Raises as `take` does."""
    permissions.require(actor, *permissions.TO_GIVE_WORKFLOW)
    called = names.composed(_name_of(filename) if name is None else name)
    _check_name(called)
    row = workflow_library.current(called) or workflow_library.unsaved_workflow(called)
    given = workflow_library.filled_row(
        row, workflow_file_parsing.read(content, node_definitions.known())
    )
    if given.graph is None:
        raise _refused(given.error["code"], given.error["detail"])
    for fault in requested_workflows.faults_of(given):
        raise _refused(fault.code, in_turn([fault.detail, *_causes(given, fault)]))
    return given


def _name_of(filename: str) -> str:
    path = PurePath(filename)
    return f"{path.stem}.json" if path.suffix.lower() in _PICTURES else filename


def _check_name(name: str) -> None:
    if problem := names.problem(name):
        raise InvalidRequest([Problem(NAME, "invalid_name", problem)])
    spelled = workflow_library.spelling(name)
    if spelled not in {None, name}:
        detail = say(
            "There is {spelled!r}: two workflows never differ in case alone.", spelled=spelled
        )
        raise InvalidRequest([Problem(NAME, "name_taken", detail)])


def _causes(given: NamedWorkflow, fault: Remark) -> list[str]:
    """Return what the conversion left out, where that is why something is missing at a node."""
    is_cut = any(
        said["code"] == "link_dropped" and said["node"] == fault.node for said in given.remarks
    )
    left_out = [said["detail"] for said in given.remarks if said["code"] in _LEFT_OUT]
    return left_out[:CAUSES_MOST] if is_cut else []


def _refused(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest([Problem(FILE, f"workflow_{code}", storable(detail))])
