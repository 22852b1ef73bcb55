"""Every role and every act of production: only what it may, whichever door."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from rest_framework.test import APIClient

from generation.errors import Forbidden
from generation.models import Batch, NamedWorkflow, Plan
from generation.services import (
    batch_controls,
    batches,
    outside_images,
    permissions,
    plan_attributes,
    plan_runs,
    request_validation,
    roles,
    workflow_library,
    workflow_trials,
)
from generation.states import Mode, RunState
from review.services import decisions
from review.services.decisions import AskedDecision, Reviewer
from review.states import Decision, Door
from tests import factories
from tests.api.calls import EXAMPLE, URL
from tests.conftest import client_of
from tests.review.deciding import asked, concepts

pytestmark = pytest.mark.django_db
NOBODY = "nobody"
SUPERVISOR_ALONE = {roles.SUPERVISOR}
WITH_IMAGES = {roles.SUPERVISOR, roles.ARTIST}


@pytest.fixture(autouse=True)
def roles_hold(settings: Any) -> None:
    """Who is signed in may what the role says."""
    settings.MADSEA_EVERYBODY_MAY = False


def person(role: str) -> User:
    """Return somebody of a role, or of none."""
    made = User.objects.create_user(f"some {role}")
    made.groups.set(Group.objects.filter(name=role))
    return made


def plan() -> Plan:
    return factories.plans()[0]


def batch(mode: Mode = Mode.AUTO) -> Batch:
    first = RunState.QUEUED if mode == Mode.AUTO else RunState.WAITING
    return factories.batch([first], mode=mode)


def ask(user: User) -> object:
    return batches.create(request_validation.read(EXAMPLE), requester=user)


def upload(user: User) -> object:
    run = batch(Mode.MANUEL).runs.get()
    return plan_runs.upload(run, factories.png(), filename="a.png", actor=user)


def give_panel(user: User) -> object:
    return outside_images.import_panel(plan(), factories.png(), filename="a.png", actor=user)


def decision(user: User, of: Decision, **fields: Any) -> object:
    [version] = concepts(plan(), 1)
    one: AskedDecision = asked(version, of, **fields)
    return decisions.decide([one], by=Reviewer(user), door=Door.API)


def retry(user: User) -> object:
    return batches.retry(factories.batch([RunState.ERROR]), actor=user)


ACTS: Mapping[str, tuple[Callable[[User], object], set[str]]] = {
    "ask": (ask, SUPERVISOR_ALONE),
    "retry": (retry, SUPERVISOR_ALONE),
    "cancel a batch": (lambda user: batches.cancel(batch(), actor=user), SUPERVISOR_ALONE),
    "cancel a plan": (
        lambda user: plan_runs.cancel(batch().runs.get(), actor=user),
        SUPERVISOR_ALONE,
    ),
    "steer": (
        lambda user: batch_controls.steer(batch(), actor=user, priority=1),
        SUPERVISOR_ALONE,
    ),
    "raise": (lambda user: batch_controls.move_priority(batch(), 1, actor=user), SUPERVISOR_ALONE),
    "write": (
        lambda user: plan_attributes.write(plan(), {"notes": "x"}, by=user, source="api"),
        SUPERVISOR_ALONE,
    ),
    "approve": (lambda user: decision(user, Decision.APPROVE), SUPERVISOR_ALONE),
    "comment": (lambda user: decision(user, Decision.COMMENT, comment="Good."), WITH_IMAGES),
    "upload": (upload, WITH_IMAGES),
    "give a panel": (give_panel, WITH_IMAGES),
    "give a workflow": (
        lambda user: permissions.require(user, permissions.GIVE_WORKFLOW, "give a workflow"),
        {roles.DIRECTOR},
    ),
}
PAIRS = [
    (name, role)
    for name in ACTS
    for role in (roles.ARTIST, roles.SUPERVISOR, roles.DIRECTOR, NOBODY)
]
ALLOWED = [(name, role) for name, role in PAIRS if role in ACTS[name][1]]
REFUSED = [pair for pair in PAIRS if pair not in ALLOWED]


@pytest.mark.parametrize(("name", "role"), ALLOWED)
def test_a_role_does_what_it_may(name: str, role: str) -> None:
    ACTS[name][0](person(role))


@pytest.mark.parametrize(("name", "role"), REFUSED)
def test_a_role_does_nothing_else(name: str, role: str) -> None:
    with pytest.raises(Forbidden) as refused:
        ACTS[name][0](person(role))

    assert "it takes the permission" in refused.value.detail


@pytest.mark.parametrize(("name", "role"), [pair for pair in REFUSED if pair[1] == NOBODY])
def test_where_everybody_may_all_but_giving_workflows_is_done(
    name: str, role: str, settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = True
    may = name != "give a workflow"

    assert may == _is_done(lambda: ACTS[name][0](person(role)))


def _is_done(act: Callable[[], object]) -> bool:
    try:
        act()
    except Forbidden:
        return False
    return True


def test_whoever_is_disabled_may_nothing_even_where_everybody_may(
    stranger: User, settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = True

    assert not permissions.may(stranger, permissions.ASK)


@pytest.mark.parametrize(("role", "status"), [(roles.ARTIST, 403), (roles.SUPERVISOR, 201)])
def test_the_api_says_the_same(role: str, status: int) -> None:
    answer = client_of(person(role)).post(URL, EXAMPLE, format="json")

    assert answer.status_code == status


def test_every_role_looks_at_everything(plans: list[Plan]) -> None:
    api: APIClient = client_of(person(roles.ARTIST))

    assert api.get("/api/plans").status_code == api.get("/api/reviews").status_code == 200


def test_filling_the_groups_again_changes_nothing_and_takes_nothing() -> None:
    own = Permission.objects.get(codename="add_user")
    artist = Group.objects.get(name=roles.ARTIST)
    artist.permissions.add(own)
    before = set(artist.permissions.values_list("pk", flat=True))

    roles.fill()

    assert set(artist.permissions.values_list("pk", flat=True)) == before


def test_a_technical_director_tries_a_workflow_on_one_plan_and_asks_for_no_more() -> None:
    workflow_library.read_folder()
    row = NamedWorkflow.objects.get(name="Silhouette.json")
    director, artist = person(roles.DIRECTOR), person(roles.ARTIST)

    batch = workflow_trials.try_on(plan(), row, "ombres_chinoises", actor=director)

    assert (batch.n_total, batch.requested_by) == (1, director)
    with pytest.raises(Forbidden):
        workflow_trials.try_on(plan(), row, "ombres_chinoises", actor=artist)
    with pytest.raises(Forbidden):
        ask(director)
