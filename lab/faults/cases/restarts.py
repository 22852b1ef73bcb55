"""Servers that restart, whatever our prompt was doing there: §18.30, 31."""

from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

LOST = ("claimed", "posted", "lost")
AGAIN = (*LOST, "claimed", "posted", "published")
#: Until `hurry` says otherwise, nothing ends.
SLOW = {"seconds_per_plan": 60}


def wait_behind(scene: Scene) -> None:
    scene.post_foreign()


def restart_while_pending(scene: Scene) -> bool:
    if not scene.is_on_server() or scene.is_running():
        return False
    scene.hurry()
    scene.comfy.restart()
    return True


def restart_while_running(scene: Scene) -> bool:
    if not scene.is_running() or not scene.is_on_server():
        return False
    scene.hurry()
    scene.comfy.restart()
    return True


def restart_once_finished(scene: Scene) -> bool:
    if not scene.happened("finished"):
        return False
    scene.hurry()
    scene.comfy.restart()
    return True


def start_slowly(scene: Scene) -> bool:
    if not scene.happened("lost"):
        if not scene.is_running() or not scene.is_on_server():
            return False
        scene.hurry()
    return scene.stay_away_until_told()


class Loop:
    """Restarts a server so many times, each time as soon as it has our prompt."""

    def __init__(self, n_times: int) -> None:
        self._n_times = n_times

    def __call__(self, scene: Scene) -> bool:
        lost = scene.outcomes().count("lost") + scene.outcomes().count("error")
        if lost >= self._n_times:
            return True
        # Once per attempt: the journal has a restart of each that was lost before.
        if scene.is_running() and scene.is_on_server() and not scene.happened("lost", lost + 1):
            if lost + 1 == self._n_times:
                scene.hurry()
            scene.comfy.restart()
        return False


CASES = (
    Case(
        30,
        "a restart while our prompt waits",
        "a restart, behind somebody else's prompt",
        before=wait_behind,
        meanwhile=restart_while_pending,
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "done"),
        log=AGAIN,
    ),
    Case(
        30,
        "a restart while our prompt runs",
        "a restart",
        meanwhile=restart_while_running,
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "done"),
        log=AGAIN,
    ),
    Case(
        30,
        "a restart after the end, before we fetched",
        "a restart once it is finished, history held back by a 503 until then",
        (strike("answer", match="/history/", times=2, status=503),),
        meanwhile=restart_once_finished,
    ),
    Case(
        31,
        "a restart that takes long",
        "a restart while it runs; connections are refused until that is told",
        meanwhile=start_slowly,
        plays=SLOW,
        graph=flying.SAMPLED,
        patches={"driver.reachability.TOLD_AFTER_S": 0.3},
        outcomes=("lost", "done"),
        log=(
            *("claimed", "posted", "unanswered", "answered", "lost"),
            *("claimed", "posted", "published"),
        ),
    ),
    Case(
        31,
        "a server that restarts again and again",
        "three restarts, each while our prompt runs",
        meanwhile=Loop(3),
        plays=SLOW,
        graph=flying.SAMPLED,
        outcomes=("lost", "lost", "lost", "done"),
        log=(*LOST * 2, *AGAIN),
    ),
    Case(
        31,
        "a plan that ends every server that takes it",
        "a restart each time our prompt runs, for ever",
        meanwhile=Loop(7),
        plays=SLOW,
        graph=flying.SAMPLED,
        state="error",
        error="lost_often",
        outcomes=("lost",) * 4 + ("error",) * 3,
        renders=0,
        tries=3,
        log=(
            *LOST * 4,
            *("claimed", "posted", "tried") * 2,
            *("claimed", "posted", "failed"),
        ),
    ),
)
