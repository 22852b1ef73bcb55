"""The faults a preview server can be told to have."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import requests
import websocket
from PIL import Image
from preview_client import Client, image_graph, sampling_graph, wait_for

from comfyui_preview import journal
from comfyui_preview.fault_kinds import KINDS
from comfyui_preview.faults import Faults

Start = Callable[..., Client]
ID = "0b9d7c1e-2f5a-4c1b-9a77-3d0c5f6e1a42"


def accepted(comfy: Client) -> int:
    return len(list(journal.entries(comfy.server.journal_path, "accepted")))


def types_until_end(socket: websocket.WebSocket) -> list[str]:
    types: list[str] = []
    wait_for(lambda: types.append(socket.recv()) or '"node": null' in types[-1])
    return [json.loads(text)["type"] for text in types]


def connect(comfy: Client) -> websocket.WebSocket:
    return websocket.create_connection(
        comfy.url.replace("http", "ws") + "/ws?clientId=tester", timeout=60
    )


def test_fault_strikes_as_often_as_it_was_told() -> None:
    faults = Faults()
    faults.set("hang", times=2, after=1)

    struck = [faults.take("hang") is not None for _ in range(5)]

    assert struck == [False, True, True, False, False]
    assert faults.n_struck("hang") == 2


def test_fault_strikes_only_what_it_matches() -> None:
    faults = Faults()
    faults.set("node_error", match="KSampler")

    assert faults.take("node_error", "LoadImage", ID) is None
    assert faults.take("node_error", "KSampler", ID) is not None


def test_cleared_fault_no_longer_strikes() -> None:
    faults = Faults()
    faults.set("hang")
    faults.set("reset")

    faults.clear("hang")

    assert [fault["name"] for fault in faults.active()] == ["reset"]


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault"):
        Faults().set("earthquake")


@pytest.mark.parametrize(
    ("name", "queued"), [("reset_before_queueing", 0), ("reset_after_queueing", 1)]
)
def test_connection_is_cut_before_or_after_queueing(comfy: Client, name: str, queued: int) -> None:
    comfy.server.faults.set(name, times=1)

    with pytest.raises(requests.ConnectionError):
        comfy.submit(image_graph())

    assert accepted(comfy) == queued


def test_500_after_queueing_is_text_and_the_prompt_runs(comfy: Client) -> None:
    comfy.server.faults.set("error_500_after_queueing", times=1)

    answer = comfy.post("/prompt", {"prompt": image_graph(), "prompt_id": ID})

    assert answer.status_code == 500
    assert comfy.wait(ID)["status"]["completed"]


def test_hanging_request_is_never_answered(comfy: Client) -> None:
    comfy.server.faults.set("hang", match="/queue")

    with pytest.raises(requests.ReadTimeout):
        comfy.http.get(f"{comfy.url}/queue", timeout=0.2)

    assert comfy.get("/prompt").ok


@pytest.mark.parametrize("status", [401, 403, 413, 502])
def test_any_answer_can_be_had(comfy: Client, status: int) -> None:
    comfy.server.faults.set("answer", match="/system_stats", status=status, text="<html>no</html>")

    answer = comfy.get("/system_stats")

    assert (answer.status_code, answer.text) == (status, "<html>no</html>")


def test_bad_json_can_be_had(comfy: Client) -> None:
    comfy.server.faults.set("bad_json", times=1, match="/history", text='{"a": NaN}')

    assert comfy.get("/history").text == '{"a": NaN}'
    assert comfy.get("/history").json() == {}


def test_delayed_answer_comes_late(comfy: Client) -> None:
    comfy.server.faults.set("delay", seconds=0.15, times=1)

    assert comfy.get("/queue").elapsed.total_seconds() >= 0.15


def test_partial_node_errors_are_reported_with_200(comfy: Client) -> None:
    comfy.server.faults.set("partial_node_errors", times=1, node_errors={"9": {"errors": []}})

    answer = comfy.post("/prompt", {"prompt": image_graph()})

    assert answer.status_code == 200
    assert answer.json()["node_errors"] == {"9": {"errors": []}}


def test_any_refusal_can_be_had(comfy: Client) -> None:
    comfy.server.faults.set("refuse_prompt", error={"type": "prompt_no_outputs"}, times=1)

    answer = comfy.post("/prompt", {"prompt": image_graph()})

    assert answer.json()["error"]["type"] == "prompt_no_outputs"


def test_missing_model_is_not_in_the_list(comfy: Client) -> None:
    comfy.server.faults.set("missing_model", match="RealVisXL_V5.0_fp16.safetensors")

    answer = comfy.post("/prompt", {"prompt": sampling_graph()})

    assert answer.json()["node_errors"]["1"]["errors"][0]["type"] == "value_not_in_list"
    assert "RealVisXL" not in comfy.get("/object_info").text


def test_socket_is_refused(comfy: Client) -> None:
    comfy.server.faults.set("refuse_ws", status=401)

    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        connect(comfy)

    assert refused.value.status_code == 401


def test_silent_socket_receives_nothing_while_prompts_run(comfy: Client) -> None:
    comfy.server.faults.set("silent_ws")
    socket = connect(comfy)
    socket.settimeout(0.1)

    comfy.run(image_graph())

    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv()
    socket.shutdown()


@pytest.mark.parametrize(("name", "count"), [("drop_message", 0), ("duplicate_message", 2)])
def test_message_is_dropped_or_doubled(comfy: Client, name: str, count: int) -> None:
    comfy.server.faults.set(name, match="executed")
    socket = connect(comfy)

    comfy.submit(image_graph())

    assert types_until_end(socket).count("executed") == count
    socket.shutdown()


def test_foreign_message_comes_between(comfy: Client) -> None:
    comfy.server.faults.set("foreign_message", match="executed")
    socket = connect(comfy)

    comfy.submit(image_graph())

    assert "crystools.monitor" in types_until_end(socket)
    socket.shutdown()


def test_socket_is_closed_in_the_middle_of_a_prompt(comfy: Client) -> None:
    comfy.server.faults.set("close_ws", match="executed", code=1011, times=1)
    socket = connect(comfy)

    prompt_id = comfy.submit(image_graph())

    assert comfy.wait(prompt_id)["status"]["completed"]
    wait_for(lambda: not socket.recv())
    socket.shutdown()


def test_history_comes_later_than_success(comfy: Client) -> None:
    comfy.server.faults.set("history_gap_s", seconds=1.5)
    socket = connect(comfy)
    prompt_id = comfy.submit(image_graph())

    wait_for(lambda: "execution_success" in socket.recv())

    assert comfy.get(f"/history/{prompt_id}").json() == {}
    assert comfy.wait(prompt_id)["status"]["completed"]
    socket.shutdown()


def test_history_is_forgotten_at_once(comfy: Client) -> None:
    comfy.server.faults.set("evict_history", times=1)

    comfy.submit(image_graph("a"))

    wait_for(lambda: comfy.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)
    assert comfy.get("/history").json() == {}
    assert journal.renders(comfy.server.journal_path) == {"a": 1}


def test_dead_worker_accepts_and_never_runs_until_restart(comfy: Client) -> None:
    comfy.server.faults.set("worker_dead")
    lost = comfy.submit(image_graph("lost"))
    comfy.post("/interrupt", {"prompt_id": lost})

    assert comfy.get(f"/history/{lost}").json() == {}

    comfy.server.restart()
    assert comfy.run(image_graph("b"))["status"]["completed"]
    assert journal.renders(comfy.server.journal_path) == {"b": 1}


def test_node_error_is_told_in_the_words_given(comfy: Client) -> None:
    comfy.server.faults.set("node_error", match="ImageInvert", message="échec", times=1)

    last, about = comfy.run(image_graph())["status"]["messages"][-1]

    assert last == "execution_error"
    assert (about["node_type"], about["exception_message"]) == ("ImageInvert", "échec\n")


def test_lack_of_memory_ends_with_free(comfy: Client) -> None:
    comfy.server.faults.set("oom")
    first = comfy.run(image_graph("a"))

    comfy.post("/free", {"unload_models": True, "free_memory": True})

    about = first["status"]["messages"][-1][1]
    assert about["exception_type"] == "torch.OutOfMemoryError"
    assert comfy.run(image_graph("b"))["status"]["completed"]


def test_poisoned_server_fails_until_restart(comfy: Client) -> None:
    comfy.server.faults.set("poisoned")
    about = comfy.run(image_graph("a"))["status"]["messages"][-1][1]

    comfy.server.restart()

    assert "CUDA error" in about["exception_message"]
    assert comfy.run(image_graph("b"))["status"]["completed"]


def test_success_without_outputs(comfy: Client) -> None:
    comfy.server.faults.set("empty_outputs", times=1)

    entry = comfy.run(image_graph())

    assert (entry["status"]["status_str"], entry["outputs"]) == ("success", {})


def test_interrupt_is_overheard(slow_comfy: Client) -> None:
    slow_comfy.server.faults.set("ignore_interrupt")
    prompt_id = slow_comfy.submit(sampling_graph())
    wait_for(lambda: slow_comfy.get("/queue").json()["queue_running"])

    slow_comfy.post("/interrupt", {"prompt_id": prompt_id})

    assert slow_comfy.wait(prompt_id)["status"]["completed"]


def test_hanging_node_takes_its_time(comfy: Client) -> None:
    comfy.server.faults.set("node_hang", match="ImageInvert", seconds=0.2, times=1)

    comfy.run(image_graph())

    finished = next(journal.entries(comfy.server.journal_path, "finished"))
    assert finished["seconds"] >= 0.2


def test_view_404_and_empty_and_not_an_image(comfy: Client) -> None:
    shown: dict[str, Any] = comfy.run(image_graph())["outputs"]["3"]["images"][0]
    comfy.server.faults.set("view_404", times=1)
    assert comfy.get("/view", **shown).status_code == 404

    comfy.server.faults.set("view_empty", times=1)
    assert comfy.get("/view", **shown).content == b""

    comfy.server.faults.set("view_not_an_image", times=1)
    assert comfy.get("/view", **shown).headers["Content-Type"].startswith("text/html")


def test_truncated_image_cannot_be_decoded(comfy: Client) -> None:
    shown = comfy.run(image_graph())["outputs"]["3"]["images"][0]
    comfy.server.faults.set("view_truncated", times=1)

    picture = Image.open(BytesIO(comfy.get("/view", **shown).content))

    with pytest.raises(OSError, match="truncated"):
        picture.load()


def test_full_disk_refuses_an_upload(comfy: Client) -> None:
    comfy.server.faults.set("disk_full", times=1)

    assert comfy.upload("b.png", b"x").status_code == 500


def test_faults_are_set_and_cleared_over_http(start: Start) -> None:
    comfy = start(faults=True)
    path = "/_preview/faults"

    comfy.post(path, {"set": [{"name": "answer", "match": "/queue", "status": 503}]})

    assert comfy.get("/queue").status_code == 503
    assert comfy.get(path).json()["kinds"] == KINDS
    assert comfy.post(path, {"clear": True}).json() == {"active": []}
    assert comfy.post(path, {"set": [{"name": "earthquake"}]}).status_code == 400
    assert comfy.get("/queue").ok


def test_restart_over_http_loses_history(start: Start) -> None:
    comfy = start(faults=True)
    comfy.run(image_graph())

    comfy.post("/_preview/faults", {"restart": True})

    assert comfy.get("/history").json() == {}


def test_faults_are_no_route_unless_asked_for(comfy: Client) -> None:
    assert comfy.get("/_preview/faults").status_code == 404
