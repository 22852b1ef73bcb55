"""Workflows: files looked up by name, frozen in the database by their SHA-256."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from generation.comfyui import graph as graphs
from generation.comfyui import parameters as params
from generation.comfyui.lenient import storable
from generation.comfyui.requirements import is_model_file
from generation.comfyui.values import shown
from generation.errors import InvalidRequest, Problem
from generation.models import ServerDefinitions, Workflow

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,121}\.json")
FIELD = "workflow_json"
PANEL = "panel"
SEED = "seed"
#: What ComfyUI takes as a seed: 64 bits.
SEED_END = 2**64

Definitions = Sequence[Mapping[str, Any]]


def available() -> list[str]:
    """Return the names that a request may use, sorted."""
    folder = Path(settings.MADSEA_WORKFLOWS)
    files = (path.name for path in folder.glob("*.json") if path.is_file())
    return sorted(name for name in files if NAME.fullmatch(name))


def load(name: str) -> Workflow:
    """Return the frozen workflow of a file of the workflows folder: see `find`.

    Raises:
        InvalidRequest: as `find`.
    """
    return freeze(find(name))


def freeze(workflow: Workflow) -> Workflow:
    """Return a workflow's row, written now when nothing has been asked of it before."""
    if workflow.pk is not None:
        return workflow
    frozen, _ = Workflow.objects.get_or_create(
        name=workflow.name, sha256=workflow.sha256, defaults={"graph": workflow.graph}
    )
    return frozen


def find(name: str) -> Workflow:
    """Return the workflow of a file of the workflows folder, as the file is now; writes nothing.

    It is no row yet when nothing has been asked of it: see `freeze`.

    Raises:
        InvalidRequest: no such file, or it is no API-format graph with an output, or its titles
            name parameters that cannot be.
    """
    if not NAME.fullmatch(name) or name not in available():
        known = ", ".join(available()) or "none"
        raise _refused("unknown_workflow", f"There is no workflow {name!r:.100}. Known: {known}.")
    try:
        graph = _read(Path(settings.MADSEA_WORKFLOWS) / name)
    except OSError as error:
        raise _refused("workflow_unreadable", f"{name}: {error.strerror or error}") from error
    except graphs.GraphError as error:
        raise _refused(f"workflow_{error.code}", storable(f"{name}: {error}")) from error
    sha256 = graphs.sha256(graph)
    frozen = Workflow.objects.filter(name=name, sha256=sha256).first()
    return frozen or Workflow(name=name, sha256=sha256, graph=graph)


def _read(file: Path) -> graphs.Graph:
    """Return the graph of a file, if it can be stored and its parameters found."""
    graph = graphs.load(file.read_bytes())
    text = json.dumps(graph, ensure_ascii=False)
    if storable(text) != text or "\\u0000" in text:
        raise graphs.GraphError("bad_text", "It holds characters that are no text.")
    for known in known_definitions():
        seed = params.find(graph, known).get(SEED)
        if seed is not None and seed.type != "SEED":
            raise graphs.GraphError("bad_seed", "What it calls seed is no whole number.")
    return graph


def parameters(
    workflow: Workflow, definitions: Definitions | None = None
) -> dict[str, params.Parameter]:
    """Return the parameters of a workflow by name, with types, bounds and defaults.

    Bounds come from the definitions that a server answered last, else from those shipped.
    `definitions`: see `known_definitions`; None reads them now.
    """
    return params.find(workflow.graph, (definitions or known_definitions())[0])


def check_params(
    workflow: Workflow, given: Mapping[str, Any], definitions: Definitions | None = None
) -> list[Problem]:
    """Return what is wrong with parameters for a workflow, each by name; empty when all fit.

    One server that can take them is enough. What a server's lists do not name is no problem here:
    the preflight says which server has it. The panel is not a parameter that a request can set: it
    is the plan's own. `definitions`: see `known_definitions`; None reads them now.
    """
    if not given:
        return []
    found = (_problems(workflow, given, each) for each in definitions or known_definitions())
    return min(found, key=len)


def _problems(
    workflow: Workflow, given: Mapping[str, Any], known: Mapping[str, Any]
) -> list[Problem]:
    is_live = known is not params.shipped_definitions()
    found = [
        problem
        for problem in params.check(given, params.find(workflow.graph, known))
        # One that is down may have it, or have got it since it was read.
        if not (problem.code == "not_in_list" and (is_live or is_model_file(given[problem.name])))
    ]
    problems = [Problem(f"params.{named(p.name)}", p.code, p.detail) for p in found]
    if SEED in given and not problems and not 0 <= int(given[SEED]) < SEED_END:
        seed = given[SEED]
        detail = f"seed must be between 0 and {SEED_END - 1}, not {shown(seed)}."
        problems.append(Problem(f"params.{SEED}", "out_of_bounds", detail))
    return problems


def known_definitions() -> Definitions:
    """Return each server's node definitions, the latest first; those shipped, without any."""
    live = ServerDefinitions.objects.filter(server__is_enabled=True).order_by("-read_at")
    known = [_definitions(pk, read_at) for pk, read_at in live.values_list("pk", "read_at")]
    return known or [params.shipped_definitions()]


@lru_cache(maxsize=64)
def _definitions(pk: int, _: datetime) -> Mapping[str, Any]:
    # Big, and the same until the server is read again.
    return {**params.shipped_definitions(), **ServerDefinitions.objects.get(pk=pk).definitions}


def none_apply(given: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each parameter given where there is no workflow to take it."""
    detail = "There is no workflow that could take this parameter: name one in workflow_json."
    return [Problem(f"params.{named(name)}", "no_workflow", detail) for name in given]


def named(key: object) -> str:
    """Return a key that somebody made up so that an answer can name it: short, and plain text."""
    return storable(str(key))[:64]


def needs_panel(workflow: Workflow) -> bool:
    """Tell whether the workflow starts from the plan's panel."""
    return PANEL in parameters(workflow)


def _refused(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest([Problem(FIELD, code, detail)])
