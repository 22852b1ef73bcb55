"""Faults of the socket and of what is told while a prompt runs."""

import json
from typing import Any

import pytest
import websocket
from preview_client import Client, image_graph, sampling_graph

Frame = dict[str, Any] | bytes


def heard(comfy: Client, graph: dict[str, Any]) -> list[Frame]:
    """Return every frame that the owner of a prompt hears, to its end."""
    address = comfy.url.replace("http", "ws") + "/ws?clientId=tester"
    socket = websocket.create_connection(address, timeout=60)
    comfy.submit(graph)
    frames: list[Frame] = []
    while not frames or not is_end(frames[-1]):
        content = socket.recv()
        frames.append(content if isinstance(content, bytes) else json.loads(content))
    socket.shutdown()
    return frames


def is_end(frame: Frame) -> bool:
    return isinstance(frame, dict) and frame["data"].get("node", "") is None


def told(frames: list[Frame], kind: str) -> list[dict[str, Any]]:
    """Return the data of all messages of a type."""
    texts = [frame for frame in frames if isinstance(frame, dict)]
    return [frame["data"] for frame in texts if frame["type"] == kind]


def test_short_and_huge_binary_frames_come_between(comfy: Client) -> None:
    comfy.server.faults.set("odd_frames", match="executed", times=1)

    sizes = [len(each) for each in heard(comfy, image_graph()) if isinstance(each, bytes)]

    assert sizes[:3] == [0, 2, 4]
    assert sizes[-1] > 4 * 1024 * 1024


def test_progress_of_very_many_nodes_comes_in_one_frame(comfy: Client) -> None:
    comfy.server.faults.set("huge_progress", match="executed", nodes=5000)

    states = told(heard(comfy, image_graph()), "progress_state")

    assert max(len(state["nodes"]) for state in states) == 5000


def test_message_comes_after_the_one_that_follows_it(comfy: Client) -> None:
    comfy.server.faults.set("reorder_message", match="execution_start", times=1)

    frames = heard(comfy, image_graph())

    types = [frame["type"] for frame in frames if isinstance(frame, dict)]
    assert types.index("execution_start") == types.index("execution_cached") + 1


def test_sender_that_is_blocked_sends_everything_later(comfy: Client) -> None:
    comfy.server.faults.set("blocked_sender", match="executed", seconds=0.2)

    assert len(told(heard(comfy, image_graph()), "executed")) == 1


def test_node_of_a_node_has_an_id_of_its_own(comfy: Client) -> None:
    comfy.server.faults.set("nested_nodes", match="ImageInvert")
    comfy.server.faults.set("node_error", match="SaveImage", traceback_lines=300)

    frames = heard(comfy, image_graph())

    assert {"2.0.0.1"} <= {each["node"] for each in told(frames, "executing")}
    (failure,) = told(frames, "execution_error")
    assert "2.0.0.1" in failure["executed"]
    assert "échantillonner — 影" in failure["traceback"][-1]
    assert len(failure["traceback"]) > 300


def test_blocked_branch_is_told_and_is_not_in_history(comfy: Client) -> None:
    comfy.server.faults.set("blocked_branch", match="ImageInvert")

    frames = heard(comfy, image_graph())

    (blocked,) = told(frames, "execution_error")
    (success,) = told(frames, "execution_success")
    assert "timestamp" not in blocked
    kept = comfy.wait(success["prompt_id"])["status"]["messages"]
    assert "execution_error" not in [kind for kind, _ in kept]


@pytest.mark.parametrize(
    ("how", "steps"),
    [
        ("backwards", [(5, 6), (4, 6), (3, 6), (2, 6), (1, 6), (0, 6)]),
        ("of_none", [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0)]),
        ("never", []),
    ],
)
def test_steps_are_told_oddly(comfy: Client, how: str, steps: list[tuple[int, int]]) -> None:
    comfy.server.faults.set("odd_progress", how=how)

    said = told(heard(comfy, sampling_graph()), "progress")

    assert [(each["value"], each["max"]) for each in said] == steps


def test_clock_is_set_back_while_it_renders(comfy: Client) -> None:
    comfy.server.faults.set("clock_skew", after=1, seconds=-3600)

    first, *_, last = [about for _, about in comfy.run(image_graph())["status"]["messages"]]

    assert last["timestamp"] < first["timestamp"] - 3_000_000


def test_socket_is_cut_without_a_code(comfy: Client) -> None:
    comfy.server.faults.set("close_ws", match="executed", code=1006, times=1)

    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        heard(comfy, image_graph())
