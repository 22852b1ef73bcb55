"""What a server says of itself and its nodes: §18.45, 50."""

import json
from typing import Any

from generation.comfyui.http_transport import Timeouts
from generation.services import servers
from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

IMPATIENT = {"services.servers.READ": Timeouts(connect_s=1, read_s=0.5)}
EMPTY = json.dumps({"system": {}, "devices": []})


def read(scene: Scene) -> None:
    """Have Madsea read what the servers have."""
    servers.look_at(scene.servers)


def lose_class(scene: Scene) -> None:
    read(scene)
    scene.comfy.faults.set("missing_class", match="ImageInvert")


def is_turned_away(scene: Scene) -> bool:
    return bool(scene.outcomes()) and scene.run.state == "queued"


NOWHERE: dict[str, Any] = {"state": "queued", "renders": 0}

CASES = (
    Case(
        45,
        "some megabytes of node definitions",
        "`odd_object_info` huge",
        (strike("odd_object_info", how="huge"),),
        before=read,
    ),
    Case(
        45,
        "the definitions take too long",
        "`delay` of 1 s at /object_info, where 0.5 s are allowed",
        (strike("delay", match="/object_info", seconds=1.0),),
        before=read,
        patches=IMPATIENT,
    ),
    *(
        Case(
            45,
            what,
            f"`odd_object_info` {how}",
            (strike("odd_object_info", how=how),),
            before=read,
            graph=flying.SAMPLED,
        )
        for what, how in (
            ("lists in their new form", "new_combos"),
            ("lists that have to be asked for elsewhere", "remote_combos"),
            ("ranges that are none", "bad_ranges"),
        )
    ),
    Case(
        45,
        "a node class is gone from this server",
        "`missing_class` after it was read; another server has it",
        before=lose_class,
        n_servers=2,
        outcomes=("refused", "done"),
        log=("claimed", "refused", "claimed", "posted", "published"),
    ),
    Case(
        45,
        "a node class is gone from the only server",
        "`missing_class` after it was read: the plan waits until it is back",
        before=lose_class,
        meanwhile=is_turned_away,
        outcomes=("refused",),
        log=("claimed", "refused"),
        **NOWHERE,
    ),
    *(
        Case(
            50,
            f"the version is {version!r}",
            "a preview server of that version",
            before=read,
            plays={"version": version},
        )
        for version in ("0.3.64-dev", "nightly")
    ),
    Case(
        50,
        "neither version nor devices are told",
        "`bad_json` at /system_stats: empty objects",
        (strike("bad_json", match="/system_stats", text=EMPTY),),
        before=read,
    ),
    Case(
        50,
        "/system_stats answers 500 while prompts run",
        "`answer` 500 at /system_stats",
        (strike("answer", match="/system_stats", text="Server got itself in trouble"),),
        before=read,
    ),
)
