"""Replays what was recorded of a real server against a preview server, side by side.

Ids, counters and clocks differ by nature and are brought to one form; everything else is compared.
"""

import json
import re
import threading
from pathlib import Path
from typing import Any

import requests
import websocket
from preview_client import Client, png, wait_for

RECORDINGS = Path(__file__).parents[2] / "data" / "comfyui" / "recordings"
VOLATILE = {"timestamp", "traceback", "exception_message", "number", "argv", "filename"}
UNORDERED = {"executed", "current_outputs", "dependent_outputs"}
# a file name as a server counts it, or a temporary one
COUNTED = re.compile(r"(ComfyUI_temp_[a-z]{5}|[a-z]+)_\d{5}_\.png")


def load(name: str) -> list[dict[str, Any]]:
    events = json.loads((RECORDINGS / f"{name}.json").read_text())["events"]
    return [event for event in events if "note" not in event]


def recorded_messages(name: str) -> list[dict[str, Any]]:
    return [event["message"] for event in load(name) if event.get("ws") == "text"]


def plain(value: Any, key: str = "") -> Any:
    """A JSON value with what differs by nature replaced by the name of its type."""
    if key in VOLATILE:
        return type(value).__name__
    if isinstance(value, dict):
        return {name: plain(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        shown = [plain(inner) for inner in value]
        return sorted(shown, key=str) if key in UNORDERED else shown
    return COUNTED.sub("counted", value) if isinstance(value, str) else value


def shape(value: Any) -> Any:
    """A JSON value's keys and types, all the way down; items of a list as a set of shapes."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


class Replay:
    """Sends a recording's requests to a server and keeps both sides' answers and messages."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._socket: websocket.WebSocket | None = None
        self._ids: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []
        self.answers: list[tuple[dict[str, Any], requests.Response]] = []
        self._sockets: list[websocket.WebSocket] = []
        client.upload("panel00.png", png(), subfolder="raw")
        client.upload("panel.png", png(), subfolder="madsea")

    def play(self, name: str) -> "Replay":
        self.messages, self.answers = [], []
        seen: list[dict[str, Any]] = []
        for event in load(name):
            if event.get("ws") == "text":
                seen.append(event["message"])
            else:
                self._catch_up(seen)
                self._play_event(event)
        return self

    def close(self) -> None:
        for socket in self._sockets:
            socket.close(timeout=0)

    def translated(self, value: Any) -> Any:
        """What the preview server said, with the recording's prompt ids in place of its own."""
        text = json.dumps(value)
        for theirs, ours in self._ids.items():
            text = text.replace(ours, theirs)
        return json.loads(text)

    def _play_event(self, event: dict[str, Any]) -> None:
        if event.get("ws") == "open":
            self._open(event["url"])
        elif event.get("ws") == "close" and self._socket is not None:
            self._socket.close(timeout=0)
        elif "http" in event:
            self._request(event)

    def _open(self, url: str) -> None:
        self._socket = websocket.create_connection(self._client.url.replace("http", "ws") + url)
        self._sockets.append(self._socket)
        threading.Thread(target=self._listen, args=[self._socket], daemon=True).start()

    def _listen(self, socket: websocket.WebSocket) -> None:
        try:
            while text := socket.recv():
                self.messages.append(json.loads(text))
        except (OSError, ValueError, websocket.WebSocketException):
            # Closed by the other thread, also just before it was waited for (ValueError).
            return

    def _catch_up(self, seen: list[dict[str, Any]]) -> None:
        """Wait until as many prompts started and ended, and a step was made, as recorded."""
        wait_for(lambda: _starts(self.messages) >= _starts(seen))
        wait_for(lambda: _ends(self.messages) >= _ends(seen))
        wait_for(lambda: "progress" in _types(self.messages) or "progress" not in _types(seen))

    def _request(self, event: dict[str, Any]) -> None:
        path = event["path"]
        for theirs, ours in self._ids.items():
            path = path.replace(theirs, ours)
        if path.startswith("/upload"):
            response = self._upload(event["response"])
        else:
            response = self._send(event, path)
        self.answers.append((event, response))
        if path == "/prompt" and event["http"] == "POST" and response.ok:
            self._ids[event["response"]["prompt_id"]] = response.json()["prompt_id"]

    def _send(self, event: dict[str, Any], path: str) -> requests.Response:
        body = event.get("request_raw") or json.dumps(self._ours(event.get("request")))
        query = self._ours(event.get("params"))
        given = None if event["http"] == "GET" else body
        url = self._client.url + path
        return self._client.http.request(event["http"], url, data=given, params=query, timeout=60)

    def _ours(self, value: Any) -> Any:
        text = json.dumps(value)
        for theirs, ours in {**self._ids, **self._file_names()}.items():
            text = text.replace(theirs, ours)
        return json.loads(text)

    def _file_names(self) -> dict[str, str]:
        """The recording's file names with those that the preview server gave instead."""
        theirs = [COUNTED.search(str(event.get("response"))) for event, _ in self.answers]
        ours = [COUNTED.search(response.text) for _, response in self.answers]
        pairs = zip(theirs, ours, strict=True)
        return {their[0]: our[0] for their, our in pairs if their and our}

    def _upload(self, answer: dict[str, str]) -> requests.Response:
        content = png() if answer["name"] != "bad.png" else png()[:24]
        return self._client.upload(answer["name"], content, subfolder=answer["subfolder"])


def _types(messages: list[dict[str, Any]]) -> set[str]:
    return {message["type"] for message in messages}


def _starts(messages: list[dict[str, Any]]) -> int:
    return sum(message["type"] == "execution_start" for message in messages)


def _ends(messages: list[dict[str, Any]]) -> int:
    return sum(
        message["type"] == "executing" and message["data"]["node"] is None for message in messages
    )


def without_steps(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if not message["type"].startswith("progress")]


def without_status(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] != "status"]


def remaining(messages: list[dict[str, Any]]) -> list[int]:
    return [
        message["data"]["status"]["exec_info"]["queue_remaining"]
        for message in messages
        if message["type"] == "status"
    ]
