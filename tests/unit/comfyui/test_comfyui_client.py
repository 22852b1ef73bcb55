"""The client against a real local server that answers well, badly, late or not at all."""

import json
import socket
from typing import Any
from urllib.parse import quote

import pytest
from scripted_comfyui import (
    Answer,
    ScriptedServer,
    cuts,
    drips,
    hangs,
    recorded_answers,
    resets,
    says,
    sends,
)

from generation.comfyui.client import Client
from generation.comfyui.errors import (
    BadAnswer,
    Denied,
    FileMissing,
    Refused,
    TooLarge,
    Unreachable,
)
from generation.comfyui.protocol import OutputFile, Queue

ID = "0b9d7c1e-2f5a-4c1b-9a77-3d0c5f6e1a42"
OTHER = "1b9d7c1e-2f5a-4c1b-9a77-3d0c5f6e1a42"
FILE = OutputFile("9", "a b#%é.png", "mad\\sea", "output")
GRAPH: dict[str, object] = {"9": {"class_type": "SaveImage", "inputs": {}}}


def post(client: Client) -> object:
    return client.post_prompt(GRAPH, prompt_id=ID, client_id="c1")


def item(number: float, prompt_id: str) -> list[Any]:
    return [number, prompt_id, {}, {}, ["9"]]


