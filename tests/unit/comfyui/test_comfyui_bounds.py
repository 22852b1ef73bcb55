"""What a hostile server sends is bounded, finite and clean where it enters."""

import gzip
import json
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_comfyui import Answer, Handler, ScriptedServer, says, sends
from test_comfyui_socket import STATUS, TEXT, framed, opens

from generation.comfyui.address import Endpoint
from generation.comfyui.client import Client
from generation.comfyui.errors import BadAnswer, ComfyError, Refused, Unreachable
from generation.comfyui.protocol import (
    OutputFile,
    PromptFailed,
    QueueStatus,
    parse_frame,
    parse_history,
)
from generation.comfyui.socket import MESSAGE_MAX_BYTES, Socket
from generation.comfyui.untrusted_json import (
    DEPTH_MOST,
    VALUES_MOST,
    as_mapping,
    exact_json,
    exact_text,
    lenient_json,
    readable_line,
    readable_text,
)
from tests.processes import wait_for

ID = "6f1c4b5e-3f3a-4a76-9d0a-5f2b8a3c1d10"
MIB = 2**20
ESCAPES = "\x1b[2J\x1b]0;own\x07\x9b31m\x08\x7f\u202egnp.exe\u2066"


def history(timestamp: str) -> str:
    ended = f'{{"timestamp": {timestamp}}}'
    messages = f'[["execution_start", {ended}], ["execution_success", {ended}]]'
    return f'{{"{ID}": {{"status": {{"messages": {messages}}}, "outputs": {{}}}}}}'


def post(client: Client) -> Any:
    return client.post_prompt({"9": {}}, prompt_id=ID, client_id="c1")


@pytest.mark.parametrize(
    "number",
    ["9" * 400, "-" + "9" * 400, "1e400", "1e300", "NaN", "-Infinity", '"1"', "null", "[1]"],
)
def test_a_time_that_is_none_is_not_believed(
    server: ScriptedServer, client: Client, number: str
) -> None:
    server.on(f"/history/{ID}", says(history(number)))
    ended = client.history(ID)
    assert ended is not None
    assert (ended.outcome, ended.started_at_ms, ended.finished_at_ms) == ("success", None, None)


@pytest.mark.parametrize("number", ["9" * 400, "NaN", "-Infinity", '"1"', "null", "[1]", "true"])
def test_a_queue_without_a_length_is_no_queue(
    server: ScriptedServer, client: Client, number: str
) -> None:
    server.on("/prompt", says(f'{{"exec_info": {{"queue_remaining": {number}}}}}'))
    with pytest.raises(BadAnswer):
        client.queue_remaining()


@pytest.mark.parametrize(
    "text",
    [
        "[" * (DEPTH_MOST + 1) + "]" * (DEPTH_MOST + 1),
        "[" + "0," * VALUES_MOST + "0]",
        '{"a":' * 1000 + "1" + "}" * 1000,
    ],
)
def test_json_without_bounds_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        lenient_json(text)


def test_of_a_key_that_stands_a_hundred_thousand_times_the_last_counts() -> None:
    assert lenient_json("{" + '"a": 1,' * 100_000 + '"a": 2}') == {"a": 2}


def test_invalid_utf_8_is_read_with_marks_in_its_place() -> None:
    assert lenient_json(b'{"a": "\xff\xc3"}') == {"a": "\ufffd\ufffd"}


def test_words_of_a_server_command_no_terminal() -> None:
    assert readable_text(lenient_json(json.dumps(ESCAPES + "a\nb\tc"))) == "]0;own31mgnp.exea\nb\tc"


def test_words_of_a_server_are_cut() -> None:
    assert readable_text("x" * 20_000_000, 10) == "xxxxxxxxx…"
    assert len(readable_line("word " * 10_000)) <= 300


def test_an_error_of_twenty_megabytes_is_a_few_lines() -> None:
    said = {"prompt_id": "p", "exception_message": "x" * 500_000, "traceback": ["y" * 99_999] * 5}
    event = parse_frame(json.dumps({"type": "execution_error", "data": said}))
    assert isinstance(event, PromptFailed)
    assert len(event.error.message) == 2000
    assert all(len(each) <= 2000 for each in event.error.traceback)


def test_a_name_with_control_characters_goes_back_as_it_came() -> None:
    read = lenient_json(json.dumps([ESCAPES]))
    assert json.loads(exact_json(read)) == [ESCAPES]
    assert "\x1b" not in str(read)


def test_a_file_with_an_odd_name_is_fetched_by_it(server: ScriptedServer, client: Client) -> None:
    server.on("/view", sends(b"x"))
    output = lenient_json(json.dumps({"9": {"images": [{"filename": "a\n\x1b\udce9.png"}]}}))
    [file] = parse_history({"outputs": output}).outputs

    client.view(file, max_bytes=10)

    assert server.asked[0].path.startswith("/view?filename=a%0A%1B%E9.png&")
    assert exact_text(file.filename) == "a\n\x1b\udce9.png"


def test_names_in_definitions_stand_on_one_line(server: ScriptedServer, client: Client) -> None:
    lists = {"Load\nX": {"input": {"required": {"ckpt_name": [["a\nFORGED: ok", "\x1b[31m"]]}}}}
    server.on("/object_info", says(lists))
    assert not set("\n\x1b") & set(str(client.object_info()).replace("\\n", "\n"))


