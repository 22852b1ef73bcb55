"""Cancels that come late, are not heard, or could stop somebody else's prompt: §18.34."""

from typing import Any

from generation.services import batches, servers
from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying


def read(scene: Scene) -> None:
    """Have Madsea know what generation the server is of."""
    servers.look_at(scene.servers)


CANCELLED: dict[str, Any] = {
    "before": read,
    "state": "cancelled",
    "outcomes": ("cancelled",),
    "renders": 0,
    "log": ("claimed", "posted", "cancel_requested", "cancelled"),
    "graph": flying.SAMPLED,
}


def cancel(scene: Scene) -> bool:
    """Cancel once our prompt runs."""
    if not scene.is_running() or not scene.is_on_server():
        return False
    batches.cancel(scene.batch, actor=None)
    return True


def cancel_before_another(scene: Scene) -> bool:
    """Cancel once our prompt runs and somebody else's waits behind it."""
    if not scene.is_running() or not scene.is_on_server():
        return False
    scene.post_foreign()
    batches.cancel(scene.batch, actor=None)
    return True


def cancel_and_see_the_other(scene: Scene) -> bool:
    """Cancel as before; then wait for the end of the other's prompt."""
    if not scene.foreign:
        cancel_before_another(scene)
        return False
    ended = scene.comfy.engine.queue.entry(scene.foreign[0])
    if ended is None:
        return False
    assert ended["status"]["status_str"] == "success"
    return True


CASES = (
    *(
        Case(
            34,
            f"a cancel on a server that plays ComfyUI {version}",
            "cancelled while it runs, somebody else's prompt behind it, which must end well",
            meanwhile=cancel_and_see_the_other,
            plays={"seconds_per_plan": 6, "generation": generation},
            **CANCELLED,
        )
        for generation, version in (("targeted", "0.3.64"), ("jobs", "0.38.1"))
    ),
    Case(
        34,
        "an old server would stop whatever runs",
        "the same on a server that plays ComfyUI 0.3.40",
        meanwhile=cancel_and_see_the_other,
        plays={"seconds_per_plan": 6, "generation": "classic"},
        **{
            **CANCELLED,
            "renders": 1,
            "log": ("claimed", "posted", "cancel_requested", "runs_out", "cancelled"),
        },
    ),
    Case(
        34,
        "the interrupt is not heard, and the prompt succeeds",
        "`ignore_interrupt` always, cancelled while it runs",
        (strike("ignore_interrupt"),),
        meanwhile=cancel,
        plays={"seconds_per_plan": 6},
        **{**CANCELLED, "renders": 1},
    ),
    Case(
        34,
        "the interrupt is heard the second time",
        "`ignore_interrupt` once, the server taking a minute a plan",
        (strike("ignore_interrupt", times=1),),
        meanwhile=cancel,
        plays={"seconds_per_plan": 60},
        **CANCELLED,
    ),
)
