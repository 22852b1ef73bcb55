"""Invariants 5, 6 and 8: names, files, and nothing slow inside a transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from generation import storage
from generation.models import PlanRun, Version
from generation.services import tree_audit
from generation.states import RunState, VersionState
from lab.chaos import transaction_witness
from lab.chaos.audit.evidence import Evidence, Verdict, counted
from tests.acceptance import wholeness


def names(case: Evidence) -> Verdict:
    """Invariant 5: no gap, no partial file, no overwriting, nothing left in staging."""
    broken = list(case.noted["partial"])
    broken += list(_numbers())
    broken += list(_overwritten(case))
    broken += [f"{each} lies in staging" for each in storage.left_over(0)]
    findings = tree_audit.audit_tree(storage.root()).findings
    broken += [f"check_nomenclature: {each.kind}: {each.path}" for each in findings]
    origins = Counter(Version.objects.values_list("origin", flat=True))
    said = f"versions: {counted(origins)}; {len(case.noted['files'])} files watched"
    return Verdict("5", "A name is used once", f"{said}, {case.noted['n_looks']} looks", broken)


def _numbers() -> Iterator[str]:
    series: dict[tuple[int, str], list[int]] = defaultdict(list)
    for plan_id, task, number, state in Version.objects.values_list(
        "plan_id", "task", "number", "state"
    ):
        series[plan_id, task].append(number)
        if state != VersionState.PUBLISHED:
            yield f"version {number} of plan {plan_id} is {state}"
    for (plan_id, task), numbers in series.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"the versions of {task} of plan {plan_id} are {sorted(numbers)}"


def _overwritten(case: Evidence) -> Iterator[str]:
    for path, seen in case.noted["files"].items():
        now = storage.read_in_pieces(path).sha256 if _is_there(path) else "gone"
        if now != seen:
            yield f"{path} was {seen[:12]} and is {now[:12]}"


def _is_there(path: str) -> bool:
    return storage.absolute(path).is_file()


def whole(_: Evidence) -> Verdict:
    """Invariant 6: no plan is done without a file that decodes and has its hash."""
    broken: list[str] = []
    for run in PlanRun.objects.filter(state=RunState.DONE).select_related("result"):
        result = run.result
        if result is None or result.state != VersionState.PUBLISHED or result.run_id != run.pk:
            broken.append(f"{run} is done, its version is {result}")
    versions = Version.objects.select_related("attempt")
    n_bytes = 0
    for version in versions:
        content = storage.read(version.path) if _is_there(version.path) else b""
        n_bytes += len(content)
        prompt_id = version.attempt.prompt_id if version.attempt else None
        broken += wholeness.in_file(version.path, content, version.sha256, prompt_id)
    said = f"{versions.count()} files decoded and hashed, {n_bytes} bytes"
    return Verdict("6", "No plan is done without a file", said, broken)


def transactions(case: Evidence) -> Verdict:
    """Invariant 8: no network and no file inside a transaction, as the witnesses saw it."""
    folder = case.home / transaction_witness.FOLDER
    offences = folder / "offences"
    broken = offences.read_text().splitlines() if offences.exists() else []
    calls = folder / "calls"
    n_calls = calls.stat().st_size if calls.exists() else 0
    if not n_calls:
        broken.append("the witnesses saw nothing at all")
    said = f"{n_calls} calls to storage and servers, each outside"
    return Verdict("8", "No network and no file I/O inside a transaction", said, broken)