def test_a_prompt_is_posted_under_our_id(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", says({"prompt_id": ID, "number": 12.0, "node_errors": {}}))
    accepted = client.post_prompt(GRAPH, prompt_id=ID, client_id="c1", extra_data={"run": 4})
    assert (accepted.prompt_id, accepted.number, accepted.node_errors) == (ID, 12.0, {})
    assert json.loads(server.asked[0].body) == {
        "prompt": GRAPH,
        "prompt_id": ID,
        "client_id": "c1",
        "extra_data": {"run": 4},
    }


def test_our_headers_go_out_and_no_origin(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", says({"exec_info": {"queue_remaining": 3}}))
    assert client.queue_remaining() == 3
    assert server.asked[0].headers["Authorization"] == "Bearer abc"
    assert "Origin" not in server.asked[0].headers


def test_one_connection_serves_many_requests(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", says({"exec_info": {"queue_remaining": 0}}))
    server.on("/view", sends(b"x" * 300_000))
    client.queue_remaining()
    client.view(FILE, max_bytes=400_000)
    client.queue_remaining()
    assert len({asked.port for asked in server.asked}) == 1


def test_proxies_of_the_environment_are_not_used(
    server: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.on("/prompt", says({"exec_info": {"queue_remaining": 1}}))
    assert client.queue_remaining() == 1


def test_a_path_before_the_routes_is_kept(server: ScriptedServer) -> None:
    server.on("/comfy/prompt", says({"exec_info": {"queue_remaining": 2}}))
    client = Client(f"{server.url}/comfy/")
    assert client.queue_remaining() == 2
    client.close()


def test_a_refused_prompt_says_why(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", says(recorded_answers("rejected_prompts.json", "/prompt", 400)[0], 400))
    with pytest.raises(Refused) as refused:
        post(client)
    assert refused.value.error_type == "prompt_outputs_failed_validation"
    assert "missing.safetensors" in refused.value.detail


def test_the_queue_is_sorted_as_it_will_run(server: ScriptedServer, client: Client) -> None:
    pending = [item(9, "b"), item(-3.5, "z"), item(9, "a"), None, [1], [2, 3]]
    server.on("/queue", says({"queue_running": [item(1, ID)], "queue_pending": pending}))
    queue = client.queue()
    assert queue == Queue(running=(ID,), pending=("z", "a", "b"))
    assert ID in queue


@pytest.mark.parametrize("answer", [{}, {"queue_running": None, "queue_pending": []}, []])
def test_a_queue_of_another_shape_is_no_empty_queue(
    server: ScriptedServer, client: Client, answer: Any
) -> None:
    server.on("/queue", says(answer))
    with pytest.raises(BadAnswer):
        client.queue()


def test_an_unfinished_prompt_has_no_history(server: ScriptedServer, client: Client) -> None:
    server.on(f"/history/{ID}", says({}))
    assert client.history(ID) is None


def test_a_recorded_history_is_read(server: ScriptedServer, client: Client) -> None:
    answer = recorded_answers("success.json", "/history/")[0]
    (prompt_id,) = answer
    server.on(f"/history/{prompt_id}", says(answer))
    history = client.history(prompt_id)
    assert history is not None
    assert history.outcome == "success"


def test_a_history_with_nan_is_read(server: ScriptedServer, client: Client) -> None:
    entry = '{"outputs": {}, "status": {"status_str": "success"}, "prompt": [NaN, Infinity]}'
    server.on(f"/history/{ID}", says(f'{{"{ID}": {entry}}}'))
    history = client.history(ID)
    assert history is not None
    assert history.outcome == "success"


def test_a_history_of_another_shape_is_refused(server: ScriptedServer, client: Client) -> None:
    server.on(f"/history/{ID}", says({ID: [1]}))
    with pytest.raises(BadAnswer):
        client.history(ID)


def test_only_the_named_prompts_are_deleted(server: ScriptedServer, client: Client) -> None:
    server.on("/queue", sends(b""))
    client.delete_pending([ID, OTHER])
    client.delete_pending([])
    assert [json.loads(asked.body) for asked in server.asked] == [{"delete": [ID, OTHER]}]


def test_an_interrupt_names_its_prompt(server: ScriptedServer, client: Client) -> None:
    server.on("/interrupt", sends(b""))
    client.interrupt(ID)
    assert json.loads(server.asked[0].body) == {"prompt_id": ID}


@pytest.mark.parametrize(
    ("answer", "cancelled"),
    [
        (says({"cancelled": True}), True),
        (says({"cancelled": False}), False),
        (sends(b"405: Method Not Allowed", 405), None),
        (sends(b"", 404), None),
    ],
)
def test_a_job_is_cancelled_where_the_server_can(
    server: ScriptedServer, client: Client, answer: Answer, cancelled: bool | None
) -> None:
    server.on(f"/api/jobs/{ID}/cancel", answer)
    assert client.cancel_job(ID) is cancelled


@pytest.mark.parametrize(
    ("answer", "has"), [(says({"jobs": [], "pagination": {}}), True), (sends(b"", 404), False)]
)
def test_the_jobs_routes_are_probed(
    server: ScriptedServer, client: Client, answer: Answer, has: bool
) -> None:
    server.on("/api/jobs", answer)
    assert client.ask_for_jobs_api() is has


@pytest.mark.parametrize(("status", "has"), [(500, True), (403, True), (404, False), (405, False)])
def test_only_a_route_that_is_absent_is_no_jobs_api(
    server: ScriptedServer, client: Client, status: int, has: bool
) -> None:
    server.on("/api/jobs", says({}, status))
    assert client.ask_for_jobs_api() is has


def test_free_drops_models_and_results(server: ScriptedServer, client: Client) -> None:
    server.on("/free", sends(b""))
    client.free()
    assert json.loads(server.asked[0].body) == {"unload_models": True, "free_memory": True}


@pytest.mark.parametrize(
    ("folder", "name"), [("madsea", "madsea/p (1).png"), ("", "p (1).png"), (None, "p (1).png")]
)
def test_an_upload_is_called_what_the_server_calls_it(
    server: ScriptedServer, client: Client, folder: str | None, name: str
) -> None:
    server.on("/upload/image", says({"name": "p (1).png", "subfolder": folder, "type": "input"}))
    assert client.upload_image("p.png", b"\x89PNG", subfolder="madsea") == name
    body = server.asked[0].body
    assert b'filename="p.png"' in body
    assert b'name="overwrite"\r\n\r\nfalse' in body
    assert b'name="subfolder"\r\n\r\nmadsea' in body


def test_an_upload_without_a_name_is_refused(server: ScriptedServer, client: Client) -> None:
    server.on("/upload/image", says({}))
    with pytest.raises(BadAnswer):
        client.upload_image("p.png", b"x", subfolder="")


def test_a_file_is_fetched_by_its_own_spelling(server: ScriptedServer, client: Client) -> None:
    server.on("/view", sends(b"\x89PNG"))
    assert client.view(FILE, max_bytes=10) == b"\x89PNG"
    assert server.asked[0].path == (
        "/view?filename=a+b%23%25%C3%A9.png&subfolder=mad%5Csea&type=output"
    )


@pytest.mark.parametrize("status", [400, 404])
def test_a_file_that_is_gone_is_missing(
    server: ScriptedServer, client: Client, status: int
) -> None:
    server.on("/view", sends(b"", status))
    assert not client.view_exists(FILE)
    with pytest.raises(FileMissing):
        client.view(FILE, max_bytes=10)


def test_a_file_is_probed_without_fetching_it(server: ScriptedServer, client: Client) -> None:
    server.on("/view", sends(b"x" * 5_000_000))
    assert client.view_exists(FILE)


def test_an_endless_file_is_cut_off(server: ScriptedServer, client: Client) -> None:
    server.on("/view", sends(b"x" * 1_000_000))
    with pytest.raises(TooLarge):
        client.view(FILE, max_bytes=999_999)


def test_a_server_says_what_it_is(server: ScriptedServer, client: Client) -> None:
    server.on("/system_stats", says(recorded_answers("plain_reads.json", "/system_stats")[0]))
    stats = client.system_stats()
    assert (stats.version, stats.os, stats.devices[0].type) == ("0.3.64", "posix", "cpu")


@pytest.mark.parametrize("answer", [{}, {"system": None, "devices": None}, {"devices": [None]}])
def test_a_server_may_say_little(server: ScriptedServer, client: Client, answer: Any) -> None:
    server.on("/system_stats", says(answer))
    assert client.system_stats().version == ""


def test_definitions_with_nan_are_read(server: ScriptedServer, client: Client) -> None:
    server.on(
        "/object_info", says('{"A": {"input": {"required": {"x": ["FLOAT", {"max": NaN}]}}}}')
    )
    assert client.object_info()["A"]


@pytest.mark.parametrize("wrong", ["E202", ID.upper(), f"{ID}\n", "", "../x"])
def test_an_id_that_is_no_uuid_is_never_proposed(client: Client, wrong: str) -> None:
    with pytest.raises(ValueError):
        client.post_prompt({}, prompt_id=wrong, client_id="c1")


@pytest.mark.parametrize("wrong", ["", ".", "..", f"{ID}\n", "x" * 129])
def test_an_id_that_makes_another_address_is_never_asked_for(client: Client, wrong: str) -> None:
    with pytest.raises(ValueError):
        client.history(wrong)


@pytest.mark.parametrize("odd", ["17", ID.upper(), ID.replace("-", ""), "a b", "../é?x#"])
def test_an_id_of_a_servers_own_choice_is_asked_for(
    server: ScriptedServer, client: Client, odd: str
) -> None:
    server.on("/history/" + quote(odd, safe=""), says({odd: {"outputs": {}}}))

    assert client.history(odd) is not None


@pytest.mark.parametrize("odd", ["", "..", "x" * 129, f"{ID}\n"])
def test_an_acknowledgement_by_an_unusable_id_may_have_queued_the_prompt(
    server: ScriptedServer, client: Client, odd: str
) -> None:
    server.on("/prompt", says({"prompt_id": odd, "number": 1}))

    with pytest.raises(BadAnswer) as raised:
        client.post_prompt({}, prompt_id=ID, client_id="c1")
    assert raised.value.maybe_sent


def test_a_queue_tells_which_prompts_save_under_a_prefix(
    server: ScriptedServer, client: Client
) -> None:
    graph = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "madsea/x"}}}
    running = [[3, "b", graph, {}, ["9"]]]
    pending = [[5, "c", graph, {}, ["9"]], [4, "a", {"9": None}, {}, []], [6, "d"]]
    server.on("/queue", says({"queue_running": running, "queue_pending": pending}))

    assert client.queue().named("madsea/x") == ("b", "c")
    assert client.queue().named("madsea/y") == ()


def test_the_latest_prompt_that_saved_under_a_prefix_is_found(
    server: ScriptedServer, client: Client
) -> None:
    graph = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "madsea/x"}}}
    entry = {"prompt": [1, "b", graph, {}, ["9"]], "status": {"status_str": "error"}}
    server.on("/history", says({"a": entry, "b": entry, "c": {"prompt": None}}))

    found = client.find_ended("madsea/x")

    assert found is not None
    assert (found[0], found[1].outcome) == ("b", "error")
    assert client.find_ended("madsea/y") is None


