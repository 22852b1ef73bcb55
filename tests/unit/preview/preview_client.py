"""What the tests of the preview server ask it and feed it with."""

import time
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import Any

import requests
from PIL import Image, ImageDraw

from comfyui_preview.server import PreviewServer

Json = dict[str, Any]


class Client:
    """The few requests that most tests make of one preview server."""

    def __init__(self, server: PreviewServer) -> None:
        self.server = server
        self.url = server.url
        self.http = requests.Session()

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **query: object) -> requests.Response:
        return self.http.get(self.url + path, params=query, timeout=60)

    def post(self, path: str, body: object = None, **more: Any) -> requests.Response:
        return self.http.post(self.url + path, json=body, timeout=60, **more)

    def upload(self, name: str, content: bytes, **fields: str) -> requests.Response:
        files = {"image": (name, content)}
        return self.http.post(f"{self.url}/upload/image", files=files, data=fields, timeout=60)

    def submit(self, graph: Json, **more: object) -> str:
        prompt_id = str(uuid.uuid4())
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": "tester", **more}
        answer = self.post("/prompt", body)
        answer.raise_for_status()
        return str(answer.json()["prompt_id"])

    def wait(self, prompt_id: str) -> Json:
        return wait_for(lambda: self.get(f"/history/{prompt_id}").json().get(prompt_id))

    def run(self, graph: Json, **more: object) -> Json:
        return self.wait(self.submit(graph, **more))

    def image(self, entry: Json, node_id: str) -> Image.Image:
        shown = entry["outputs"][node_id]["images"][0]
        return Image.open(BytesIO(self.get("/view", **shown).content))


def wait_for(read: Callable[[], Any], timeout_s: float = 60) -> Any:
    """What `read` gives as soon as it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (found := read()):
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.01)
    return found


def png(size: tuple[int, int] = (320, 180), shade: int = 60) -> bytes:
    picture = Image.new("RGB", size, "white")
    box = (size[0] // 4, size[1] // 4, size[0] // 2, size[1])
    ImageDraw.Draw(picture).rectangle(box, fill=(shade, shade, shade))
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def image_graph(prefix: str = "madsea/plan") -> Json:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "panel.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }


def sampling_graph(prefix: str = "madsea/plan", **changes: object) -> Json:
    sampling = {"seed": 7, "steps": 6, "cfg": 7.0, "denoise": 1.0, **changes}
    return {
        "1": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "RealVisXL_V5.0_fp16.safetensors"},
        },
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "silhouette", "clip": ["1", 1]}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "panel.png"}},
        "4": {"class_type": "VAEEncode", "inputs": {"pixels": ["3", 0], "vae": ["1", 2]}},
        "5": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["1", 0],
                "positive": ["2", 0],
                "negative": ["2", 0],
                "latent_image": ["4", 0],
                "sampler_name": "euler",
                "scheduler": "normal",
                **sampling,
            },
        },
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": prefix}},
    }