@pytest.mark.parametrize(
    "answer", [sends(b" " * (5 * MIB)), sends(gzip.compress(b"{}"), Content_Encoding="gzip")]
)
def test_a_prompt_that_is_answered_too_much_may_have_been_taken(
    server: ScriptedServer, client: Client, answer: Answer
) -> None:
    server.on("/prompt", answer)
    with pytest.raises(BadAnswer) as bad:
        post(client)
    assert bad.value.maybe_sent


def chunks(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.script.released.is_set():
        handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def continues(handler: Handler) -> None:
    while not handler.script.released.is_set():
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def heads(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.script.released.is_set():
        handler.wfile.write(b"X-Filler: " + b"x" * 60_000 + b"\r\n")


def one_line(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Filler: ")
    while not handler.script.released.is_set():
        handler.wfile.write(b"x" * 65536)


def drips_head(handler: Handler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
        handler.wfile.write(bytes([byte]))
        if handler.script.released.wait(0.05):
            return


@pytest.mark.parametrize("answer", [chunks, continues, heads, one_line, drips_head])
def test_an_answer_without_end_ends(
    server: ScriptedServer, hurried_client: Client, answer: Answer
) -> None:
    server.on("/prompt", answer)
    tracemalloc.start()
    with pytest.raises((BadAnswer, Unreachable)) as ended:
        post(hurried_client)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ended.value.maybe_sent
    assert peak < 24 * MIB


@pytest.mark.parametrize("length", ["0", "1", "999999999999", "-1", "x", "9" * 400])
def test_a_length_that_is_wrong_ends_in_an_error_of_ours(
    server: ScriptedServer, client: Client, length: str
) -> None:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(b'{"exec_info": {}}')
        handler.close_connection = True

    server.on("/prompt", answer)
    with pytest.raises(ComfyError):
        client.queue_remaining()


def test_a_redirect_is_followed_nowhere(server: ScriptedServer, client: Client) -> None:
    server.on("/prompt", sends(b"", 307, Location=f"{server.url}/elsewhere"))
    with pytest.raises(BadAnswer):
        post(client)
    assert [asked.path for asked in server.asked] == ["/prompt"]


def test_a_refusal_of_a_thousand_nodes_is_told_in_a_few_sentences() -> None:
    errors = [{"type": "odd", "message": "m" * 9000}] * 3
    nodes: dict[str, object] = {
        str(n): {"class_type": "A\x1b[31m", "errors": errors} for n in range(400)
    }
    refused = Refused("", "", "", nodes)
    *told, last = refused.sentences()
    assert told
    assert last == f"And {1_200 - len(told):,} more."
    assert 1_000 < len("\n".join(refused.sentences())) <= 2_000
    assert 1_000 < len(str(refused)) <= 2_000


def test_a_secret_that_a_server_repeats_is_hidden(server: ScriptedServer) -> None:
    secrets = Endpoint(
        server.url,
        {"X-Token": "header-secret"},
        "me:pass%20word",
        "token=in-query",
        "",
        "",
        "key-77",
    )
    said = "header-secret, pass word, in-query, key-77"
    server.on("/prompt", says({"error": {"message": said}, "node_errors": {}}, 400))
    client = Client(secrets)

    with pytest.raises(Refused) as refused:
        post(client)

    client.close()
    assert refused.value.message == "***, ***, ***, ***"
    assert "secret" not in repr(secrets)


# The socket ---------------------------------------------------------------------------------------


@pytest.fixture
def connect(server: ScriptedServer) -> Iterator[Callable[[Answer], Socket]]:
    made = Socket(server.url, "c1")

    def connected(answer: Answer) -> Socket:
        server.on("/ws", answer)
        made.connect(2)
        return made

    yield connected
    made.close()


def header(opcode: int, size: int, *, is_last: bool = True) -> bytes:
    return struct.pack("!BBQ", 0x80 * is_last | opcode, 127, size)


PIECE = header(0, MIB, is_last=False) + b"x" * MIB


@pytest.mark.parametrize(
    "frames",
    [
        [header(TEXT, 2**62)],
        [header(TEXT, MESSAGE_MAX_BYTES + 1)],
        [header(TEXT, 1, is_last=False) + b"{", *[PIECE] * (MESSAGE_MAX_BYTES // MIB + 1)],
    ],
    ids=["without-end", "too-long", "in-pieces-without-end"],
)
def test_a_message_without_end_closes_the_socket(
    connect: Callable[[Answer], Socket], frames: list[bytes]
) -> None:
    opened = connect(opens(*frames))
    with pytest.raises(Unreachable):
        wait_for(lambda: opened.receive(0.1))


def test_a_preview_of_megabytes_is_passed_over(connect: Callable[[Answer], Socket]) -> None:
    preview = framed(2, b"\0\0\0\1" + b"x" * (6 * MIB))
    opened = connect(opens(preview, framed(TEXT, STATUS)))
    assert [opened.receive(60), opened.receive(60)] == [None, QueueStatus(2)]


def test_what_a_frame_lists_is_cut() -> None:
    nodes = [f"{n}\x1b[31m" for n in range(50_000)]
    cached: Any = parse_frame(
        json.dumps({"type": "execution_cached", "data": {"prompt_id": "p", "nodes": nodes}})
    )
    assert (len(cached.nodes), cached.nodes[:2]) == (2000, ("0", "1"))


def test_a_file_that_a_history_names_may_be_called_anything() -> None:
    entry = as_mapping(
        lenient_json(json.dumps({"outputs": {"9": {"images": [{"filename": "x" * 9999}]}}}))
    )
    assert parse_history(entry).outputs == (OutputFile("9", "x" * 1000, "", "output"),)