def test_nan_never_leaves(client: Client) -> None:
    with pytest.raises(ValueError):
        client.post_prompt({"9": float("nan")}, prompt_id=ID, client_id="c1")


@pytest.mark.parametrize("answer", [hangs, resets, cuts, drips])
def test_a_post_without_a_whole_answer_may_have_been_sent(
    server: ScriptedServer, hurried_client: Client, answer: Answer
) -> None:
    server.on("/prompt", answer)
    with pytest.raises(Unreachable) as unreachable:
        post(hurried_client)
    assert unreachable.value.maybe_sent


def test_a_refused_connection_was_never_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        client = Client(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(Unreachable) as unreachable:
            post(client)
    assert not unreachable.value.maybe_sent
    client.close()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8188", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999", "//x"]
)
def test_an_address_that_cannot_be_is_unreachable(address: str) -> None:
    client = Client(address)
    with pytest.raises(Unreachable) as unreachable:
        client.queue_remaining()
    assert not unreachable.value.maybe_sent
    client.close()


@pytest.mark.parametrize("value", ["a\nb", "café\u2019"])
def test_a_header_that_cannot_be_is_unreachable(server: ScriptedServer, value: str) -> None:
    client = Client(server.url, headers={"X-Token": value})
    with pytest.raises(Unreachable):
        client.queue_remaining()
    client.close()


