"""The status document of a batch: what changed since a revision, or everything.

The heading (revision, counters, servers) is one query and comes first: rows read after it may be
newer than its revision, never older, so that whoever asks again since that revision misses nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from generation import catalogues, signed_urls
from generation.models import Batch, PlanRun
from generation.selectors import batches, expected_ends, logs, results, wait_reasons
from generation.selectors.logs import LogLine
from generation.selectors.prepared_queries import PreparedRows, PreparedTuples
from generation.selectors.results import Result
from generation.selectors.wait_reasons import GroupKey, Outlook, Wait
from generation.states import FINISHED, RunState

_TAG = re.compile(r'(?:W/)?"([A-Za-z0-9_-]+)\.([0-9]+)\.([0-9a-z]+)"')
_FIELDS = (
    "plan__sequence__code",
    "plan__code",
    "state",
    "progress_pct",
    "n_attempts",
    "seed",
    "current_attempt__server__name",
    "error_code",
    "error_message",
    "error_remedy",
    "wait_reason",
    "params",
    "sources",
    "variation",
    "own_workflow__name",
    "group_id",
)
_HEADINGS = PreparedRows(
    lambda public_id: (
        batches.with_running_pct()
        .annotate(**wait_reasons.batch_annotations())
        .filter(public_id=public_id)
        .order_by()
    )
)
_RUNS = PreparedTuples(
    lambda batch_id, revision: (
        PlanRun.objects.filter(batch_id=batch_id, revision__gt=revision)
        .order_by("position")
        .values_list(*_FIELDS)
    )
)
#: Before every revision: after it comes everything.
_ALL = -1


class PlanError(TypedDict):
    """Why a plan failed: a stable code, what happened, what to do about it."""

    code: str
    message: str
    remedy: str


class PlanLine(TypedDict):
    """One plan of a batch; `attempt` counts its attempts, `server` is where it runs.

    `params` and `sources` are what it has beside its batch's, where there is any; `variation` is
    there in batches of several variations, which are lines of their own. `workflow_json` is there
    where a retry named another workflow: then `params` are all that were asked for.
    """

    sequence_id: str
    plan: str
    status: str
    progress: int
    attempt: int
    seed: str | None
    server: str | None
    error: PlanError | None
    waits: Wait | None
    variation: NotRequired[int]
    workflow_json: NotRequired[str]
    params: NotRequired[dict[str, Any]]
    sources: NotRequired[dict[str, str]]


class StatusDocument(TypedDict):
    """The specification's five keys, and beside them what a live page needs."""

    status: str
    batch_id: str
    logs: list[LogLine]
    progress: int
    results: list[Result]
    plans: list[PlanLine]
    reasons: dict[str, str]
    params: dict[str, Any]
    sources: dict[str, str]
    counts: dict[str, int]
    expected_end: str | None
    revision: int
    logs_url: str
    reset: NotRequired[bool]


@dataclass(frozen=True)
class Heading:
    """A batch as it is now, and the tag that says whether its document has changed.

    Beside the revision the tag carries what changes a document without one: the outlooks of its
    queued plans, as long as there are any, the window in which addresses of files are signed, and
    the language, if it is not English.
    """

    batch: Batch
    outlooks: Mapping[GroupKey, Outlook]
    window: int
    language: str = ""

    @property
    def context(self) -> str:
        """The part of the tag that is not the revision."""
        tags = (outlook.etag_part for _, outlook in self._in_order())
        return f"{self.window:x}{''.join(tags) if self.batch.n_queued else ''}{self.language}"

    @property
    def tag(self) -> str:
        """The weak ETag of the status document."""
        return f'W/"{self.batch.public_id}.{self.batch.revision}.{self.context}"'

    @property
    def reasons(self) -> dict[str, str]:
        """What `waits.reason` of queued plans refers to."""
        return wait_reasons.reasons(self.outlooks.values()) if self.batch.n_queued else {}

    def _in_order(self) -> list[tuple[GroupKey, Outlook]]:
        return sorted(self.outlooks.items(), key=lambda item: item[0][1] or 0)

    def is_current(self, if_none_match: str) -> bool:
        """Tell whether a client that sent this header has the present document."""
        if if_none_match.strip() == "*":
            return True
        mine = self.tag.removeprefix("W/")
        return mine in (seen.strip().removeprefix("W/") for seen in if_none_match.split(","))

    def has_moved(self, if_none_match: str) -> bool:
        """Tell whether a client's document is outdated beyond what `since` can bring."""
        seen = _TAG.fullmatch(if_none_match.strip())
        return bool(seen and seen[1] == self.batch.public_id and seen[3] != self.context)


