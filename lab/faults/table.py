"""The table in docs/faults.md: what a run of the matrix says, made the same in each run."""

import re
from collections.abc import Iterable
from pathlib import Path

from lab.faults.case import Case, Unmet
from lab.faults.scene import Scene

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
INTRO = """# Faults

What becomes of a plan in every fault of ComfyUI, and of what stands around it, that a client can \
meet. `make faults` injects each into a preview server with a real socket, has a driver render \
one plan, and writes this page from what happened; the tests do the same and compare.

*Ended*: the plan's state, how each of its attempts ended, and how many of its tries it cost. \
*Rendered*: how often its SaveImage node was executed, by the journals of the servers. Prompt ids \
are left out of the log's sentences, durations too.

| No. | Fault | Injected | What the plan's log says | Ended | Rendered |
| --- | --- | --- | --- | --- | --- |
"""
BELOW = """
## What no client of ours can meet

| No. | Fault | Why |
| --- | --- | --- |
"""

_UNSTABLE = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}"), "…"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "…"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "n s"),
    (re.compile(r"/(tmp|var|home)/[^\s'\"]+"), "…"),
)


def row(case: Case, scene: Scene) -> str:
    """Return the line of a case that has been played."""
    says = "<br>".join(_cell(stable(sentence)) for sentence in scene.sentences())
    run = scene.run
    ended = f"{run.state}{f' ({run.error_code})' if run.error_code else ''}"
    attempts = ", ".join(scene.outcomes()) or "none"
    tries = getattr(run, "n_tries", 0)
    whole = f"{ended}: {attempts}; {tries or 'no'} {'try' if tries == 1 else 'tries'}"
    told = (str(case.number), _cell(case.fault), _cell(case.how), says, whole)
    return f"| {' | '.join(told)} | {scene.renders()}× |"


def stable(sentence: str) -> str:
    """Return a sentence without what differs from run to run."""
    for unstable, stands in _UNSTABLE:
        sentence = unstable.sub(stands, sentence)
    return sentence


def _cell(words: str) -> str:
    lines = words.replace("|", "\\|").splitlines()
    return "<br>".join(line.strip() for line in lines if line.strip())


def page(rows: Iterable[str], unmet: Iterable[Unmet]) -> str:
    """Return the whole page."""
    below = "".join(f"| {u.number} | {_cell(u.fault)} | {_cell(u.why)} |\n" for u in unmet)
    return INTRO + "".join(f"{each}\n" for each in rows) + BELOW + below
