"""A ComfyUI server that the scenario starts, kills and starts again."""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from tests.ports import own_port
from tests.processes import alive

ANSWERS_WITHIN_S = 5


class Comfy:
    """One server; `command` starts it in the foreground, with {port} and {home} in it."""

    def __init__(self, command: str, home: Path) -> None:
        home.mkdir()
        self.home = home
        port = own_port()
        self.url = f"http://127.0.0.1:{port}"
        self.n_starts = 0
        self._command = shlex.split(command.format(port=port, home=home))
        self._log = home / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers when it has come up."""
        self.n_starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """End it and all that it has started, as a power cut would."""
        if self._process is None:
            return
        for pid in alive(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def version(self) -> str:
        """Return its version; nothing while it does not answer."""
        try:
            return str(self._get("/system_stats")["system"]["comfyui_version"])
        except requests.RequestException:
            return ""

    def queue(self) -> tuple[list[str], list[str]]:
        """Return the prompt that runs, and those that wait; none while it does not answer."""
        try:
            answer = self._get("/queue")
        except requests.RequestException:
            return [], []
        waiting = sorted(answer["queue_pending"])
        return [item[1] for item in answer["queue_running"]], [item[1] for item in waiting]

    def history(self, n_latest: int) -> dict[str, Any]:
        """Return the latest entries of its history."""
        return dict(self._get(f"/history?max_items={n_latest}"))

    def has(self, class_type: str) -> bool:
        """Tell whether it has nodes of a class."""
        return bool(self._get(f"/object_info/{class_type}"))

    def entry(self, prompt_id: str) -> dict[str, Any]:
        """Return what its history has of a prompt: its graph, its outputs, its messages."""
        return dict(self._get(f"/history/{prompt_id}")[prompt_id])

    def view(self, image: Mapping[str, str]) -> bytes:
        """Return a picture, as an output of its history names it."""
        answer = requests.get(f"{self.url}/view", params=image, timeout=ANSWERS_WITHIN_S)
        answer.raise_for_status()
        return answer.content

    def post(self, graph: Any, client_id: str, document: Any = None) -> str:
        """Queue a prompt and return its id; its pictures carry the editor's `document` too."""
        body = {"prompt": graph, "client_id": client_id}
        if document is not None:
            body["extra_data"] = {"extra_pnginfo": {"workflow": document}}
        answer = requests.post(f"{self.url}/prompt", json=body, timeout=ANSWERS_WITHIN_S)
        answer.raise_for_status()
        return str(answer.json()["prompt_id"])

    def _get(self, path: str) -> Any:
        answer = requests.get(self.url + path, timeout=ANSWERS_WITHIN_S)
        answer.raise_for_status()
        return answer.json()
