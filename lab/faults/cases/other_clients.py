"""Other people on the same server, and a history that is late or gone: §18.26 to 29, 48, 49."""

from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

LOST = ("claimed", "posted", "lost", "claimed", "posted", "published")
#: Until `hurry` says otherwise, nothing ends.
SLOW = {"seconds_per_plan": 60}


def wait_behind(scene: Scene) -> None:
    """Let our prompt wait behind somebody else's."""
    scene.post_foreign()


def delete_ours(scene: Scene) -> bool:
    if not scene.is_on_server():
        return False
    scene.post("/queue", {"delete": [scene.prompt_id]}).raise_for_status()
    scene.hurry()
    return True


def clear_queue(scene: Scene) -> bool:
    if not scene.is_on_server():
        return False
    scene.post("/queue", {"clear": True}).raise_for_status()
    scene.hurry()
    return True


def clear_history(scene: Scene) -> bool:
    return scene.happened("finished") and scene.post("/history", {"clear": True}).ok


def interrupt(scene: Scene) -> bool:
    if not scene.is_running() or not scene.is_on_server():
        return False
    scene.post("/interrupt", {}).raise_for_status()
    scene.hurry()
    return True


def push_in(scene: Scene) -> bool:
    """Put others' prompts before ours while it waits, then let all of them run."""
    if not scene.is_on_server():
        return False
    scene.post_foreign(front=True)
    scene.post_foreign(number=-500)
    assert scene.comfy.engine.queue.remaining() == 4
    scene.hurry()
    return True


def fill_history(scene: Scene) -> None:
    """Let the server have ended 10,000 prompts of others."""
    queue = scene.comfy.engine.queue
    for number in range(10_000):
        queue._history[f"other-{number}"] = {
            "prompt": (number, "", {}, {}, []),
            "outputs": {},
            "status": {"status_str": "success", "completed": True, "messages": []},
            "meta": {},
        }


CASES = (
    Case(
        26,
        "history comes later than the success",
        "`history_gap_s` of 0.5 s",
        (strike("history_gap_s", seconds=0.5),),
    ),
    Case(
        26,
        "history never comes: the file is found by its unique name",
        "`evict_history`",
        (strike("evict_history"),),
    ),
    Case(
        27,
        "somebody clears the history right after the end",
        "POST /history `clear` once ours is finished, the answer held back by a 503 until then",
        (strike("answer", match="/history/", times=2, status=503),),
        meanwhile=clear_history,
    ),
    Case(
        28,
        "somebody deletes our prompt while it waits",
        "POST /queue `delete` of our id, behind somebody else's prompt",
        before=wait_behind,
        meanwhile=delete_ours,
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "done"),
        log=LOST,
    ),
    Case(
        29,
        "somebody clears the queue, our prompt in it",
        "POST /queue `clear`, behind somebody else's prompt",
        before=wait_behind,
        meanwhile=clear_queue,
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "done"),
        log=LOST,
    ),
    Case(
        29,
        "somebody interrupts whatever runs, and it is ours",
        "POST /interrupt without an id",
        meanwhile=interrupt,
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "done"),
        log=("claimed", "posted", "interrupted", "claimed", "posted", "published"),
    ),
    Case(
        48,
        "others' prompts come before ours",
        "one runs, then one with `front` and one with number -500 are posted behind ours",
        before=wait_behind,
        meanwhile=push_in,
        plays=SLOW,
        graph=flying.SAMPLED,
    ),
    Case(
        49,
        "the queue lists 1,000 prompts in no order",
        "`crowded_queue`, the server taking 1 s a plan",
        (strike("crowded_queue", count=1000),),
        graph=flying.SAMPLED,
        plays={"seconds_per_plan": 1.0},
    ),
    Case(
        49,
        "the history has 10,000 entries",
        "as many entries of others",
        before=fill_history,
    ),
)
