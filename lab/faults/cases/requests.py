"""Requests that are not answered, or not as they should be: §18.1 to 11, 17."""

from typing import Any

from generation.comfyui.http_transport import Timeouts
from generation.services import servers
from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

REPOSTED = ("claimed", "reposted", "published")
#: The plan fails on the first server, and is rendered by the second.
ELSEWHERE: dict[str, Any] = {
    "n_servers": 2,
    "outcomes": ("error", "done"),
    "tries": 1,
}
#: Slow enough to be found in the queue by a client that is in doubt.
SLOW = {"seconds_per_plan": 2.5}
TOLD = {"driver.reachability.TOLD_AFTER_S": 0.2}
SHORT = {"driver.loop.TIMEOUTS": Timeouts(connect_s=1.0, read_s=0.6, whole_s=0.8)}
WAITED = ("claimed", "unanswered", "answered", "posted", "published")


def stay_away(scene: Scene) -> bool:
    """Shut the port as soon as a driver looks for work."""
    return scene.stay_away_until_told()


def misspell(scene: Scene) -> None:
    scene.server.url = "http://no-such-server.invalid:8188"
    scene.server.save()


def give_up(scene: Scene) -> bool:
    servers.give_up_gone()
    return len(scene.outcomes()) > 1


CASES = (
    Case(
        1,
        "nothing listens at the server's address",
        "its port is shut until that is told",
        meanwhile=stay_away,
        patches=TOLD,
        log=WAITED,
    ),
    Case(
        1,
        "the server's name cannot be resolved",
        "an address that does not exist; given up after 1 s",
        before=misspell,
        meanwhile=give_up,
        n_servers=2,
        settings={"MADSEA_SERVER_GONE_S": 1},
        outcomes=("abandoned", "done"),
        log=("claimed", "abandoned", *("claimed", "posted", "published")),
    ),
    Case(
        2,
        "POST /prompt is never answered",
        "`hang` once, before it is read",
        (strike("hang", match="POST /prompt", times=1),),
        patches=SHORT,
        log=REPOSTED,
    ),
    *(
        Case(
            2,
            f"{request} is never answered",
            "`hang` once",
            (strike("hang", match=path, times=1),),
            patches=SHORT,
        )
        for request, path in (
            ("GET /history", "/history"),
            ("GET /view", "/view"),
            ("POST /upload/image", "/upload"),
        )
    ),
    Case(
        3,
        "an answer comes drop by drop",
        "`drip` once at /history: 16 pieces, 0.2 s apart",
        (strike("drip", match="/history", times=1, seconds=0.2),),
        patches=SHORT,
    ),
    Case(
        4,
        "the connection is cut before the answer, though the prompt was queued",
        "`reset_after_queueing` once",
        (strike("reset_after_queueing", times=1),),
        graph=flying.SAMPLED,
        plays=SLOW,
    ),
    Case(
        5,
        "the connection is cut before the prompt was queued",
        "`reset_before_queueing` once",
        (strike("reset_before_queueing", times=1),),
        log=REPOSTED,
    ),
    Case(
        6,
        "a 500 in plain text, though the prompt was queued",
        "`error_500_after_queueing` once",
        (strike("error_500_after_queueing", times=1),),
        graph=flying.SAMPLED,
        plays=SLOW,
    ),
    Case(
        7,
        "a proxy answers POST /prompt with 500 and HTML",
        "`answer` once",
        (
            strike(
                "answer",
                match="POST /prompt",
                times=1,
                text="<html>sorry</html>",
                content_type="text/html",
            ),
        ),
        log=REPOSTED,
    ),
    Case(
        6,
        "each prompt is answered by a 500 in plain text, and none is queued",
        "`answer` 500 at POST /prompt, always; another server is there",
        (strike("answer", match="POST /prompt", text="Server got itself in trouble"),),
        log=("claimed", "tried", "claimed", "posted", "published"),
        **ELSEWHERE,
    ),
    *(
        Case(
            number,
            f"{who} answers each prompt with {status}, and everything else is well",
            f"`answer` {status} at POST /prompt, always; another server is there",
            (strike("answer", match="POST /prompt", status=status, text="<html>no</html>"),),
            log=("claimed", "tried", "claimed", "posted", "published"),
            **ELSEWHERE,
        )
        for number, who, status in ((7, "a proxy", 503), (8, "a login before the server", 403))
    ),
    *(
        Case(
            7,
            f"a proxy answers everything with {status}",
            f"`answer` {status}, the first three times",
            (strike("answer", times=3, status=status, text="<html>no</html>"),),
        )
        for status in (502, 503, 504)
    ),
    *(
        Case(
            8,
            f"a login is wanted: {status} with an empty body",
            f"`answer` {status}, the first three times",
            (strike("answer", times=3, status=status),),
        )
        for status in (401, 403)
    ),
    *(
        Case(
            8,
            f"a login is wanted for the socket: {status}",
            f"`refuse_ws` {status}, always",
            (strike("refuse_ws", status=status),),
        )
        for status in (401, 403)
    ),
    Case(
        9,
        "newer routes answer 404 and 405",
        "a preview server that plays ComfyUI 0.3.40",
        plays={"generation": "classic"},
    ),
    Case(
        10,
        "the panel is too large for the server",
        "`answer` 413 at /upload, always; another server takes it",
        (strike("answer", match="/upload", status=413),),
        n_servers=2,
        outcomes=("error", "done"),
        tries=1,
        log=("claimed", "tried", "claimed", "posted", "published"),
    ),
    *(
        Case(
            11,
            f"{path} answers truncated JSON",
            f"`bad_json` twice at {path}",
            (strike("bad_json", match=path, times=2),),
        )
        for path in ("/history", "/upload")
    ),
    Case(
        11,
        "POST /prompt answers truncated JSON, and queued nothing",
        "`bad_json` once",
        (strike("bad_json", match="POST /prompt", times=1),),
        log=REPOSTED,
    ),
    Case(
        11,
        "every answer has the type of a web page",
        "`content_type` always",
        (strike("content_type"),),
    ),
    Case(
        11,
        "NaN and Infinity in every answer",
        "`not_numbers` always",
        (strike("not_numbers"),),
    ),
    Case(
        17,
        "the socket's handshake is refused",
        "`refuse_ws` 500, always",
        (strike("refuse_ws", status=500),),
    ),
    Case(
        17,
        "the socket's handshake takes long",
        "`delay` of 2 s at /ws",
        (strike("delay", match="/ws", seconds=2.0),),
    ),
)
