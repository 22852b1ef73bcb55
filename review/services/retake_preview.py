"""What there is to make again, as somebody is shown it before it is started."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from generation.errors import InvalidRequest
from generation.models import Batch, Version
from review.models import Retake, Review
from review.selectors import retakes, reviews
from review.selectors.reviews import ReviewDocument
from review.services import retake_source
from review.services.retake_source import PromptsOfPlans, RetakeSource


class RetakeDocument(TypedDict):
    """A version that is to be made again.

    `review` is the decision that asks for it. `params` are what was asked for it beside what style
    and workflow tell, `prompt` what it would be made with, None where its workflow takes none or is
    gone; `prompt_addition` is what the comment would add to it, if somebody wants that. `batch_id`
    is the last that was started for it; `style` is None for what no batch asked for, which cannot
    be made again.
    """

    version: int
    filename: str
    plan_id: int
    sequence_id: str
    plan: str
    review: ReviewDocument
    style: str | None
    workflow_json: str | None
    seed: str | None
    params: dict[str, Any]
    prompt: str | None
    prompt_addition: str
    in_render: bool
    batch_id: str | None


class StartedDocument(TypedDict):
    """A batch that makes plans again, and how many."""

    batch_id: str
    plans: int


def started_document(batch: Batch) -> StartedDocument:
    """Return a batch of retakes."""
    return {"batch_id": batch.public_id, "plans": batch.n_total // batch.variations}


def documents(versions: Sequence[Version]) -> list[RetakeDocument]:
    """Return versions of `retakes.to_make`, as far as a decision asks for them."""
    asking = retakes.asking_decisions([version.pk for version in versions])
    last = retakes.last_of([review.pk for review in asking.values()])
    busy = retakes.in_render([version.plan_id for version in versions])
    prompts = PromptsOfPlans()
    return [
        _document(version, asking[version.pk], prompts, last, is_busy=version.plan_id in busy)
        for version in versions
        if version.pk in asking
    ]


def _document(
    version: Version,
    review: Review,
    prompts: PromptsOfPlans,
    last: Mapping[int, Retake],
    *,
    is_busy: bool,
) -> RetakeDocument:
    ground = retake_source.ground(version)
    return {
        "version": version.pk,
        "filename": str(version),
        "plan_id": version.plan_id,
        "sequence_id": version.plan.sequence.code,
        "plan": version.plan.code,
        "review": reviews.document(review),
        "style": ground.batch.style.code if ground else None,
        "workflow_json": (ground.workflow_name or None) if ground else None,
        "seed": (ground.seed or None) if ground else None,
        "params": ground.asked if ground else {},
        "prompt": _prompt(ground, prompts) if ground else None,
        "prompt_addition": retake_source.prompt_addition(review.comment),
        "in_render": is_busy,
        "batch_id": last[review.pk].batch.public_id if review.pk in last else None,
    }


def _prompt(ground: RetakeSource, prompts: PromptsOfPlans) -> str | None:
    try:
        return prompts.of(ground)
    except InvalidRequest:
        return None
