"""The same faults at a ComfyUI before 0.3.45, which draws each prompt's id itself."""

from typing import Any

from generation.services import batches
from lab.faults.case import Case, strike
from lab.faults.cases import cancels, refusals, restarts
from lab.faults.scene import Scene
from tests.driver import flying

OLD = {"generation": "classic"}
SLOW: dict[str, Any] = {"graph": flying.SAMPLED, "plays": {**OLD, "seconds_per_plan": 2.5}}
STUCK: dict[str, Any] = {"graph": flying.SAMPLED, "plays": {**OLD, "seconds_per_plan": 60}}
HOW = "on a preview server that plays ComfyUI 0.3.40"


def cancel_once_taken(scene: Scene) -> bool:
    """Cancel once the server has the prompt, of which its driver has heard nothing."""
    if not scene.happened("accepted"):
        return False
    batches.cancel(scene.batch, actor=None)
    return True


CASES = (
    Case(
        4,
        "the connection is cut before the answer, and the server has drawn an id of its own",
        f"`reset_after_queueing` once, {HOW}",
        (strike("reset_after_queueing", times=1),),
        **SLOW,
    ),
    Case(
        4,
        "the same, and the prompt has ended before anybody looks",
        f"`reset_after_queueing` once, {HOW}",
        (strike("reset_after_queueing", times=1),),
        plays=OLD,
    ),
    Case(
        4,
        "the same, and the prompt has failed before anybody looks",
        f"`reset_after_queueing` once, `node_error` always, {HOW}",
        (strike("reset_after_queueing", times=1), strike("node_error", match="ImageInvert")),
        plays=OLD,
        state="error",
        error="node_error",
        outcomes=("error", "error", "error"),
        renders=0,
        tries=3,
        log=(*("claimed", "posted", "tried") * 2, "claimed", "posted", "failed"),
    ),
    Case(
        5,
        "the connection is cut before the prompt was queued, on a server that draws ids",
        f"`reset_before_queueing` once, {HOW}",
        (strike("reset_before_queueing", times=1),),
        plays=OLD,
        log=("claimed", "reposted", "published"),
    ),
    Case(
        6,
        "a 500 in plain text, though the prompt was queued under an id of the server's own",
        f"`error_500_after_queueing` once, {HOW}",
        (strike("error_500_after_queueing", times=1),),
        **SLOW,
    ),
    Case(15, "the server draws each prompt's id itself", f"rendered {HOW}", **SLOW),
    Case(
        16,
        "the same prompt is taken twice, under two ids",
        f"a second driver posts our prompt again, {HOW}; the double is deleted",
        meanwhile=refusals.post_again,
        log=("claimed", "posted", "doubled", "published"),
        **SLOW,
    ),
    Case(
        30,
        "a restart while our prompt runs under an id of the server's own",
        f"a restart, {HOW}",
        meanwhile=restarts.restart_while_running,
        outcomes=("lost", "done"),
        log=restarts.AGAIN,
        **STUCK,
    ),
    Case(
        34,
        "a cancel of a prompt whose answer was lost with its id",
        f"`reset_after_queueing` once, {HOW}, cancelled before it is looked for",
        (strike("reset_after_queueing", times=1),),
        meanwhile=cancel_once_taken,
        **{**cancels.CANCELLED, **STUCK, "log": ("claimed", "cancel_requested", "cancelled")},
    ),
)
