"""Capability: what each batch needs of a server, and which servers have it.

Definitions are big, so they are parsed when they change or when something new is needed, and never
while claiming: a claim joins the rows that are written here.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Subquery

from generation.models import (
    Attempt,
    Batch,
    Capability,
    Needs,
    PlanRun,
    RunGroup,
    Server,
    ServerDefinitions,
    Workflow,
)
from generation.selectors import claimable
from generation.services import node_definitions, requested_workflows, transitions
from generation.states import AttemptOutcome
from generation.workflows import named_files, requirements
from generation.workflows import substitution as params
from generation.workflows.definitions import input_spec, is_choice
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.named_files import EMBEDDINGS, File, is_model_file, names_model
from generation.workflows.requirements import Lack, Requirements, folded
from wording import in_turn

#: What was known of a server: which definitions, and when they were read.
Readings = Mapping[int, tuple[int, str, int, datetime]]
_READING = ("server_id", "pk", "sha256", "n_bytes", "read_at")


def needs_of_workflow(workflow: Workflow, values: Mapping[str, Any]) -> Needs:
    """Return what a workflow needs of a server, with these parameters set (checked before).

    Nothing is written: it is no row yet when nobody has needed it. See `keep`.
    """
    return NeedsReader(workflow).of(values)


class NeedsReader:
    """What plans of one workflow need, each with its own parameters; what is equal is read once.

    A value that was chosen from a list is needed like a model: which server has it belongs to the
    value, and is no matter of whoever asks the workflow for another.
    """

    def __init__(self, workflow: Workflow) -> None:
        self._graph = workflow.graph
        self._definitions = node_definitions.known()
        self._parameters = requested_workflows.parameters(workflow, self._definitions)
        panel = self._parameters.get(requested_workflows.PANEL)
        self._panel = panel.targets if panel else ()
        self._choices = {name for name in self._parameters if self._is_chosen(name)}
        self._known: dict[tuple[tuple[str, str], ...], Needs] = {}

    def of(self, values: Mapping[str, Any]) -> Needs:
        """Return what a plan with these parameters needs; it may be no row yet.

        Raises:
            GraphError: the workflow has no such parameter.
        """
        key = self.deciding(values)
        if key not in self._known:
            self._known[key] = self._read(values)
        return self._known[key]

    def deciding(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return those of the values that what is needed depends on."""
        return tuple(
            sorted(
                (name, str(value))
                for name, value in values.items()
                if name in self._choices or (isinstance(value, str) and names_model(value))
            )
        )

    def _read(self, values: Mapping[str, Any]) -> Needs:
        graph = params.apply(self._graph, values, self._parameters)
        chosen = self._chosen(graph, values)
        for known in self._definitions:
            chosen.update(named_files.pictures(graph, known, but=self._panel))
        needed = params.requirements(graph, params.shipped_definitions(), chosen)
        return _needs(list(needed.classes), [list(file) for file in needed.files])

    def _chosen(self, graph: Graph, values: Mapping[str, Any]) -> set[File]:
        """Return the values that were chosen from a list, by what any server says of its inputs."""
        targets = [target for name in values for target in self._parameters[name].targets]
        return {
            (graph[node]["class_type"], name, str(value))
            for node, name in targets
            if isinstance(value := graph[node]["inputs"][name], str | int | float)
            and self._is_choice((node, name))
        }

    def _is_chosen(self, name: str) -> bool:
        """Tell whether a parameter is chosen from a list, be it that of uploaded pictures."""
        targets = self._parameters[name].targets
        return any(self._is_choice(target) or self._is_upload(target) for target in targets)

    def _is_upload(self, target: tuple[str, str]) -> bool:
        class_type = self._graph[target[0]]["class_type"]
        specs = (input_spec(known, class_type, target[1]) for known in self._definitions)
        return any(spec is not None and spec.is_upload for spec in specs)

    def _is_choice(self, target: tuple[str, str]) -> bool:
        class_type = self._graph[target[0]]["class_type"]
        return any(is_choice(known, class_type, target[1]) for known in self._definitions)