def heading(public_id: str) -> Heading:
    """Read the heading of a batch, in one query.

    More where no server can run its workflow, or where a retry asked for other models.

    Raises:
        NotFound: there is no such batch.
    """
    row: Any = batches.find_existing(public_id, _HEADINGS.first)
    outlooks = wait_reasons.outlooks_of([row])
    return Heading(row, outlooks, signed_urls.window(), catalogues.language_code_unless_english())


def status(batch: Batch, *, since: int | None = None, origin: str = "") -> StatusDocument:
    """Return the status document of a batch as it is now: see `document`."""
    return document(heading(batch.public_id), since=since, origin=origin)


def document(
    head: Heading, *, since: int | None = None, seen: str = "", origin: str = ""
) -> StatusDocument:
    """Return the status document of a heading.

    Source: the specification, "Endpoints complémentaires". `since` (a revision) leaves out the
    plans, logs and results that have not changed after it. The document is whole again, and says
    `reset`, where `since` is above the present revision, or where the tag that the client has
    `seen` tells that more has changed than revisions count. `origin` (scheme and host) makes
    addresses absolute.
    """
    batch = head.batch
    reset = since is not None and (since > batch.revision or head.has_moved(seen))
    after = _ALL if since is None or reset else since
    whole: StatusDocument = {
        "status": batch.status.value,
        "batch_id": batch.public_id,
        "logs": _logs(batch, after),
        "progress": batches.progress(batch),
        "results": results.after(batch.pk, after, origin),
        "plans": [
            _plan(batch, row[:-1], wait_reasons.known_of_group(head.outlooks, (batch.pk, row[-1])))
            for row in _RUNS.rows(batch.pk, after)
        ],
        "reasons": head.reasons,
        "params": batch.params,
        "sources": batch.sources,
        "counts": batches.counts(batch),
        "expected_end": _expected_end(batch),
        "revision": batch.revision,
        "logs_url": origin + signed_urls.address(f"/api/batches/{batch.public_id}/logs"),
    }
    if reset:
        whole["reset"] = True
    return whole


def _expected_end(batch: Batch) -> str | None:
    """Return when the last plan is expected to end; None of a finished batch, or if not known."""
    if not batch.is_unfinished:
        return None
    expected = expected_ends.POLLED.recent().of_batch(batch)
    return logs.moment(expected.at) if expected and expected.at else None


def _logs(batch: Batch, after: int) -> list[LogLine]:
    if after == _ALL and batch.n_total > logs.SHOWN_WHOLE_PLANS_MAX:
        return logs.lines(logs.latest(batch.pk))
    return logs.after(batch.pk, after)


def _plan(batch: Batch, row: tuple[Any, ...], outlook: Outlook) -> PlanLine:
    sequence_id, plan, state, pct, n_attempts, seed, server, *error, reason = row[:-4]
    params, sources, variation, own_workflow = row[-4:]
    line: PlanLine = {
        "sequence_id": sequence_id,
        "plan": plan,
        "status": state,
        "progress": 100 if state in FINISHED else pct,
        "attempt": n_attempts,
        "seed": seed or None,
        "server": server if state == RunState.RUNNING else None,
        "error": _error(*error),
        "waits": wait_reasons.waits(state, reason, outlook),
    }
    if batch.variations > 1:
        line["variation"] = variation
    if own_workflow is not None:
        line["workflow_json"] = own_workflow
    if params or sources:
        line |= {"params": params, "sources": sources}
    return line


def _error(code: str, message: str, remedy: str) -> PlanError | None:
    return {"code": code, "message": str(message), "remedy": str(remedy)} if code else None
