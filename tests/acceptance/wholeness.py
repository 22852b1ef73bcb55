"""What must be true of a site after a batch, whatever was killed on the way."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from PIL import Image

from comfyui_preview.journal import renders
from tests.processes import Site

OF_CONCEPTS = "generation_version WHERE task = 'AI-concept'"


def faults(site: Site, *, n_plans: int) -> list[str]:
    """Return a sentence for everything wrong after plans rendered once each."""
    return [*published_once(site, n_plans=n_plans), *_rendered_once(site, n_plans)]


def published_once(site: Site, *, n_plans: int) -> list[str]:
    """Return a sentence for everything wrong, however often the plans were rendered."""
    return [*_in_versions(site, n_plans), *_in_batches(site), *_in_files(site)]


def _in_versions(site: Site, n_plans: int) -> Iterator[str]:
    numbers = [number for (number,) in site.rows(f"SELECT number FROM {OF_CONCEPTS}")]
    if numbers != [1] * n_plans:
        yield f"the versions are {numbers} of {n_plans} plans"
    plans = site.value(f"SELECT count(DISTINCT plan_id) FROM {OF_CONCEPTS}")
    if plans != n_plans:
        yield f"{plans} plans of {n_plans} have a version"
    states = site.rows("SELECT DISTINCT state FROM generation_version")
    if states != [("published",)]:
        yield f"the states of versions are {states}"


def _in_batches(site: Site) -> Iterator[str]:
    counted = site.rows("SELECT n_total, n_done, n_running, n_queued FROM generation_batch")
    if any(row != (row[0], row[0], 0, 0) for row in counted):
        yield f"the batches' counters are {counted}"
    n_open = site.value("SELECT count(*) FROM generation_attempt WHERE outcome = 'open'")
    if n_open:
        yield f"{n_open} attempts are open"


def _in_files(site: Site) -> Iterator[str]:
    query = "SELECT v.path, v.sha256, a.prompt_id FROM generation_version v"
    rows = site.rows(f"{query} LEFT JOIN generation_attempt a ON a.id = v.attempt_id")
    for path, sha256, prompt_id in rows:
        yield from in_file(path, (site.projects / path).read_bytes(), sha256, prompt_id)
    named = {path for path, _, _ in rows}
    there = {str(each.relative_to(site.projects)) for each in site.projects.rglob("*_v*.*")}
    if named != there:
        yield f"files and rows differ: {named ^ there}"


def in_file(path: str, content: bytes, sha256: str, prompt_id: object) -> Iterator[str]:
    """Yield a sentence for everything wrong with a file; `prompt_id` None: nobody rendered it."""
    try:
        Image.open(io.BytesIO(content)).load()
    except (OSError, SyntaxError) as error:
        yield f"{path} is no image: {error}"
    if hashlib.sha256(content).hexdigest() != sha256:
        yield f"{path} has another SHA-256 than its row"
    if prompt_id and str(UUID(str(prompt_id))).encode() not in content:
        yield f"{path} is not what its attempt rendered"


def staged(site: Site) -> list[str]:
    """Return what lies in staging."""
    return [each.name for each in site.projects.glob(".staging/*")]


def rendered(site: Site) -> Counter[str]:
    """Return how often each prompt was executed, on all servers together."""
    counters = (renders(preview.journal) for preview in site.previews)
    return sum(counters, Counter())


def _rendered_once(site: Site, n_plans: int) -> Iterator[str]:
    outcomes = Counter(
        outcome for (outcome,) in site.rows("SELECT outcome FROM generation_attempt")
    )
    if outcomes != {"done": n_plans}:
        yield f"the attempts' outcomes are {dict(outcomes)}"
    counts = rendered(site)
    if sorted(counts.values()) != [1] * n_plans:
        yield f"the servers executed {dict(counts)}"