def _needs(classes: list[str], files: list[list[str]]) -> Needs:
    sha256 = _sha256([classes, files])
    models = [file for file in files if file[0] != EMBEDDINGS and is_model_file(file[2])]
    return Needs.objects.filter(sha256=sha256).first() or Needs(
        sha256=sha256,
        classes=classes,
        files=files,
        model_key=_sha256(models) if models else "",
    )


def keep(needs: Needs) -> Needs:
    """Return the row of what is needed, written now when nobody has needed it before."""
    if needs.pk is not None:
        return needs
    fields = ("classes", "files", "model_key")
    defaults = {name: getattr(needs, name) for name in fields}
    return Needs.objects.get_or_create(sha256=needs.sha256, defaults=defaults)[0]


def needs_by_run(batch: Batch) -> Callable[[PlanRun], Needs | None]:
    """Return a function for a batch: what does this run need, by its workflow and values?"""
    wanted: dict[int, NeedsReader] = {}

    def needs(run: PlanRun) -> Needs | None:
        is_as_batch = not run.params or batch.needs is None
        if run.workflow is None or (run.own_workflow_id is None and is_as_batch):
            return batch.needs
        if run.workflow.pk not in wanted:
            wanted[run.workflow.pk] = NeedsReader(run.workflow)
        try:
            return keep(wanted[run.workflow.pk].of(run.values))
        except GraphError:
            # The claim says that they cannot be set, and puts the plan in error.
            return batch.needs

    return needs


def _sha256(names: list[Any]) -> str:
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def refresh(needs: Iterable[Needs] | None = None) -> int:
    """Bring up to date which servers have what is needed; return how many rows were written.

    Without `needs`, for all that the queued plans need. A server whose definitions are unknown
    gets no row: it counts as capable.
    """
    wanted = _of_the_queued() if needs is None else {each.pk: each for each in needs}
    rows = ServerDefinitions.objects.of_enabled()
    readings: Readings = {row[0]: row[1:] for row in rows.values_list(*_READING)}
    stale = _stale(wanted, readings)
    written = [
        _judged(server_id, wanted[needs_id], readings[server_id]) for server_id, needs_id in stale
    ]
    Capability.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["needs", "server"],
        update_fields=["is_capable", "missing", "spellings", "read_at"],
    )
    return len(written)


def _of_the_queued() -> dict[int, Needs]:
    groups = RunGroup.objects.filter(batch__n_queued__gt=0, needs__isnull=False)
    return Needs.objects.in_bulk(set(groups.values_list("needs_id", flat=True)))


def _stale(wanted: Mapping[int, Needs], readings: Readings) -> list[tuple[int, int]]:
    """Return (server, needs) of what was judged by older definitions, or never."""
    rows = Capability.objects.filter(needs__in=wanted, server__in=readings)
    known = {row[:2]: row[2] for row in rows.values_list("server_id", "needs_id", "read_at")}
    return [
        (server_id, needs_id)
        for server_id, (*_, read_at) in readings.items()
        for needs_id in wanted
        if known.get((server_id, needs_id)) != read_at
    ]