@pytest.mark.parametrize(
    ("status", "media_type", "error"),
    [
        (500, "text/plain", BadAnswer),
        (500, "text/html", Unreachable),
        (502, "text/html", Unreachable),
        (503, "text/plain", Unreachable),
        (504, "text/html", Unreachable),
        (429, "text/html", Unreachable),
    ],
)
def test_a_5xx_may_hide_a_queued_prompt(
    server: ScriptedServer,
    client: Client,
    status: int,
    media_type: str,
    error: type[BadAnswer] | type[Unreachable],
) -> None:
    server.on("/prompt", sends(b"Internal Server Error", status, Content_Type=media_type))
    with pytest.raises(error) as raised:
        post(client)
    assert raised.value.maybe_sent


@pytest.mark.parametrize("status", [401, 403])
def test_a_denial_hints_at_tokens_and_origin(
    server: ScriptedServer, client: Client, status: int
) -> None:
    server.on("/prompt", sends(b"", status))
    with pytest.raises(Denied, match="token"):
        post(client)


def test_a_body_over_the_servers_limit_is_too_large(server: ScriptedServer, client: Client) -> None:
    server.on("/upload/image", sends(b"Maximum request body size exceeded", 413))
    with pytest.raises(TooLarge):
        client.upload_image("p.png", b"x", subfolder="")


def test_a_redirect_is_not_followed(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", sends(b"", 302, Location="https://login.example/"))
    with pytest.raises(BadAnswer, match=r"login\.example"):
        client.queue_remaining()
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[]", b'{"exec_info":', b"\xff"])
def test_another_web_page_is_no_comfyui(
    server: ScriptedServer, client: Client, body: bytes
) -> None:
    server.on("/prompt", sends(body))
    with pytest.raises(BadAnswer):
        client.queue_remaining()


@pytest.mark.parametrize("status", [404, 405])
def test_an_unknown_address_is_no_comfyui(
    server: ScriptedServer, client: Client, status: int
) -> None:
    server.on("/prompt", sends(b"", status))
    with pytest.raises(BadAnswer):
        client.queue_remaining()


@pytest.mark.parametrize("body", [b"", b"{}", b"OK"])
def test_a_prompt_that_is_not_acknowledged_may_be_queued(
    server: ScriptedServer, client: Client, body: bytes
) -> None:
    server.on("/prompt", sends(body))
    with pytest.raises(BadAnswer) as raised:
        post(client)
    assert raised.value.maybe_sent


def test_a_400_that_is_not_comfyuis_is_a_bad_answer(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", sends(b"<html>Bad Request</html>", 400))
    with pytest.raises(BadAnswer):
        post(client)
