"""What a real server said, read into typed values."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted_comfyui import recorded_frames, recorded_history

from generation.comfyui.protocol import (
    Cached,
    Event,
    Executed,
    Executing,
    OutputFile,
    PromptFailed,
    PromptInterrupted,
    PromptStarted,
    PromptSucceeded,
    QueueStatus,
    StepProgress,
    parse_frame,
    parse_history,
)
from generation.comfyui.untrusted_json import as_mapping, exact_json, lenient_json


def events(name: str) -> list[Event]:
    return [event for event in map(parse_frame, recorded_frames(name)) if event]


def frame(kind: str, **said: Any) -> str:
    return json.dumps({"type": kind, "data": said})


def terminal(kind: str, **said: Any) -> dict[str, Any]:
    return {"outputs": {}, "status": {"status_str": "success", "messages": [[kind, said]]}}


def test_a_successful_history_names_its_file() -> None:
    history = parse_history(recorded_history("success.json"))
    assert history.outcome == "success"
    assert [file.subfolder for file in history.outputs] == ["madsea"]
    assert history.outputs[0].filename.endswith(".png")
    assert history.error is None
    assert (history.started_at_ms or 0) <= (history.finished_at_ms or 0)


def test_a_failed_history_tells_node_and_reason() -> None:
    history = parse_history(recorded_history("execution_error.json"))
    assert history.outcome == "error"
    assert history.error is not None
    assert (history.error.node_id, history.error.node_type) == ("1", "LoadImage")
    assert (history.error.exception_type, history.error.message) == (
        "OSError",
        "Truncated File Read",
    )
    assert history.error.traceback


@pytest.mark.parametrize("name", ["interrupt_running.json", "interrupt_by_prompt_id.json"])
def test_an_interruption_is_no_error(name: str) -> None:
    history = parse_history(recorded_history(name))
    assert history.outcome == "interrupted"
    assert history.error is None


def test_several_images_come_sorted_by_node_with_their_kind() -> None:
    history = parse_history(recorded_history("several_images.json"))
    assert [file.type for file in history.outputs] == ["output", "output", "output", "temp"]
    node_ids = [int(file.node_id) for file in history.outputs]
    assert node_ids == sorted(node_ids)


def test_a_cached_history_lists_its_cached_nodes() -> None:
    entry = recorded_history("success_fully_cached.json")
    assert set(parse_history(entry).cached_nodes) == set(entry["prompt"][2])


def test_the_last_terminal_message_wins_over_the_status() -> None:
    history = parse_history(terminal("execution_error", node_id="3", timestamp=7))
    assert history.outcome == "error"
    assert history.finished_at_ms == 7


def test_a_blocked_branch_is_not_the_end_of_a_history() -> None:
    entry = terminal("execution_error", exception_type="ExecutionBlocked")
    assert parse_history(entry).outcome == "success"


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ({"outputs": {}, "status": {"status_str": "success"}}, "success"),
        ({"outputs": {}, "status": {"status_str": "error"}}, "error"),
        ({"outputs": {"9": {"images": [{"filename": "a.png"}]}}, "status": None}, "success"),
        ({"outputs": {}, "status": None}, "error"),
        ({}, "error"),
        ([], "error"),
    ],
)
def test_a_history_without_messages_falls_back_on_its_status(entry: Any, outcome: str) -> None:
    assert parse_history(entry).outcome == outcome


def test_only_files_are_taken_from_outputs() -> None:
    left = {
        "images": [{"filename": "a.png", "subfolder": "x\\y", "type": "temp", "id": 4}, None, 3],
        "text": ["hello"],
        "animated": [True],
        "gifs": [{"filename": ""}, {"name": "b"}],
        "broken": "a.png",
    }
    outputs = parse_history({"outputs": {"9": left, "2": None}}).outputs
    assert outputs == (OutputFile("9", "a.png", "x\\y", "temp", "images"),)


def test_what_databases_refuse_is_taken_out_of_an_error() -> None:
    entry = terminal("execution_error", exception_message="a\x00b\ud800", traceback=["\x00"])
    read = lenient_json(json.dumps(entry))
    error = parse_history(as_mapping(read)).error
    assert error is not None
    assert (error.message, error.traceback) == ("ab\U0010d800", ("",))


def test_the_frames_of_a_success_tell_its_story() -> None:
    kinds = [type(event) for event in events("success_sampling.json")]
    assert kinds[0] is QueueStatus
    assert [kinds.count(kind) for kind in (PromptStarted, Cached, StepProgress, Executed)] == [
        1,
        1,
        6,
        1,
    ]
    assert kinds.index(Executed) < kinds.index(PromptSucceeded)
    assert kinds[-1] is Executing


def test_progress_counts_the_steps_of_the_sampler() -> None:
    steps = [event for event in events("success_sampling.json") if isinstance(event, StepProgress)]
    assert [(step.node, step.value, step.max) for step in steps] == [
        ("8", value, 6) for value in range(1, 7)
    ]


def test_the_end_of_a_prompt_is_executing_none() -> None:
    last = events("success.json")[-1]
    assert isinstance(last, Executing)
    assert last.node is None


def test_a_failure_carries_the_servers_words() -> None:
    failed = [event for event in events("execution_error.json") if isinstance(event, PromptFailed)]
    assert [event.error.message for event in failed] == ["Truncated File Read"]


def test_an_interruption_is_seen_on_the_socket() -> None:
    assert PromptInterrupted in {type(event) for event in events("interrupt_running.json")}


def test_two_prompts_in_flight_are_told_apart() -> None:
    started = [
        event.prompt_id for event in events("two_in_flight.json") if type(event) is PromptStarted
    ]
    assert len(set(started)) == 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x00\x00\x01\x00\x00\x00\x01\xff\xd8",
        b"",
        "",
        "not json",
        "[1, 2]",
        "null",
        "[" * 100_000,
        frame("crystools.monitor", cpu=3),
        frame("execution_start"),
        frame("executing", node="12"),
        frame("executing", prompt_id="p"),
        frame("executing", prompt_id="p", node=4),
        frame("progress", prompt_id="p", node="8", value=None, max=6),
        frame("progress", prompt_id="p", node="8", value=float("nan"), max=6),
        frame("status", status=None),
        frame("status", status={"exec_info": {"queue_remaining": float("inf")}}),
        frame("execution_error", prompt_id="p", exception_type="ExecutionBlocked"),
        '{"type": ["status"], "data": []}',
    ],
)
def test_a_frame_to_ignore_is_none(garbage: str | bytes) -> None:
    assert parse_frame(garbage) is None


def test_an_executed_frame_without_output_has_no_files() -> None:
    assert parse_frame(frame("executed", prompt_id="p", node="9", output=None)) == Executed(
        "p", "9", ()
    )


def test_lenient_json_turns_what_is_no_number_into_none() -> None:
    text = '{"a": NaN, "b": [Infinity, -Infinity, 1e999, 1.5]}'
    assert lenient_json(text) == {"a": None, "b": [None, None, None, 1.5]}


@pytest.mark.parametrize("how", [json.dumps, lambda value: json.dumps(value, ensure_ascii=False)])
def test_all_text_of_lenient_json_can_be_stored(how: Callable[[Any], str]) -> None:
    read = lenient_json(how({"mod\udce9le": ["n\x7ful", {"\ud83d": "é😀"}]}))
    assert read == {"mod\U0010dce9le": ["n\U0010007ful", {"\U0010d83d": "é😀"}]}


@pytest.mark.parametrize("name", ["mod\udce9le.sft", "\ud800\udc7f", "modèle 😀", "\\udce9"])
def test_a_name_goes_back_to_its_server_as_it_came(name: str) -> None:
    read = lenient_json(json.dumps({name: [name]}))
    assert json.loads(exact_json(read)) == json.loads(json.dumps({name: [name]}))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff"])
def test_lenient_json_raises_only_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        lenient_json(text)
