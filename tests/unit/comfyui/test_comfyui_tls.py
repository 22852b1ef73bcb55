"""Certificates of a studio's own: whom HTTP and the socket believe alike, and why they do not."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from scripted_comfyui import Handler, QuietServer, ScriptedServer, says
from test_comfyui_socket import opens

from generation.comfyui import tls
from generation.comfyui.address import Endpoint
from generation.comfyui.client import Client
from generation.comfyui.errors import Unreachable
from generation.comfyui.socket import Socket

Start = Callable[..., ScriptedServer]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def start(ca: trustme.CA) -> Iterator[Start]:
    """Starts servers that speak TLS and answer as a ComfyUI would."""
    ends: list[Callable[[], None]] = []

    def started(leaf: trustme.LeafCert | None = None) -> ScriptedServer:
        script = ScriptedServer()
        handler = type("ScriptedHandler", (Handler,), {"script": script})
        listening = QuietServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (leaf or ca.issue_cert("127.0.0.1")).configure_cert(context)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        script.url = f"https://127.0.0.1:{listening.server_address[1]}"
        script.on("/prompt", says({"exec_info": {"queue_remaining": 3}}))
        script.on("/ws", opens())
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        ends.extend([thread.join, listening.server_close, listening.shutdown, script.released.set])
        return script

    yield started
    while ends:
        ends.pop()()


def text(ca: trustme.CA) -> str:
    return ca.cert_pem.bytes().decode()


def connect(where: Endpoint) -> int:
    """Connect both ways; return what the server says of its queue."""
    opened = Socket(where, "c1")
    client = Client(where)
    try:
        opened.connect(3)
        return client.queue_remaining()
    finally:
        opened.close()
        client.close()


def http_reason(where: Endpoint) -> str:
    client = Client(where)
    with pytest.raises(Unreachable) as refused:
        client.queue_remaining()
    client.close()
    assert not refused.value.maybe_sent
    return str(refused.value)


def socket_reason(where: Endpoint) -> str:
    with pytest.raises(Unreachable) as refused:
        Socket(where, "c1").connect(3)
    return str(refused.value)


def test_a_ca_of_the_studios_own_is_believed(start: Start, ca: trustme.CA) -> None:
    assert connect(Endpoint(start().url, certificate=text(ca))) == 3


def test_a_ca_may_stand_in_a_bundle(start: Start, ca: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(text(ca))
    assert connect(Endpoint(start().url, ca_bundle=str(bundle))) == 3


def test_a_servers_own_certificate_stands_for_itself(start: Start, ca: trustme.CA) -> None:
    leaf = ca.issue_cert("127.0.0.1")
    own = leaf.cert_chain_pems[0].bytes().decode()
    assert connect(Endpoint(start(leaf).url, certificate=own)) == 3


@pytest.mark.parametrize("spell", [str, str.upper, lambda f: f"sha256:{f}"])
def test_a_pinned_certificate_is_believed_under_any_name(
    start: Start, ca: trustme.CA, spell: Callable[[str], str]
) -> None:
    leaf = ca.issue_cert("other.studio")
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode()))
    spelled = ":".join(pin.hexdigest()[at : at + 2] for at in range(0, 64, 2))
    assert connect(Endpoint(start(leaf).url, certificate=spell(spelled))) == 3


EXPIRED = {
    "not_before": datetime(2020, 1, 1, tzinfo=UTC),
    "not_after": datetime(2021, 1, 1, tzinfo=UTC),
}
AHEAD = {"not_before": datetime.now(UTC) + timedelta(days=9)}


@pytest.mark.parametrize("reason", [http_reason, socket_reason])
@pytest.mark.parametrize(
    ("leaf", "knows", "words"),
    [
        (lambda ca: ca.issue_cert("127.0.0.1"), False, "an issuer that is not known"),
        (lambda ca: ca.issue_cert("127.0.0.1", **EXPIRED), True, "has expired"),
        (lambda ca: ca.issue_cert("127.0.0.1", **AHEAD), True, "is not valid yet"),
        (lambda ca: ca.issue_cert("other.studio"), True, "for other addresses"),
    ],
    ids=["unknown", "expired", "ahead", "name"],
)
def test_a_certificate_that_is_not_believed_says_why(
    start: Start,
    ca: trustme.CA,
    leaf: Callable[[trustme.CA], trustme.LeafCert],
    knows: bool,
    words: str,
    reason: Callable[[Endpoint], str],
) -> None:
    server = start(leaf(ca))
    said = reason(Endpoint(server.url, certificate=text(ca) * knows))
    assert words in said
    assert server.asked == []


@pytest.mark.parametrize("reason", [http_reason, socket_reason])
def test_another_certificate_than_the_pinned_one_gets_no_request(
    start: Start, reason: Callable[[Endpoint], str]
) -> None:
    server = start()
    said = reason(Endpoint(server.url, login="me:secret", certificate="ab" * 32))
    assert "another certificate" in said
    assert server.asked == []


@pytest.mark.parametrize("reason", [http_reason, socket_reason])
def test_plain_http_where_tls_was_expected_is_told(
    server: ScriptedServer, reason: Callable[[Endpoint], str]
) -> None:
    url = server.url.replace("http://", "https://")
    assert "begins with http://" in reason(Endpoint(url))


def test_tls_where_plain_http_was_expected_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer_alert, args=[listening])
        thread.start()
        where = Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}")
        client = Client(where)
        with pytest.raises(Unreachable, match="begins with https://"):
            client.queue_remaining()
        client.close()
        thread.join()


def answer_alert(listening: socket.socket) -> None:
    """Answer plain HTTP as OpenSSL does: with an alert, and the end."""
    connection, _ = listening.accept()
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46\n")
    connection.close()


def test_a_bundle_that_is_gone_is_trouble_like_any_other(start: Start) -> None:
    assert http_reason(Endpoint(start().url, ca_bundle="/none/ca.pem"))


@pytest.mark.parametrize("wrong", ["x", "ab" * 31, "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_is_told(wrong: str) -> None:
    assert "Expected a certificate" in tls.problem(wrong)


# What goes with each request ---------------------------------------------------------------------


def test_login_query_and_path_go_with_requests_and_the_socket(server: ScriptedServer) -> None:
    server.on("/comfy1/prompt", says({"exec_info": {"queue_remaining": 0}}))
    server.on("/comfy1/view", says(""))
    server.on("/comfy1/ws", opens())
    host = server.url.removeprefix("http://")
    opened = Socket(f"http://me:pass%40@{host}/comfy1/?token=a%20b&x=1", "c1")
    client = Client(f"http://me:pass%40@{host}/comfy1/?token=a%20b&x=1")

    opened.connect(2)
    client.queue_remaining()

    opened.close()
    client.close()
    paths = [asked.path for asked in server.asked]
    assert paths == ["/comfy1/ws?token=a%20b&x=1&clientId=c1", "/comfy1/prompt?token=a%20b&x=1"]
    logins = {asked.headers["Authorization"] for asked in server.asked}
    assert logins == {"Basic bWU6cGFzc0A="}


def test_the_key_of_partner_nodes_goes_with_prompts_alone(server: ScriptedServer) -> None:
    prompt = "6f1c4b5e-3f3a-4a76-9d0a-5f2b8a3c1d10"
    server.on("/prompt", says({"prompt_id": prompt, "number": 1, "node_errors": {}}))
    server.on("/queue", says({"queue_running": [], "queue_pending": []}))
    client = Client(Endpoint(server.url, partner_key="comfyui-key"))

    client.queue()
    client.post_prompt({"9": {}}, prompt_id=prompt, client_id="c", extra_data={"a": 1})

    client.close()
    asked, posted = server.asked
    assert b'"extra_data": {"a": 1, "api_key_comfy_org": "comfyui-key"}' in posted.body
    assert b"comfyui-key" not in asked.body + str(asked.headers).encode()
