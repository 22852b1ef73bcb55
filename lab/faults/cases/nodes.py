"""Nodes that fail or hang, memory that is short, workers that are dead: §18.32, 33, 35 to 38."""

from typing import Any

from generation.services import server_controls
from lab.faults.case import Case, strike
from lab.faults.scene import Scene

SUCCEEDS = ("claimed", "posted", "published")
ELSEWHERE: dict[str, Any] = {
    "n_servers": 2,
    "outcomes": ("error", "done"),
    "tries": 1,
    "log": ("claimed", "posted", "tried", *SUCCEEDS),
}
THREE_TRIES: dict[str, Any] = {
    "state": "error",
    "outcomes": ("error",) * 3,
    "renders": 0,
    "tries": 3,
    "log": (*("claimed", "posted", "tried") * 2, "claimed", "posted", "failed"),
}
QUICK = {"MADSEA_HUNG_S": 0.3, "MADSEA_WORKER_DEAD_S": 1}
DEAF = {"driver.timeouts.DEAF_S": 0.5}
SHORT_OF_MEMORY = {"type": "torch.OutOfMemoryError", "message": "Allocation on device 0"}


def restart_once_set_aside(scene: Scene) -> bool:
    scene.server.refresh_from_db()
    if scene.server.set_aside_at is None:
        return False
    scene.comfy.restart()
    return True


def wait_behind(scene: Scene) -> None:
    scene.post_foreign()


def hold_back_other_server(scene: Scene) -> None:
    server_controls.set_draining(scene.servers[1], True, actor=None)


def let_other_server_in(scene: Scene) -> bool:
    """Let the other server take work once the first has the plan for the second time."""
    if scene.run.n_attempts < 2:
        return False
    server_controls.set_draining(scene.servers[1], False, actor=None)
    return True


CASES = (
    Case(
        32,
        "prompts wait and nothing runs: the worker thread is dead",
        "`worker_dead`; another server is there",
        (strike("worker_dead"),),
        n_servers=2,
        settings=QUICK,
        outcomes=("error", "done"),
        log=("claimed", "posted", "held_up", *SUCCEEDS),
    ),
    Case(
        32,
        "the worker thread is dead, and there is no other server",
        "`worker_dead`; the server is restarted once it was set aside",
        (strike("worker_dead"),),
        meanwhile=restart_once_set_aside,
        settings=QUICK,
        outcomes=("error", "done"),
        log=("claimed", "posted", "held_up", *SUCCEEDS),
    ),
    Case(
        32,
        "the worker thread died with our prompt in its hands",
        "`worker_stuck`; another server is there",
        (strike("worker_stuck"),),
        **{**ELSEWHERE, "log": ("claimed", "posted", "hung", "tried", *SUCCEEDS)},
        settings=QUICK,
        patches=DEAF,
    ),
    Case(
        32,
        "the worker thread died with somebody else's prompt in its hands, ours waiting behind it",
        "`worker_stuck`, behind somebody else's prompt; another server is there",
        (strike("worker_stuck"),),
        before=wait_behind,
        n_servers=2,
        settings=QUICK,
        outcomes=("error", "done"),
        log=("claimed", "posted", "held_up", *SUCCEEDS),
    ),
    Case(
        33,
        "a node hangs, deaf to interrupts",
        "`node_hang` for a minute; another server is there",
        (strike("node_hang", match="ImageInvert", seconds=60, times=1),),
        **{**ELSEWHERE, "log": ("claimed", "posted", "hung", "tried", *SUCCEEDS)},
        settings=QUICK,
        patches=DEAF,
    ),
    Case(
        35,
        "a node fails with a long traceback that is not ASCII",
        "`node_error` with 500 lines of traceback; another server is there",
        (
            strike(
                "node_error",
                match="ImageInvert",
                type="RuntimeError",
                message="L’encre est sèche — 影",
                traceback_lines=500,
            ),
        ),
        **ELSEWHERE,
    ),
    Case(
        35,
        "a node fails each time",
        "`node_error` always; no other server is there",
        (strike("node_error", match="ImageInvert", message="The ink is dry."),),
        **THREE_TRIES,
        error="node_error",
    ),
    Case(
        35,
        "a node makes nodes of its own, with ids like 2.0.0.1",
        "`nested_nodes`",
        (strike("nested_nodes", match="ImageInvert"),),
    ),
    Case(
        36,
        "out of memory until /free",
        "`oom`, which /free ends",
        (strike("oom", match="ImageInvert"),),
        outcomes=("error", "done"),
        log=("claimed", "posted", "held_up", *SUCCEEDS),
    ),
    Case(
        36,
        "out of memory whatever is freed",
        "`node_error` of that type, always; no other server is there",
        (strike("node_error", match="ImageInvert", **SHORT_OF_MEMORY),),
        state="error",
        error="out_of_memory",
        outcomes=("error",) * 4,
        renders=0,
        tries=3,
        log=(
            *("claimed", "posted", "held_up"),
            *("claimed", "posted", "tried") * 2,
            *("claimed", "posted", "failed"),
        ),
    ),
    Case(
        36,
        "out of memory whatever is freed, on this server only",
        "the same; another server comes during the second attempt",
        (strike("node_error", match="ImageInvert", **SHORT_OF_MEMORY),),
        before=hold_back_other_server,
        meanwhile=let_other_server_in,
        n_servers=2,
        outcomes=("error", "error", "done"),
        tries=1,
        log=(
            *("claimed", "posted", "held_up"),
            *("claimed", "posted", "tried"),
            *SUCCEEDS,
        ),
    ),
    Case(
        37,
        "CUDA is poisoned until a restart",
        "`poisoned`; another server is there",
        (strike("poisoned"),),
        **ELSEWHERE,
    ),
    Case(
        37,
        "CUDA is poisoned, and there is no other server",
        "`poisoned`; the server is restarted once it was set aside",
        (strike("poisoned"),),
        meanwhile=restart_once_set_aside,
        **{**ELSEWHERE, "n_servers": 1},
    ),
    Case(
        38,
        "an ExecutionBlocked is told, then success",
        "`blocked_branch`",
        (strike("blocked_branch", match="ImageInvert"),),
    ),
)
