"""The preview server says what a real server said: each recording replayed and compared."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import recorded
import websocket
from preview_client import Client, image_graph, wait_for
from recorded import Replay

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer

# what a recording found in the server's cache came from these, played before it
BEFORE = {
    "success_fully_cached": ["success"],
    "success_partly_cached": ["success"],
    "chosen_prompt_id_bad": ["chosen_prompt_id"],
    "delete_pending": ["interrupt_running"],
    "interrupt_by_prompt_id": ["interrupt_running"],
    "reconnect": ["interrupt_running", "delete_pending"],
}
EXACT = [
    "success",
    "success_fully_cached",
    "success_partly_cached",
    "success_sampling",
    "several_images",
    "chosen_prompt_id",
    "chosen_prompt_id_bad",
    "delete_pending",
    "execution_error",
    "rejected_prompts",
    "two_in_flight",
]
RECORDED_MODELS = {
    "checkpoints": ["tiny_sd15.safetensors"],
    "loras": ["tiny_shadow.safetensors"],
    "vae": ["pixel_space"],
}
# how many steps were made before an interruption or a new socket depends on the moment
BY_THE_MOMENT = ["interrupt_running", "interrupt_by_prompt_id", "reconnect"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Replay]]:
    """Plays a recording once on a server of its own, and keeps what came of it."""
    replays: dict[str, Replay] = {}
    clients: list[Client] = []

    def play(name: str) -> Replay:
        if name not in replays:
            # long enough that a second request meets a prompt that still runs
            slow = {*BY_THE_MOMENT, "delete_pending", "rejected_prompts", "two_in_flight"}
            home, seconds = tmp_path_factory.mktemp(name), 1.0 if name in slow else None
            options = Options(home, port=0, seconds_per_plan=seconds, models=RECORDED_MODELS)
            clients.append(Client(PreviewServer(options).__enter__()))
            replays[name] = Replay(clients[-1])
            for earlier in [*BEFORE.get(name, []), name]:
                replays[name].play(earlier)
        return replays[name]

    yield play
    for replay, client in zip(replays.values(), clients, strict=True):
        replay.close()
        client.close()
        client.server.__exit__(None, None, None)


def messages_of(replay: Replay, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The preview server's messages, once as many have ended as in the recording."""
    last = recorded.plain(expected[-1])
    wait_for(
        lambda: replay.messages and recorded.plain(replay.translated(replay.messages[-1])) == last
    )
    return list(replay.translated(replay.messages))


@pytest.mark.parametrize("name", EXACT)
def test_messages_come_with_the_same_content_in_the_same_order(
    name: str, played: Callable[[str], Replay]
) -> None:
    expected = recorded.recorded_messages(name)

    messages = messages_of(played(name), expected)

    # when a status comes between two steps is chance; the order of each kind is not
    told = recorded.plain(recorded.without_status(messages))
    assert told == recorded.plain(recorded.without_status(expected))
    assert recorded.remaining(messages) == recorded.remaining(expected)


@pytest.mark.parametrize("name", BY_THE_MOMENT)
def test_messages_beside_the_steps_come_in_the_same_order(
    name: str, played: Callable[[str], Replay]
) -> None:
    expected = recorded.recorded_messages(name)

    messages = messages_of(played(name), expected)

    told = recorded.plain(recorded.without_steps(messages))
    assert told == recorded.plain(recorded.without_steps(expected))


@pytest.mark.parametrize("name", [*EXACT, *BY_THE_MOMENT])
def test_requests_are_answered_with_the_same_status_type_and_content(
    name: str, played: Callable[[str], Replay]
) -> None:
    replay = played(name)

    ours = [
        summary(answer.status_code, replay.translated(body(answer))) for _, answer in replay.answers
    ]

    assert ours == [summary(event["status"], event["response"]) for event, _ in replay.answers]


@pytest.mark.parametrize("name", [*EXACT, *BY_THE_MOMENT, "plain_reads"])
def test_requests_are_answered_with_the_same_content_type(
    name: str, played: Callable[[str], Replay]
) -> None:
    replay = played(name)

    ours = [answer.headers.get("Content-Type") for _, answer in replay.answers]

    assert ours == [event["content_type"] for event, _ in replay.answers]


def test_plain_reads_have_the_same_shape(played: Callable[[str], Replay]) -> None:
    replay = played("plain_reads")
    named = ["/system_stats", "/models/checkpoints", "/models/loras", "/extensions"]

    ours = {event["path"]: recorded.shape(body(answer)) for event, answer in replay.answers}
    theirs = {event["path"]: recorded.shape(event["response"]) for event, _ in replay.answers}

    assert {path: ours[path] for path in theirs if path not in named} == {
        path: theirs[path] for path in theirs if path not in named
    }
    assert ours["/system_stats"]["system"].keys() >= theirs["/system_stats"]["system"].keys()
    assert ours["/models/checkpoints"] == theirs["/models/checkpoints"]
    assert [answer.status_code for _, answer in replay.answers] == [
        event["status"] for event, _ in replay.answers
    ]


def test_a_second_client_sees_status_only(comfy: Client) -> None:
    expected = recorded.recorded_messages("other_client")
    replay = Replay(comfy)
    replay._open("/ws?clientId=9d1d4283e4a94cb8b10d6299e77e4ee1")
    wait_for(lambda: replay.messages)

    comfy.run(image_graph(), client_id="the owner")

    wait_for(lambda: len(replay.messages) >= len(expected))
    assert recorded.plain(replay.messages) == recorded.plain(expected)
    replay.close()


def test_a_prompt_without_client_broadcasts_its_steps_only(comfy: Client) -> None:
    socket = websocket.create_connection(comfy.url.replace("http", "ws") + "/ws?clientId=a")
    graph = image_graph()

    prompt_id = comfy.post("/prompt", {"prompt": graph}).json()["prompt_id"]

    comfy.wait(prompt_id)
    messages = [socket.recv() for _ in range(4)]
    assert [message.split('"')[3] for message in messages] == [
        "status",
        "status",
        "status",
        "progress_state",
    ]
    socket.close()


def body(answer: Any) -> Any:
    """An answer as the recordings hold it: JSON, text, or a note of how many bytes."""
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("application/json"):
        return answer.json()
    return "<bytes>" if kind.startswith("image/") else answer.text


def summary(status: int, content: Any) -> tuple[int, Any]:
    """A status and a content, the latter in one form; history's output ids in any order."""
    if isinstance(content, str) and content.startswith("<"):
        content = "<bytes>"
    plain = recorded.plain(content)
    return status, sorted_ids(plain)


def sorted_ids(content: Any) -> Any:
    """Prompts told in a queue or history without their number, and their outputs sorted."""
    if isinstance(content, dict):
        return {key: sorted_ids(value) for key, value in content.items()}
    if isinstance(content, list) and len(content) == 5 and isinstance(content[4], list):
        return [*content[1:4], sorted(content[4])]
    return [sorted_ids(item) for item in content] if isinstance(content, list) else content
