"""What a version that is to be made again was asked for with: the ground of its retake."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.models import Batch, PlanRun, Version, Workflow
from generation.parameter_sources import ValueSource
from generation.selectors import recipes
from generation.services import placeholder_values, request_params, requested_workflows
from generation.services.request_params import PlanKey
from generation.services.request_validation import BatchRequest
from generation.states import Mode

PROMPT = "prompt"
#: Who asked for a value, where not style or workflow told it.
_ASKED = (ValueSource.REQUEST, ValueSource.SEQUENCE, ValueSource.PLAN, ValueSource.RETRY)


@dataclass(frozen=True)
class RetakeSource:
    """A version, and the run that made it."""

    version: Version
    batch: Batch
    run: PlanRun

    @property
    def key(self) -> PlanKey:
        """Its plan."""
        return self.version.plan.sequence.code, self.version.plan.code

    @property
    def workflow_name(self) -> str:
        """The workflow that it is made with; empty where artists make it."""
        workflow = recipes.workflow_of(self.version) or self.batch.workflow
        return workflow.name if workflow and self.batch.mode == Mode.AUTO else ""

    @property
    def seed(self) -> str:
        """The seed that it was made with; empty where there was none."""
        return self.version.attempt.seed if self.version.attempt else self.run.seed

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for it beside what style and workflow told; its seed left out."""
        sources = self.run.value_sources
        return {
            name: value
            for name, value in self.run.values.items()
            if sources.get(name) in _ASKED and name != requested_workflows.SEED
        }


def ground(version: Version) -> RetakeSource | None:
    """Return the ground of a version's retake; None where no batch asked for it."""
    if version.batch is None or version.run is None:
        return None
    return RetakeSource(version, version.batch, version.run)


class PromptsOfPlans:
    """The prompts that plans would be made with; each workflow is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[bool, Mapping[str, Any], str]] = {}

    def of(self, ground: RetakeSource) -> str | None:
        """Return the prompt of a plan, as a request would give it; None: it has none.

        Raises:
            InvalidRequest: its workflow is not there any more, or cannot be used.
        """
        if not ground.workflow_name:
            return None
        has_prompt, over, own = self._of_style(ground)
        if not has_prompt:
            return None
        given = ground.asked.get(PROMPT, over.get(PROMPT))
        return str(given) if isinstance(given, str) else as_given(str(own))

    def _of_style(self, ground: RetakeSource) -> tuple[bool, Mapping[str, Any], str]:
        key = ground.workflow_name, ground.batch.style_id
        if key not in self._known:
            workflow = requested_workflows.find(ground.workflow_name)
            contract = requested_workflows.contract(workflow)
            over, _ = request_params.defaults(contract, workflow.name, ground.batch.style)
            parameter = contract.parameters.get(PROMPT)
            self._known[key] = (
                parameter is not None,
                over,
                str(parameter.default) if parameter else "",
            )
        return self._known[key]


def as_given(text: str) -> str:
    """Return a text so that a request that gives it has no fields in it."""
    return text.replace("{", "{{").replace("}", "}}")


def prompt_addition(comment: str) -> str:
    """Return what a comment would add to a prompt: one line, whose brackets are no weights."""
    line = as_given(placeholder_values.in_one_line(comment))
    return line.replace("(", "\\(").replace(")", "\\)")


def with_addition(prompt: str, addition: str) -> str:
    """Return a prompt with what is added to it."""
    return ", ".join(filter(None, (prompt.rstrip().rstrip(","), addition.strip())))


def is_same(ground: RetakeSource, request: BatchRequest, newest_panel: int | None) -> bool:
    """Tell whether a request would make a version's very picture again."""
    workflow, attempt = recipes.workflow_of(ground.version), ground.version.attempt
    if workflow is None or attempt is None or request.workflow is None:
        return False
    own = request.own.get(ground.key)
    values = {**request.params, **(own.params if own else {})}
    seed = values.pop(requested_workflows.SEED, None)
    is_drawn = seed is None and request.seed_bounds is not None
    before = {k: v for k, v in ground.run.values.items() if k != requested_workflows.SEED}
    fields = placeholder_values.used_fields(values)
    texts = placeholder_values.texts_of(ground.version.plan, fields)
    return (
        not is_drawn
        and (seed is None or str(seed) == attempt.seed)
        and _hashes(workflow) == _hashes(request.workflow)
        and values == before
        and texts == ground.run.texts
        and (not request.needs_panel or newest_panel == attempt.panel_id)
    )


def _hashes(workflow: Workflow) -> tuple[str, str]:
    return workflow.sha256, workflow.contract_sha256
