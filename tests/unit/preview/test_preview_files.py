"""Files of the preview server: names, uploads, views, and what is written into images."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from preview_client import Client, image_graph, png

from comfyui_preview.folders import Escape, Folders


def saved(entry: dict[str, Any]) -> dict[str, str]:
    return dict(entry["outputs"]["3"]["images"][0])


def test_counter_is_the_highest_on_disk_plus_one(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (tmp_path / "output" / "a_00007_.png").touch()

    place = folders.place("output", "a", (8, 8))

    assert place.name(0) == "a_00008_.png"
    assert place.name(1) == "a_00009_.png"


def test_counter_of_one_prefix_is_not_that_of_a_longer_one(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (tmp_path / "output" / "a_b_00007_.png").touch()

    assert folders.place("output", "a", (8, 8)).counter == 1


def test_prefix_makes_folders_and_fills_placeholders(tmp_path: Path) -> None:
    place = Folders(tmp_path).place("output", "run/1/%width%x%height%_%unknown%", (64, 36))

    assert (place.subfolder, place.name(0)) == ("run/1", "64x36_%unknown%_00001_.png")


@pytest.mark.parametrize("prefix", ["../out", "/etc/out", "a/../../out"])
def test_prefix_cannot_leave_the_output_folder(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(Escape):
        Folders(tmp_path).place("output", prefix, (8, 8))


def test_temp_is_wiped_at_start_and_output_kept(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (tmp_path / "temp" / "a.png").touch()
    (tmp_path / "output" / "a.png").touch()

    Folders(tmp_path)

    assert not (folders.home / "temp" / "a.png").exists()
    assert (folders.home / "output" / "a.png").exists()


def test_upload_of_the_same_content_keeps_its_name(comfy: Client) -> None:
    comfy.upload("a.png", png())

    assert comfy.upload("a.png", png()).json()["name"] == "a.png"


def test_upload_of_other_content_gets_another_name(comfy: Client) -> None:
    comfy.upload("a.png", png(shade=1))
    comfy.upload("a.png", png(shade=2))

    assert comfy.upload("a.png", png(shade=3)).json()["name"] == "a (2).png"


def test_upload_overwrites_when_asked(comfy: Client) -> None:
    comfy.upload("a.png", png(shade=1))

    comfy.upload("a.png", png(shade=2), overwrite="true")

    assert comfy.get("/view", filename="a.png", type="input").content == png(shade=2)


@pytest.mark.parametrize(
    ("fields", "status"), [({"subfolder": "../.."}, 400), ({"type": "elsewhere"}, 500)]
)
def test_upload_elsewhere_is_refused(comfy: Client, fields: dict[str, str], status: int) -> None:
    assert comfy.upload("a.png", png(), **fields).status_code == status


def test_upload_that_is_no_form_is_refused(comfy: Client) -> None:
    assert comfy.post("/upload/image", {}).status_code == 400


def test_mask_replaces_the_transparency(comfy: Client) -> None:
    reference = json.dumps({"filename": "panel.png", "subfolder": "", "type": "input"})
    files = {"image": ("mask.png", png())}

    answer = comfy.http.post(
        f"{comfy.url}/upload/mask", files=files, data={"original_ref": reference}, timeout=60
    )

    assert answer.json() == {"name": "mask.png", "subfolder": "", "type": "input"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"filename": "none.png"}, 404),
        ({}, 404),
        ({"filename": ""}, 400),
        ({"filename": "/etc/passwd"}, 400),
        ({"filename": "a..b.png"}, 400),
        ({"filename": "a.png", "type": "elsewhere"}, 400),
        ({"filename": "a.png", "subfolder": "../.."}, 403),
        ({"filename": "some/folder/panel.png", "type": "input"}, 200),
    ],
)
def test_view_answers_as_a_real_server(comfy: Client, query: dict[str, str], status: int) -> None:
    assert comfy.get("/view", **query).status_code == status


@pytest.mark.parametrize(
    ("query", "kind"),
    [({"preview": "webp;80"}, "image/webp"), ({"channel": "rgb"}, "image/png")],
)
def test_view_recodes_when_asked(comfy: Client, query: dict[str, str], kind: str) -> None:
    answer = comfy.get("/view", filename="panel.png", type="input", **query)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)


def test_view_gives_a_range(comfy: Client) -> None:
    answer = comfy.http.get(
        f"{comfy.url}/view?filename=panel.png&type=input", headers={"Range": "bytes=0-7"}
    )

    assert (answer.status_code, answer.content) == (206, png()[:8])


def test_image_holds_its_graph_and_says_that_it_is_a_preview(comfy: Client) -> None:
    entry = comfy.run(image_graph(), extra_data={"extra_pnginfo": {"madsea": {"plan": "0010"}}})

    texts = comfy.image(entry, "3").info
    graph = json.loads(texts["prompt"])
    assert graph["3"]["inputs"] == image_graph()["3"]["inputs"]
    assert len(graph["1"]["is_changed"][0]) == 64
    assert json.loads(texts["madsea"]) == {"plan": "0010"}
    assert "preview server" in texts["madsea_preview"]


def test_image_carries_a_mark_in_its_lower_right_corner(comfy: Client) -> None:
    black = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 640, "height": 360, "batch_size": 1, "color": 0},
        },
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "b"}},
    }

    picture = comfy.image(comfy.run(black), "3").convert("L")

    corner = picture.crop((520, 330, 640, 360))
    assert corner.getextrema()[1] > 150
    assert picture.crop((0, 0, 500, 320)).getextrema() == (0, 0)


def test_ready_made_images_are_small_and_all_different(start: Any) -> None:
    comfy = start(pre_encoded=True)

    first = comfy.get("/view", **saved(comfy.run(image_graph("a")))).content
    second = comfy.get("/view", **saved(comfy.run(image_graph("b")))).content

    assert first != second
    assert len(first) < 1000


def test_ready_made_images_can_be_decoded(start: Any) -> None:
    comfy = start(pre_encoded=True)

    picture: Image.Image = comfy.image(comfy.run(image_graph()), "3")

    picture.load()
    assert picture.size == (64, 36)
