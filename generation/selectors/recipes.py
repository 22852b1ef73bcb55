"""The recipe of a version: all that made it, as it was stored when it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NotRequired, TypedDict

from django.db.models import F

from generation.errors import NotFound
from generation.models import Attempt, PlanRun, Version, Workflow
from generation.models.version import VersionQuerySet
from generation.parameter_sources import ValueSource
from generation.selectors import results
from generation.selectors.results import Result
from generation.workflows import named_files, prompt_templates
from generation.workflows.definitions import shipped_definitions
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter
from wording import say

#: What a version is known by, in the order in which a hash is looked for.
HASHES = ("sha256", "served_sha256", "pixels_sha256")
#: Names of parameters that a recipe tells apart from the others.
_APART = frozenset({"panel", "seed"})
#: So many other versions with the same hash are named.
_ALSO_MOST = 100


class RecipeParameter(TypedDict):
    """A value as it was posted, and where it came from.

    `template` is the text that was given for it, where fields of it were filled in.
    """

    value: Any
    source: str
    template: NotRequired[str]


class RecipePanel(TypedDict):
    """The panel that a picture started from."""

    id: int
    version: int
    filename: str
    sha256: str


class RecipeWorkflow(TypedDict):
    """The frozen workflow; `sha256` is that of its graph, the other of what was chosen of it."""

    workflow_json: str
    sha256: str
    contract_sha256: str | None


class RecipeAttempt(TypedDict):
    """One prompt on one server: how it ended, and when."""

    attempt: int
    prompt_id: str
    server: str
    outcome: str
    code: str | None
    detail: str
    begun_at: str
    posted_at: str | None
    finished_at: str | None
    render_s: float | None


class Recipe(TypedDict):
    """All that made a version; what belongs to a prompt is null for one that no prompt made.

    `attempt` is the number of the one among `attempts` that made it.
    """

    id: int
    project_id: str
    season: str
    episode: str
    version: Result
    origin: str
    pixels_sha256: str | None
    created_by: str | None
    published_at: str
    batch_id: str | None
    requested_by: str | None
    requested_at: str | None
    style: str | None
    workflow: RecipeWorkflow | None
    graph: dict[str, Any] | None
    parameters: dict[str, RecipeParameter]
    seed: str | None
    seed_source: str | None
    panel: RecipePanel | None
    models: list[str]
    server: str | None
    comfyui_version: str | None
    attempt: int | None
    attempts: list[RecipeAttempt]


class FoundRecipe(Recipe):
    """A recipe that was looked for: by which hash, and the ids of others that have the same."""

    matched_by: str
    also: list[int]


@dataclass(frozen=True)
class Match:
    """The version that a hash stands for: the first that was rendered, else the first of all."""

    version: Version
    matched_by: str
    also: list[int]


class Difference(NamedTuple):
    """One thing in which two recipes differ; a value that one lacks is None."""

    what: str
    first: Any
    second: Any


def version(version_id: int) -> Version:
    """Return a published version with all that its recipe tells.

    Raises:
        NotFound: there is none of this id.
    """
    row = _related().filter(pk=version_id).first()
    if row is None:
        raise NotFound(
            say("There is no file {version_id}.", version_id=version_id), code="unknown_version"
        )
    return row


def find(hashes: Mapping[str, str]) -> Match:
    """Return the version with one of these hashes, by their names in the order of `HASHES`.

    Raises:
        NotFound: none has any of them.
    """
    for name in (name for name in HASHES if hashes.get(name)):
        same = _related().filter(**{name: hashes[name]})
        # A prompt's come first, in the order of their attempts.
        rendered_first = same.order_by(F("attempt").asc(nulls_last=True), "pk")
        ids = list(rendered_first.values_list("pk", flat=True)[: _ALSO_MOST + 1])
        if ids:
            return Match(same.get(pk=ids[0]), name, ids[1:])
    raise NotFound(say("Madsea has published no such picture."), code="unknown_picture")


def _related() -> VersionQuerySet:
    made = ("created_by", "batch__style", "batch__requested_by", "batch__workflow")
    of_prompt = ("run__own_workflow", "attempt__server", "attempt__panel")
    related = ("plan__sequence__episode__project", *made, *of_prompt)
    return Version.objects.published().select_related(*related)


def workflow_of(version: Version) -> Workflow | None:
    """Return the workflow that a prompt made a version with; None where no prompt made it."""
    if version.attempt is None or version.batch is None:
        return None
    own = version.run.own_workflow if version.run else None
    return own or version.batch.workflow


def recipe(version: Version, parameters: Mapping[str, Parameter], origin: str = "") -> Recipe:
    """Return the recipe of a version (from `version` or `find`).

    `parameters` are those of its workflow; `origin` (scheme and host) makes addresses absolute.
    """
    episode = version.plan.sequence.episode
    batch, attempt = version.batch, version.attempt
    style = batch.style.code if batch else None
    return {
        "id": version.pk,
        "project_id": episode.project.code,
        "season": episode.season,
        "episode": episode.code,
        "version": results.one(version, origin),
        "origin": version.origin,
        "pixels_sha256": version.pixels_sha256 or None,
        "created_by": _username(version.created_by),
        "published_at": _time(version.published_at) or "",
        "batch_id": batch.public_id if batch else None,
        "requested_by": _username(batch.requested_by) if batch else None,
        "requested_at": _time(batch.created_at) if batch else None,
        "style": style,
        "workflow": _workflow(workflow_of(version)),
        "graph": attempt.graph if attempt else None,
        "parameters": _parameters(version.run, attempt, parameters),
        "seed": attempt.seed or None if attempt else None,
        "seed_source": _source(version.run, "seed") if attempt and attempt.seed else None,
        "panel": _panel(attempt.panel if attempt else None),
        "models": _models(attempt.graph) if attempt else [],
        "server": attempt.server.name if attempt else None,
        "comfyui_version": attempt.server_version or None if attempt else None,
        "attempt": attempt.number if attempt else None,
        "attempts": _attempts(version.run),
    }


def _username(user: Any) -> str | None:
    return str(user.get_username()) if user else None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _workflow(workflow: Workflow | None) -> RecipeWorkflow | None:
    if workflow is None:
        return None
    return {
        "workflow_json": workflow.name,
        "sha256": workflow.sha256,
        "contract_sha256": workflow.contract_sha256 or None,
    }


def _parameters(
    run: PlanRun | None, attempt: Attempt | None, parameters: Mapping[str, Parameter]
) -> dict[str, RecipeParameter]:
    """Return what each parameter was in the graph that was posted."""
    if attempt is None:
        return {}
    given = run.values if run else {}
    return {
        name: _told(_value(attempt.graph, parameter), _source(run, name), given.get(name))
        for name, parameter in parameters.items()
        if name not in _APART
    }


def _told(value: Any, source: str, given: Any) -> RecipeParameter:
    told: RecipeParameter = {"value": value, "source": source}
    if isinstance(given, str) and given != value and prompt_templates.has_any(given):
        told["template"] = given
    return told


def _value(graph: Graph, parameter: Parameter) -> Any:
    node_id, name = parameter.targets[0]
    node = graph.get(node_id)
    return node["inputs"].get(name) if node else None


def _source(run: PlanRun | None, name: str) -> str:
    if run is None:
        return ValueSource.WORKFLOW
    return str(
        run.value_sources.get(name, ValueSource.DRAWN if name == "seed" else ValueSource.WORKFLOW)
    )


def _panel(panel: Version | None) -> RecipePanel | None:
    if panel is None:
        return None
    number, filename = panel.number, str(panel)
    return {"id": panel.pk, "version": number, "filename": filename, "sha256": panel.sha256}


def _models(graph: Graph) -> list[str]:
    return sorted({name for *_, name in named_files.models(graph, shipped_definitions())})


def _attempts(run: PlanRun | None) -> list[RecipeAttempt]:
    if run is None:
        return []
    rows = run.attempts.select_related("server").defer("graph").order_by("number")
    return [_attempt(attempt) for attempt in rows]


def _attempt(attempt: Attempt) -> RecipeAttempt:
    return {
        "attempt": attempt.number,
        "prompt_id": attempt.id_on_server,
        "server": attempt.server.name,
        "outcome": attempt.outcome,
        "code": attempt.failure_code or None,
        "detail": attempt.outcome_detail,
        "begun_at": _time(attempt.created_at) or "",
        "posted_at": _time(attempt.acknowledged_at),
        "finished_at": _time(attempt.finished_at),
        "render_s": attempt.render_s,
    }


def differences(first: Recipe, second: Recipe) -> list[Difference]:
    """Return in what two recipes differ: workflow, parameters, seed, panel, models, server."""
    names = [
        *second["parameters"],
        *(n for n in first["parameters"] if n not in second["parameters"]),
    ]
    pairs = [
        ("workflow", _told_workflow(first), _told_workflow(second)),
        *((name, _parameter(first, name), _parameter(second, name)) for name in names),
        ("seed", first["seed"], second["seed"]),
        ("panel", _told_panel(first), _told_panel(second)),
        ("models", ", ".join(first["models"]) or None, ", ".join(second["models"]) or None),
        ("server", first["server"], second["server"]),
        ("ComfyUI", first["comfyui_version"], second["comfyui_version"]),
        (say("made by"), first["origin"], second["origin"]),
    ]
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def _parameter(recipe: Recipe, name: str) -> Any:
    told = recipe["parameters"].get(name)
    return told["value"] if told else None


def _told_workflow(recipe: Recipe) -> str | None:
    workflow = recipe["workflow"]
    return f"{workflow['workflow_json']} ({workflow['sha256'][:8]})" if workflow else None


def _told_panel(recipe: Recipe) -> str | None:
    panel = recipe["panel"]
    return f"{panel['filename']} ({panel['sha256'][:8]})" if panel else None