def missing(needs: Needs, server_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return what each of these servers lacks, by what was read of it last; writes nothing.

    A server of which nothing is known is left out.
    """
    rows = ServerDefinitions.objects.filter(server__in=server_ids)
    readings: Readings = {row[0]: row[1:] for row in rows.values_list(*_READING)}
    known = Capability.objects.filter(needs=needs.pk, server__in=readings)
    judged = {(row.server_id, row.read_at): row for row in known}
    return {
        server_id: (
            judged.get((server_id, reading[-1])) or _judged(server_id, needs, reading)
        ).missing
        for server_id, reading in readings.items()
    }


def _judged(server_id: int, needs: Needs, reading: tuple[int, str, int, datetime]) -> Capability:
    pk, sha256, n_bytes, read_at = reading
    needed, known = _required(needs), node_definitions.parsed.of(pk, sha256, n_bytes)
    if any(not name for _, name, _ in needed.files):
        known = {**known, **node_definitions.folders_of(pk)}
    lacks = requirements.lacks(needed, known)
    return Capability(
        server_id=server_id,
        needs=needs,
        is_capable=not lacks,
        missing=[asdict(lack) for lack in lacks],
        spellings=requirements.spellings(needed, known),
        read_at=read_at,
    )


def _required(needs: Needs) -> Requirements:
    files = tuple((class_type, name, value) for class_type, name, value in needs.files)
    return Requirements(tuple(needs.classes), files)


def deny(needs: Needs | None, server: Server, found: Iterable[Lack]) -> None:
    """Record that a server refused what it was thought to have, until it is read again."""
    if needs is not None:
        missing = [asdict(lack) for lack in found]
        Capability.objects.update_or_create(
            needs=needs,
            server=server,
            defaults={"is_capable": False, "missing": missing, "spellings": []},
        )
    Server.objects.filter(pk=server.pk).update(needs_reading=True)


def turn_away(attempt: Attempt, found: Iterable[Lack]) -> bool:
    """Queue a plan again that its server lacks something for, and read the server anew.

    False, and nothing done, when the server refused this plan before and no other can take it: the
    server says that it has what it refuses, so the plan would go round for ever.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    run = attempt.run
    if _has_refused(attempt) and not claimable.can_go_elsewhere(run, attempt.server_id):
        return False
    lacking = list(found)
    # First of all, or the batch's next plan would be claimed for the same server.
    deny(_narrowed(attempt, lacking), attempt.server, lacking)
    transitions.turn_away(attempt, in_turn((lack.sentence() for lack in lacking), ", "))
    return True


def _narrowed(attempt: Attempt, lacking: Sequence[Lack]) -> Needs | None:
    """Return what a plan needs, with the values that its server refuses among it.

    So it is learnt that a value is chosen from a list. The value is added to the needs of this plan
    and of the plans of its group that have the same value. Plans with another value are not
    affected.
    """
    needs = attempt.run.needed
    if needs is None:
        return None
    refused = {(lack.where, lack.name) for lack in lacking}
    values = (
        (node["class_type"], name, value)
        for node in attempt.graph.values()
        for name, value in node["inputs"].items()
        if isinstance(value, str)
    )
    known = {(class_type, name, folded(value)) for class_type, name, value in needs.files}
    more = {
        (class_type, name, value)
        for class_type, name, value in values
        if (f"{class_type}.{name}", value) in refused
        and (class_type, name, folded(value)) not in known
    }
    if not more:
        return needs
    files = sorted([*needs.files, *map(list, more)])
    narrowed = keep(_needs(needs.classes, files))
    refresh([narrowed])
    _regroup(attempt.run, narrowed, _own_names(attempt, {where for where, _ in refused}))
    return narrowed


def _own_names(attempt: Attempt, wheres: Collection[str]) -> set[str]:
    """Return which of a run's own parameters are set at these inputs, as `class.input`."""
    workflow, own = attempt.run.workflow, attempt.run.params
    parameters = requested_workflows.parameters(workflow) if workflow and own else {}
    return {
        name
        for name, parameter in parameters.items()
        for node, target in parameter.targets
        if f"{attempt.graph[node]['class_type']}.{target}" in wheres
    }


def _regroup(run: PlanRun, needs: Needs, names: set[str]) -> None:
    """Have a run, and those of its group with the same values of these names, need this."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=run.batch_id)
        group = RunGroup.objects.of(batch, needs, run.own_workflow)
        params = PlanRun.objects.filter(group=run.group_id).values_list("pk", "params")
        alike = [pk for pk, own in params if all(own.get(n) == run.params.get(n) for n in names)]
        PlanRun.objects.filter(pk__in=alike).update(group=group)
        if run.own_workflow_id is None and not names & run.params.keys():
            Batch.objects.filter(pk=batch.pk, needs=run.needed).update(needs=needs)
    run.group = group


def _has_refused(attempt: Attempt) -> bool:
    """Tell whether a server refused the same plan before, since it was requested or retried."""
    since = PlanRun.objects.filter(pk=attempt.run_id).values("tried_from")
    refused = Attempt.objects.filter(run=attempt.run_id, outcome=AttemptOutcome.REFUSED)
    return refused.filter(server=attempt.server_id, number__gt=Subquery(since)).exists()
