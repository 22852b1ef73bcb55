"""What a driver's desk keeps between two claims, and what it must not keep."""

from copy import deepcopy
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Attempt, Batch, Plan, PlanRun, ServerDefinitions
from generation.services import batch_controls
from generation.services.claims import Desk
from generation.services.server_leases import Lease
from generation.states import RunState
from generation.workflows.substitution import shipped_definitions
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

#: Who is idle, whose turn, its locks (server, batch), the run, attempt, run, batch, log, change;
#: the transaction's begin and end.
STATEMENTS_OF_A_CLAIM = 12


def batch(n_plans: int = 3, **fields: Any) -> Batch:
    queued = [RunState.QUEUED] * n_plans
    plans = list(Plan.objects.all()) or factories.many_plans(n_plans)
    return factories.batch(queued, of=plans, workflow=flying.workflow(flying.SAMPLED), **fields)


def define(lease: Lease, class_type: str, name: str, kind: str) -> None:
    """Let the server answer definitions in which an input takes something else."""
    changed = deepcopy(shipped_definitions()[class_type])
    changed["input"]["required"][name] = [kind, {}]
    ServerDefinitions.objects.update_or_create(
        server=lease.server,
        defaults={"definitions": {class_type: changed}, "sha256": "", "read_at": timezone.now()},
    )


def claimed(desk: Desk) -> Attempt:
    """Claim a plan, and build its graph."""
    attempt = desk.claim(in_flight=0)
    assert attempt is not None
    assert desk.build(attempt) is None
    return attempt


def test_a_claim_builds_no_graph_under_its_locks(lease: Lease) -> None:
    batch(params={"steps": 7})

    attempt = Desk(lease).claim(in_flight=0)

    assert attempt and attempt.graph == {}


def test_a_graph_is_built_by_whoever_has_the_attempt_then(lease: Lease) -> None:
    batch(params={"steps": 7})
    Desk(lease).claim(in_flight=0)
    left = Attempt.objects.select_related("run__batch").get()

    assert Desk(lease).build(left) is None

    stored = Attempt.objects.get()
    steps = [node["inputs"].get("steps") for node in stored.graph.values()]
    assert 7 in steps
    assert str(stored.prompt_id) in str(stored.graph)


def test_what_cannot_be_set_in_the_workflow_is_told(lease: Lease) -> None:
    batch(params={"colour": "red"})
    attempt = Desk(lease).claim(in_flight=0)
    assert attempt is not None

    why = Desk(lease).build(attempt)

    assert why is not None
    assert why.code == "invalid_graph"
    assert Attempt.objects.get().graph == {}


def test_a_second_claim_asks_for_nothing_that_cannot_have_changed(lease: Lease) -> None:
    batch()
    desk = Desk(lease)
    assert desk.claim(in_flight=0)

    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert desk.claim(in_flight=1)

    statements = [each["sql"] for each in seen.captured_queries]
    assert len(statements) <= STATEMENTS_OF_A_CLAIM, "\n".join(statements)


def test_definitions_that_were_read_meanwhile_count_at_once(lease: Lease) -> None:
    sampler = next(
        node_id for node_id, node in flying.SAMPLED.items() if node["class_type"] == "KSampler"
    )
    batch(params={"steps": 7})
    desk = Desk(lease)
    before = claimed(desk)
    define(lease, "KSampler", "steps", "FLOAT")

    after = claimed(desk)

    assert isinstance(before.graph[sampler]["inputs"]["steps"], int)
    assert isinstance(after.graph[sampler]["inputs"]["steps"], float)


def test_a_batch_that_was_paused_meanwhile_is_seen(lease: Lease) -> None:
    first, second = batch(), batch()
    desk = Desk(lease)
    claimed = desk.claim(in_flight=0)
    assert claimed and claimed.run.batch_id == first.pk

    batch_controls.pause(first, actor=None)
    again = desk.claim(in_flight=1)

    assert again and again.run.batch_id == second.pk


def test_a_claim_tells_what_a_plan_has_of_its_own(lease: Lease) -> None:
    run = batch(1).runs.get()
    PlanRun.objects.update(params={"steps": 12}, sources={"steps": "plan"})

    Desk(lease).claim(in_flight=0)

    assert run.logs.get(event="own_values").data == {"values": "steps 12 (plan)"}


def test_a_claim_puts_the_plan_s_names_into_the_texts_that_were_asked_for(lease: Lease) -> None:
    batch(1, params={"prompt": "{sequence}-{plan} of {episode} {{wide}}"})

    attempt = claimed(Desk(lease))

    texts = [node["inputs"].get("text") for node in attempt.graph.values()]
    assert "SQ0000-0000 of E202 {wide}" in texts


def test_a_text_of_the_workflow_s_own_is_left_as_it_is(lease: Lease) -> None:
    graph = deepcopy(flying.SAMPLED)
    encoder = next(node for node in graph.values() if "text" in node["inputs"])
    encoder["inputs"]["text"] = "{plan} {mood} {{wide}}"
    factories.batch([RunState.QUEUED], workflow=flying.workflow(graph))

    attempt = claimed(Desk(lease))

    assert "{plan} {mood} {{wide}}" in str(attempt.graph)
