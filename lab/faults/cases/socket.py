"""A socket that is cut, deaf, or talks nonsense: §18.18 to 25."""

import websocket

from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

DROPPED = (
    "execution_start",
    "executing",
    "progress",
    "progress_state",
    "executed",
    "execution_success",
    "status",
)
OTHERS = "0b9d7c1e-2f5a-4c1b-9a77-3d0c5f6e1a42"
FOREIGN = {
    "somebody else's end": f'{{"type":"executing","data":{{"node":null,"prompt_id":"{OTHERS}"}}}}',
    "a message without a prompt id": '{"type":"executing","data":{"node":"12"}}',
    "an unknown type": '{"type":"crystools.monitor","data":{"cpu":[]}}',
    "a text that is no JSON": "hello?",
    "data of another kind": '{"type":"executing","data":7}',
}


def displace(scene: Scene) -> bool:
    """Open a second socket under our client id once ours is there, and close it."""
    known = list(scene.comfy.engine.sockets._by_client)
    if not known or not scene.is_on_server():
        return False
    address = scene.comfy.url.replace("http", "ws")
    second = websocket.create_connection(f"{address}/ws?clientId={known[0]}", timeout=60)
    second.close()
    return True


CASES = (
    *(
        Case(
            18,
            f"the socket closes in the middle of the plan, with {code}",
            f"`close_ws` {code} at the first `executing`",
            (strike("close_ws", match="executing", code=code, times=1),),
        )
        for code in (1000, 1006, 1011)
    ),
    Case(19, "the socket opens, and is deaf", "`silent_ws`", (strike("silent_ws"),)),
    *(
        Case(
            20,
            f"no `{kind}` is ever told",
            f"`drop_message` {kind}",
            (strike("drop_message", match=kind),),
            graph=flying.SAMPLED,
        )
        for kind in DROPPED
    ),
    Case(20, "every message is dropped", "`drop_message`", (strike("drop_message"),)),
    Case(21, "every message comes twice", "`duplicate_message`", (strike("duplicate_message"),)),
    Case(
        21,
        "messages come in another order",
        "`reorder_message` at every `executing`",
        (strike("reorder_message", match="executing"),),
        graph=flying.SAMPLED,
    ),
    *(
        Case(
            22,
            f"before each message comes {what}",
            "`foreign_message`",
            (strike("foreign_message", text=text),),
        )
        for what, text in FOREIGN.items()
    ),
    Case(
        23,
        "garbage, short frames, and one over 4 MiB",
        "`odd_frames` before each `executing`",
        (strike("odd_frames", match="executing"),),
    ),
    Case(
        23,
        "the progress of 5,000 nodes in one frame",
        "`huge_progress` before each `executing`",
        (strike("huge_progress", match="executing", nodes=5000),),
    ),
    Case(
        24,
        "somebody else takes our client id, and goes",
        "a second socket under our id, which closes: ours hears nothing from then on",
        meanwhile=displace,
        graph=flying.SAMPLED,
        plays={"seconds_per_plan": 3.0},
    ),
    Case(
        25,
        "somebody's socket blocks the sender for all",
        "`blocked_sender` for 2 s at the first `executing`",
        (strike("blocked_sender", match="executing", times=1, seconds=2.0),),
    ),
)
