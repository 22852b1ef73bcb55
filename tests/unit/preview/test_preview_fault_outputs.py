"""Faults of outputs, history entries, files and the worker."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from preview_client import Client, image_graph, wait_for

from comfyui_preview import journal


def shown(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = entry["outputs"]["3"]["images"][-1]
    return found


def picture(comfy: Client, image: dict[str, Any]) -> Image.Image:
    return Image.open(BytesIO(comfy.get("/view", **image).content))


def test_entry_without_a_status(comfy: Client) -> None:
    comfy.server.faults.set("odd_entry", how="no_status")

    assert comfy.run(image_graph())["status"] is None


def test_entry_with_a_null_output(comfy: Client) -> None:
    comfy.server.faults.set("odd_entry", how="null_output")

    assert comfy.run(image_graph())["outputs"] == {"3": None}


def test_entry_without_one_of_the_outputs(comfy: Client) -> None:
    comfy.server.faults.set("odd_entry", how="missing_node")
    graph = image_graph()
    graph["4"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}

    assert len(comfy.run(graph)["outputs"]) == 1


def test_entry_that_calls_an_error_a_success(comfy: Client) -> None:
    comfy.server.faults.set("odd_entry", how="success_with_error")

    status = comfy.run(image_graph())["status"]

    assert (status["status_str"], status["messages"][-1][0]) == ("success", "execution_error")


def test_other_files_come_before_the_image(comfy: Client) -> None:
    comfy.server.faults.set("odd_outputs", how="others")

    entry = comfy.run(image_graph())

    assert list(entry["outputs"]["3"])[:2] == ["text", "gifs"]
    assert picture(comfy, shown(entry)).size == (320, 180)


def test_image_has_an_odd_name_under_which_it_is_found(comfy: Client) -> None:
    comfy.server.faults.set("odd_outputs", how="names")

    image = shown(comfy.run(image_graph()))

    assert "\\" in image["subfolder"]
    assert "#" in image["filename"]
    assert picture(comfy, image).size == (320, 180)


def test_image_lies_in_the_temp_folder(comfy: Client) -> None:
    comfy.server.faults.set("odd_outputs", how="temp")

    image = shown(comfy.run(image_graph()))

    assert image["type"] == "temp"
    assert picture(comfy, image).size == (320, 180)


def test_cached_prompt_has_no_outputs(comfy: Client) -> None:
    comfy.server.faults.set("cached_without_outputs")
    first = comfy.run(image_graph())

    second = comfy.run(image_graph())

    assert (list(first["outputs"]), second["outputs"]) == (["3"], {})


@pytest.mark.parametrize(
    ("fault", "size"), [("view_wrong_image", (320, 180)), ("view_wrong_size", (160, 90))]
)
def test_another_image_is_given(comfy: Client, fault: str, size: tuple[int, int]) -> None:
    image = shown(comfy.run(image_graph()))
    comfy.server.faults.set(fault, times=1)

    given, own = picture(comfy, image), picture(comfy, image)

    assert (given.size, own.size) == (size, (320, 180))
    assert "somebody/else" in str(getattr(given, "text")["prompt"])  # noqa: B009


def test_input_is_gone_when_the_prompt_starts(comfy: Client) -> None:
    comfy.server.faults.set("input_gone", times=1)

    kind, about = comfy.run(image_graph())["status"]["messages"][-1]

    assert (kind, about["node_type"]) == ("execution_error", "LoadImage")


def test_dead_worker_leaves_prompts_waiting(comfy: Client) -> None:
    comfy.server.faults.set("worker_dead")

    prompt_id = comfy.submit(image_graph())

    queue = comfy.get("/queue").json()
    assert (queue["queue_running"], queue["queue_pending"][0][1]) == ([], prompt_id)


def test_stuck_worker_has_one_prompt_running_until_restart(comfy: Client) -> None:
    comfy.server.faults.set("worker_stuck")
    first, second = comfy.submit(image_graph("a")), comfy.submit(image_graph("b"))

    queue = wait_for(lambda: with_running(comfy))

    assert [item[1] for item in queue["queue_running"]] == [first]
    assert [item[1] for item in queue["queue_pending"]] == [second]

    comfy.server.restart()
    assert comfy.run(image_graph("c"))["status"]["completed"]
    assert journal.renders(comfy.server.journal_path) == {"c": 1}


def with_running(comfy: Client) -> dict[str, Any] | None:
    queue: dict[str, Any] = comfy.get("/queue").json()
    return queue if queue["queue_running"] else None


def test_node_that_hangs_ends_with_a_restart(comfy: Client) -> None:
    comfy.server.faults.set("node_hang", match="ImageInvert", seconds=60, times=1)
    comfy.submit(image_graph("a"))
    wait_for(lambda: comfy.server.faults.n_struck("node_hang"))

    comfy.server.restart()

    assert comfy.run(image_graph("b"))["status"]["completed"]
