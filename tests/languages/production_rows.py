"""A studio in the middle of its work: rows of every kind, whose own words are of no language."""

from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.utils import timezone
from rest_framework.authtoken.models import TokenProxy

from generation import events
from generation.failures import FAILURES, failure
from generation.models import Batch, Plan, PlanRun, Server
from generation.services import batch_controls, batches, plan_attributes, workflow_library
from generation.states import Mode, RunState, ServerHealth
from review.services import links
from review.services.links import MadeLink, NewLink
from storyboards.models import Convention, StoryboardImport
from storyboards.services import confirmation
from tests import factories
from tests.review import deciding
from tests.storyboards import boards
from wording import as_json

STATES = tuple(RunState)
REASON = "SQ0010-0010"
#: Of these more than one row is looked at: each state has a page of its own.
_MANY = {Plan: 2, PlanRun: len(STATES), Server: 5, StoryboardImport: 2, Batch: 2}


@dataclass
class Studio:
    """Rows to open the pages of, by app, model and key; and a guest's link."""

    guest: MadeLink
    keys: dict[str, list[Any]] = field(default_factory=dict)


def studio(supervisor: User) -> Studio:
    """Return a studio in which everything has happened once."""
    plans = factories.plans({"SQ0010": [f"{10 * (n + 1):04d}" for n in range(len(STATES) + 1)]})
    machines(plans)
    batch = factories.batch(STATES, of=plans[:-1], requested_by=supervisor, variations=2)
    factories.batch((RunState.WAITING,), of=plans[:1], mode=Mode.MANUEL, requested_by=supervisor)
    histories(batch, plans, supervisor)
    batches.cancel(factories.batch(of=plans[:3]), actor=supervisor)
    batches.retry(batch, actor=supervisor)
    guest = reviews(plans, supervisor)
    drafts(supervisor)
    others(supervisor)
    return Studio(guest, keys_of_all())


def machines(plans: list[Plan]) -> None:
    """Servers in every state, and a style's and a workflow's pages."""
    factories.server("gpu-2", health=ServerHealth.DOWN)
    factories.server("gpu-3", is_enabled=False)
    factories.server("gpu-4", is_draining=True)
    now = timezone.now()
    factories.server("gpu-5", set_aside_at=now, set_aside_code="out_of_memory")
    factories.unmet(missing="x.safetensors", on=factories.server("gpu-1"))
    workflow_library.read_folder()


def histories(batch: Batch, plans: list[Plan], supervisor: User) -> None:
    """Logs, attempts, texts and acts."""
    [run] = batch.runs.filter(state=RunState.ERROR)
    ends = [failure(code, "") for code in FAILURES]
    PlanRun.objects.filter(pk=run.pk).update(
        error_message=ends[0].message, error_remedy=ends[0].remedy
    )
    for end in ends[:2]:
        factories.attempt(run, outcome="error", outcome_detail=end.message)
    for code, event in events.EVENTS.items():
        names = {name for _, name, *_ in Formatter().parse(event.sentence) if name}
        data = dict.fromkeys(names, "0010") | {"message": as_json(ends[0].message)}
        factories.log(batch, run, code, data=data)
    batch_controls.steer(batch, actor=supervisor, priority=5, name=REASON)
    texts = {"notes": REASON, "production_status": "on_hold"}
    plan_attributes.write(plans[0], texts, by=supervisor, source="admin")


def reviews(plans: list[Plan], supervisor: User) -> MadeLink:
    """Pictures that were judged, and a link to one that was not."""
    first, other = (deciding.concepts(plan, 1)[0] for plan in plans[-2:])
    factories.version(plans[-1], task="extracted-raw")
    by = deciding.Reviewer(supervisor)
    deciding.retake(first, REASON, by=by)
    asked = NewLink(plans[0].sequence.episode_id, version_ids=[other.pk], label=REASON)
    return links.create(asked, by=supervisor)


def drafts(supervisor: User) -> None:
    """A storyboard that was confirmed, and another version of it that was not."""
    told = {"dialogue": "", "action": "", "notes": ""}
    confirmation.confirm(boards.read([boards.board(1, **told)]), actor=supervisor)
    boards.read([boards.board(2, **told, doubts=["label_missing"]), boards.board(3, **told)])
    Convention.objects.get_or_create(project=Plan.objects.first().sequence.episode.project)


def others(supervisor: User) -> None:
    """What other packages keep: tasks, groups, tokens."""
    Group.objects.get_or_create(name="Labo")
    TokenProxy.objects.get_or_create(user=supervisor)
    now = timezone.now()
    for success in (True, False):
        fields = {"id": f"{success}", "name": "tick", "func": "generation.tasks.drive"}
        task = apps.get_model("django_q", "Task")
        task.objects.create(success=success, started=now, stopped=now, **fields)


def keys_of_all() -> dict[str, list[Any]]:
    """Return some keys of each model: all of those whose rows look different."""
    return {
        f"{model._meta.app_label}/{model._meta.model_name}": [
            row.pk for row in model._default_manager.order_by("pk")[: _MANY.get(model, 1)]
        ]
        for model in apps.get_models()
    }
