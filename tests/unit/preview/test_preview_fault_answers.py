"""Faults of whole answers and of definitions: slow, endless, odd; and a port that is shut."""

from collections.abc import Callable

import pytest
import requests
from preview_client import Client, image_graph, png, sampling_graph, wait_for

from comfyui_preview import journal

Start = Callable[..., Client]


def test_a_fault_can_be_narrowed_to_a_method(comfy: Client) -> None:
    comfy.server.faults.set("answer", match="POST /queue", status=503)

    assert comfy.get("/queue").ok
    assert comfy.post("/queue", {}).status_code == 503


PATHS = ["/object_info", "/view?filename=panel.png&type=input"]


@pytest.mark.parametrize("path", PATHS)
def test_head_comes_before_the_first_piece_of_the_body(comfy: Client, path: str) -> None:
    comfy.server.faults.set("drip", times=1, seconds=3600)

    with comfy.http.get(comfy.url + path, timeout=60, stream=True) as dripping:
        length = int(dripping.headers["Content-Length"])

    assert length > 0


@pytest.mark.parametrize("path", PATHS)
def test_body_comes_in_pieces_and_whole(comfy: Client, path: str) -> None:
    sound = comfy.http.get(comfy.url + path, timeout=60)
    comfy.server.faults.set("drip", times=1, seconds=0.01)

    dripping = comfy.http.get(comfy.url + path, timeout=60, stream=True)

    assert dripping.content == sound.content
    assert (
        dripping.headers["Content-Type"].split(";")[0]
        == sound.headers["Content-Type"].split(";")[0]
    )


def test_body_never_ends(comfy: Client) -> None:
    comfy.server.faults.set("endless", match="/view", times=1)

    with comfy.http.get(f"{comfy.url}/view", timeout=60, stream=True) as flood:
        pieces = [
            len(piece) for _, piece in zip(range(100), flood.iter_content(65_536), strict=False)
        ]

    assert sum(pieces) > 1_000_000


def test_answers_hold_what_is_no_number(comfy: Client) -> None:
    comfy.server.faults.set("not_numbers", match="/queue")

    assert "NaN" in comfy.get("/queue").text
    assert comfy.get("/queue").json()["queue_running"] == []


def test_right_body_comes_under_another_type(comfy: Client) -> None:
    comfy.server.faults.set("content_type", times=1)

    answer = comfy.get("/queue")

    assert answer.headers["Content-Type"] == "text/html"
    assert answer.json()["queue_pending"] == []


def test_queue_lists_prompts_of_others_in_no_order(comfy: Client) -> None:
    comfy.server.faults.set("crowded_queue", count=200)

    numbers = [item[0] for item in comfy.get("/queue").json()["queue_pending"]]

    assert len(numbers) == 200
    assert numbers != sorted(numbers)


def test_class_that_is_missing_is_neither_told_nor_taken(comfy: Client) -> None:
    comfy.server.faults.set("missing_class", match="ImageInvert")

    answer = comfy.post("/prompt", {"prompt": image_graph()})

    assert "ImageInvert" not in comfy.get("/object_info").json()
    assert answer.json()["error"]["type"] == "invalid_prompt"


def test_definitions_are_some_megabytes(comfy: Client) -> None:
    comfy.server.faults.set("odd_object_info", how="huge")

    assert len(comfy.get("/object_info").content) > 4_000_000


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("new_combos", '"options": ["RealVisXL'),
        ("remote_combos", '"remote": {"route"'),
        ("bad_ranges", '"min": NaN'),
    ],
)
def test_definitions_are_told_oddly_but_prompts_are_taken(
    comfy: Client, how: str, words: str
) -> None:
    comfy.server.faults.set("odd_object_info", how=how)

    assert words in comfy.get("/object_info").text
    assert comfy.run(sampling_graph())["status"]["completed"]


def test_connections_are_refused_while_a_restart_lasts(start: Start) -> None:
    comfy = start(faults=True)
    comfy.run(image_graph("a"))

    comfy.post("/_preview/faults", {"restart": True, "down_s": 0.4})
    wait_for(lambda: not is_up(comfy))
    wait_for(lambda: is_up(comfy))

    assert comfy.get("/history").json() == {}
    assert comfy.run(image_graph("b"))["status"]["completed"]
    assert journal.renders(comfy.server.journal_path) == {"a": 1, "b": 1}


def is_up(comfy: Client) -> bool:
    try:
        return requests.get(f"{comfy.url}/prompt", timeout=60).ok
    except requests.RequestException:
        return False


def test_upload_is_gone_once_it_is_answered_for(comfy: Client) -> None:
    comfy.server.faults.set("forget_upload", match="fresh.png", times=1)
    graph = image_graph()
    graph["1"]["inputs"]["image"] = comfy.upload("fresh.png", png()).json()["name"]

    before = comfy.post("/prompt", {"prompt": graph})
    comfy.upload("fresh.png", png())

    assert before.json()["node_errors"]["1"]["errors"][0]["type"] == "custom_validation_failed"
    assert comfy.post("/prompt", {"prompt": graph}).ok
