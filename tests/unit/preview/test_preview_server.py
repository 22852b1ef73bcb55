"""The preview server's queue, cache, interrupts, journal and doors."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import websocket
from preview_client import Client, image_graph, sampling_graph, wait_for

from comfyui_preview import journal
from comfyui_preview.options import Options

ROOT = Path(__file__).parents[3]
Start = Callable[..., Client]


def running(comfy: Client) -> list[list[object]]:
    return list(comfy.get("/queue").json()["queue_running"])


def occupy(comfy: Client) -> str:
    """The id of a prompt that runs, so that what is submitted next has to wait."""
    prompt_id = comfy.submit(sampling_graph("a"))
    wait_for(lambda: running(comfy))
    return prompt_id


def test_prompts_run_in_order_of_their_number(slow_comfy: Client) -> None:
    occupy(slow_comfy)
    later, sooner = str(uuid.uuid4()), str(uuid.uuid4())
    slow_comfy.submit(image_graph("b"), prompt_id=later, number=9)

    slow_comfy.submit(image_graph("c"), prompt_id=sooner, number=-1)

    slow_comfy.wait(later)
    started = list(journal.entries(slow_comfy.server.journal_path, "started"))
    assert [entry["prompt_id"] for entry in started[1:]] == [sooner, later]


def test_prompt_in_front_overtakes(slow_comfy: Client) -> None:
    occupy(slow_comfy)
    waiting = slow_comfy.submit(image_graph("b"))

    first = slow_comfy.submit(image_graph("c"), front=True)

    pending = slow_comfy.get("/queue").json()["queue_pending"]
    assert [item[1] for item in sorted(pending)] == [first, waiting]


def test_number_of_a_refused_prompt_is_used_up(comfy: Client) -> None:
    comfy.post("/prompt", {"prompt": {}})

    answer = comfy.post("/prompt", {"prompt": image_graph()}).json()

    assert answer["number"] == 1


def test_same_id_and_number_waiting_twice_is_queued_but_answered_500(slow_comfy: Client) -> None:
    occupy(slow_comfy)
    body = {"prompt_id": str(uuid.uuid4()), "number": 5}
    slow_comfy.post("/prompt", {**body, "prompt": image_graph("a")})

    answer = slow_comfy.post("/prompt", {**body, "prompt": image_graph("b")})

    assert answer.status_code == 500
    assert len(slow_comfy.get("/queue").json()["queue_pending"]) == 2


def test_only_what_the_previous_prompt_used_stays_cached(comfy: Client) -> None:
    comfy.run(image_graph("a"))
    comfy.run(sampling_graph("b"))

    again = comfy.run(image_graph("a"))

    assert again["outputs"]["3"]["images"][0]["filename"] == "a_00002_.png"


def test_same_graph_under_other_ids_is_answered_with_the_old_file(comfy: Client) -> None:
    first = comfy.run(image_graph("a"))
    text = json.dumps(image_graph("a"))
    renamed = json.loads(text.replace('"1"', '"11"').replace('"2"', '"12"').replace('"3"', '"13"'))

    second = comfy.run(renamed)

    assert second["outputs"]["13"] == first["outputs"]["3"]


def test_two_identical_savers_write_one_file(comfy: Client) -> None:
    graph = image_graph("a")
    graph["4"] = graph["3"]

    outputs = comfy.run(graph)["outputs"]

    assert outputs["3"] == outputs["4"]
    assert journal.renders(comfy.server.journal_path) == {"a": 1}


def test_other_content_under_the_same_name_is_rendered_again(comfy: Client) -> None:
    comfy.run(image_graph("a"))
    comfy.upload("panel.png", (ROOT / "samples/panels").glob("*.png").__next__().read_bytes(),
                 overwrite="1")  # fmt: skip

    again = comfy.run(image_graph("a"))

    assert again["outputs"]["3"]["images"][0]["filename"] == "a_00002_.png"


def test_free_forgets_cached_results(comfy: Client) -> None:
    comfy.run(image_graph("a"))

    comfy.post("/free", {"free_memory": True})

    wait_for(lambda: not comfy.server.engine.free_memory.is_set())
    again = comfy.run(image_graph("a"))
    assert again["outputs"]["3"]["images"][0]["filename"] == "a_00002_.png"


def test_interrupt_of_another_prompt_stops_nothing(slow_comfy: Client) -> None:
    prompt_id = occupy(slow_comfy)

    slow_comfy.post("/interrupt", {"prompt_id": str(uuid.uuid4())})

    assert slow_comfy.wait(prompt_id)["status"]["status_str"] == "success"


def test_classic_server_stops_whatever_runs(start: Start) -> None:
    comfy = start(generation="classic", seconds_per_plan=5)
    prompt_id = occupy(comfy)

    comfy.post("/interrupt", {"prompt_id": str(uuid.uuid4())})

    messages = comfy.wait(prompt_id)["status"]["messages"]
    assert messages[-1][0] == "execution_interrupted"


def test_interrupt_stops_a_plan_without_sampler_too(start: Start) -> None:
    comfy = start(seconds_per_plan=5)
    prompt_id = comfy.submit(image_graph())
    wait_for(lambda: running(comfy))

    comfy.post("/interrupt", {"prompt_id": prompt_id})

    assert comfy.wait(prompt_id)["outputs"] == {}
    assert journal.renders(comfy.server.journal_path) == {}


def test_interrupt_while_idle_is_lost(comfy: Client) -> None:
    comfy.post("/interrupt", {})

    assert comfy.run(image_graph())["status"]["completed"]


@pytest.mark.parametrize(("path", "body"), [("/interrupt", []), ("/free", None), ("/queue", [])])
def test_malformed_bodies_are_answered_500_as_text(comfy: Client, path: str, body: object) -> None:
    answer = comfy.post(path, body)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_history_pages_from_the_newest(comfy: Client) -> None:
    ids = [comfy.submit(image_graph(prefix)) for prefix in "abc"]
    comfy.wait(ids[-1])

    assert list(comfy.get("/history", max_items=2).json()) == ids[1:]
    assert list(comfy.get("/history", max_items=1, offset=0).json()) == ids[:1]


def test_history_forgets_what_is_deleted(comfy: Client) -> None:
    prompt_id = comfy.submit(image_graph())
    comfy.wait(prompt_id)

    comfy.post("/history", {"delete": [prompt_id]})

    assert comfy.get(f"/history/{prompt_id}").json() == {}


def test_every_route_exists_under_api(comfy: Client) -> None:
    assert comfy.get("/api/prompt").json() == comfy.get("/prompt").json()


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("POST", 405), ("OPTIONS", 200)])
def test_unknown_paths(comfy: Client, method: str, status: int) -> None:
    assert comfy.http.request(method, f"{comfy.url}/api/jobs").status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://evil.example", 403), ("http://127.0.0.1", 200), ("null", 200)],
)
def test_pages_of_another_origin_are_refused(comfy: Client, origin: str, status: int) -> None:
    answer = comfy.http.get(f"{comfy.url}/queue", headers={"Origin": origin})

    assert answer.status_code == status


def test_seconds_per_plan_is_how_long_a_plan_takes(start: Start) -> None:
    comfy = start(seconds_per_plan=0.4)

    comfy.run(sampling_graph())

    finished = next(journal.entries(comfy.server.journal_path, "finished"))
    assert finished["seconds"] >= 0.38


def test_journal_names_every_step_of_a_prompt_and_survives_a_restart(
    start: Start, tmp_path: Path
) -> None:
    start(home=tmp_path / "same").run(image_graph("a"))

    start(home=tmp_path / "same").run(image_graph("b"))

    events = [entry["event"] for entry in journal.entries(tmp_path / "same" / "journal.jsonl")]
    once = ["server_started", "accepted", "started", "executed", "finished"]
    assert events == once * 2
    assert journal.renders(tmp_path / "same" / "journal.jsonl") == {"a": 1, "b": 1}


def test_journal_without_its_last_line_end_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"at": 1, "event": "started"}\n{"at": 2, "ev')

    assert [entry["at"] for entry in journal.entries(path)] == [1]


def test_restart_loses_all_but_the_files(slow_comfy: Client) -> None:
    done = slow_comfy.submit(image_graph("done"))
    shown = slow_comfy.wait(done)["outputs"]["3"]["images"][0]
    lost = occupy(slow_comfy)

    slow_comfy.server.restart()

    assert slow_comfy.get("/history").json() == {}
    assert slow_comfy.get("/queue").json() == {"queue_running": [], "queue_pending": []}
    assert slow_comfy.get("/view", **shown).status_code == 200
    after = slow_comfy.submit(image_graph("after"))
    assert slow_comfy.wait(after)["prompt"][0] == 0
    assert slow_comfy.get(f"/history/{lost}").json() == {}


def test_reconnecting_client_is_told_which_node_runs(slow_comfy: Client) -> None:
    slow_comfy.submit(sampling_graph(), client_id="me")
    wait_for(lambda: slow_comfy.server.engine.current[0] == "5")

    socket = websocket.create_connection(slow_comfy.url.replace("http", "ws") + "/ws?clientId=me")
    socket.recv()

    assert json.loads(socket.recv()) == {"type": "executing", "data": {"node": "5"}}
    socket.close()


def test_previews_are_sent_with_metadata_to_who_asked_for_it(start: Start) -> None:
    comfy = start(previews=True)
    socket = websocket.create_connection(comfy.url.replace("http", "ws") + "/ws?clientId=me")
    flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
    socket.send(json.dumps(flags))
    socket.recv(), socket.recv()

    comfy.submit(sampling_graph(), client_id="me")

    frame = wait_for(lambda: next((f for f in [socket.recv()] if isinstance(f, bytes)), None))
    length = int.from_bytes(frame[4:8])
    assert int.from_bytes(frame[:4]) == 4
    assert json.loads(frame[8 : 8 + length])["node_id"] == "5"
    assert frame[8 + length :].startswith(b"\xff\xd8")
    socket.close()


def test_jobs_server_knows_jobs_and_takes_canonical_ids_only(start: Start) -> None:
    comfy = start(generation="jobs")
    prompt_id = comfy.submit(image_graph())
    comfy.wait(prompt_id)

    assert comfy.get(f"/api/jobs/{prompt_id}").json()["status"] == "completed"
    assert comfy.get("/api/jobs", status="completed").json()["pagination"]["total"] == 1
    assert comfy.get("/api/jobs/unknown").status_code == 404
    assert comfy.get("/api/jobs", status="odd").status_code == 400
    refused = comfy.post("/prompt", {"prompt": image_graph(), "prompt_id": prompt_id.upper()})
    assert refused.json()["error"]["type"] == "invalid_prompt_id"


def test_jobs_server_cancels_what_runs_and_what_waits(start: Start) -> None:
    comfy = start(generation="jobs", seconds_per_plan=5)
    first, second = occupy(comfy), comfy.submit(image_graph())

    assert comfy.post(f"/api/jobs/{second}/cancel").json() == {"cancelled": True}
    assert comfy.post("/api/jobs/cancel", {"job_ids": [first]}).json() == {"cancelled": True}
    comfy.wait(first)
    assert comfy.get(f"/api/jobs/{first}").json()["status"] == "cancelled"
    assert comfy.get(f"/api/jobs/{second}").status_code == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "render.example"])
def test_hosts_that_others_reach_are_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(ValueError, match="no login"):
        Options(tmp_path, host=host)


def test_command_listens_says_where_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "comfyui_preview", "--port", "0", "--home", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().removeprefix("listening on ").strip()

    answer = requests.get(f"{url}/prompt", timeout=60)

    os.kill(process.pid, signal.SIGTERM)
    assert answer.json() == {"exec_info": {"queue_remaining": 0}}
    assert process.wait(60) == 0
    process.stdout.close()


def test_classic_server_draws_its_own_prompt_ids(start: Start) -> None:
    comfy = start(generation="classic")
    sent = str(uuid.uuid4())

    drawn = comfy.submit(image_graph(), prompt_id=sent)

    assert drawn != sent
    assert comfy.wait(drawn)["prompt"][1] == drawn
    assert comfy.get(f"/history/{sent}").json() == {}


@pytest.mark.parametrize("generation", ["chosen", "targeted", "jobs"])
def test_later_servers_take_the_id_that_was_sent(start: Start, generation: str) -> None:
    comfy = start(generation=generation)
    sent = str(uuid.uuid4())

    assert comfy.submit(image_graph(), prompt_id=sent) == sent


def test_server_before_0_3_57_reads_no_body_of_an_interrupt(start: Start) -> None:
    comfy = start(generation="chosen", seconds_per_plan=5)
    prompt_id = occupy(comfy)

    answer = comfy.post("/interrupt", ["no object"])

    assert answer.status_code == 200
    messages = comfy.wait(prompt_id)["status"]["messages"]
    assert messages[-1][0] == "execution_interrupted"


def test_classic_server_knows_no_features(start: Start) -> None:
    comfy = start(generation="classic")

    assert comfy.get("/features").status_code == 404
    assert "required_frontend_version" not in comfy.get("/system_stats").json()["system"]


def test_classic_server_runs_every_output_whatever_was_aimed_at(start: Start) -> None:
    comfy = start(generation="classic")
    graph = image_graph("a")
    graph["4"] = {**graph["3"], "inputs": {**graph["3"]["inputs"], "filename_prefix": "b"}}

    outputs = comfy.run(graph, partial_execution_targets=["4"])["outputs"]

    assert sorted(outputs) == ["3", "4"]


def test_history_before_0_3_60_begins_where_it_begins(start: Start) -> None:
    comfy = start(generation="chosen")
    ids = [comfy.submit(image_graph("a")), comfy.submit(image_graph("b"))]
    comfy.wait(ids[1])

    assert list(comfy.get("/history", offset=1).json()) == ids


def test_what_is_refused_is_known_by_its_prefix(start: Start) -> None:
    comfy = start(generation="classic")
    graph = image_graph(prefix="mine")
    graph["1"]["class_type"] = "NobodyKnows"

    assert comfy.post("/prompt", {"prompt": graph}).status_code == 400

    refused = next(journal.entries(comfy.server.journal_path, "refused"))
    assert refused["prefixes"] == ["mine"]
