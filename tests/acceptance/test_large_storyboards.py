"""Half a gigabyte is sent as a storyboard: taken or refused, in little memory.

`make way` runs it beside the supervisor's way.
"""

import http.client
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from storyboards.services import intake
from tests.processes import PROJECT_ID, Site, Sites

pytestmark = [pytest.mark.slow, pytest.mark.soak]
BOUNDARY = "madsea"
PIECE = bytes(2**20)
#: What the web process may grow by; the body alone is five times as much.
GROWTH_MAX_MIB = 100
FIELDS = {"project_id": PROJECT_ID, "season": "S02", "episode": "E203"}


def _head() -> bytes:
    fields = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in FIELDS.items()
    )
    file = 'Content-Disposition: form-data; name="file"; filename="E203.pdf"'
    return f"{fields}--{BOUNDARY}\r\n{file}\r\nContent-Type: application/pdf\r\n\r\n".encode()


def _body(n_bytes: int) -> Iterator[bytes]:
    begin = b"%PDF-1.4\n"
    yield _head() + begin
    left = n_bytes - len(begin)
    while left > 0:
        yield PIECE[:left]
        left -= len(PIECE)
    yield _end()


def _end() -> bytes:
    return f"\r\n--{BOUNDARY}--\r\n".encode()


def _sent(url: str, token: str, n_bytes: int) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=300)
    headers = {
        "Authorization": f"Token {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(_head()) + n_bytes + len(_end())),
    }
    with closing(connection):
        # Refused, it may close before all of it was sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/api/storyboards", _body(n_bytes), headers)
        with closing(connection.getresponse()) as answer:
            return answer.status, answer.read()


def _most_mib(site: Site) -> float:
    """Return the most that the web process has ever held."""
    [web] = [each for each in site.started if "web" in str(each.log)]
    status = Path(f"/proc/{web.process.pid}/status").read_text("ascii")
    [line] = [each for each in status.splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize(("more", "status"), [(0, 202), (1, 400), (50_000_000, 413)])
def test_half_a_gigabyte_is_taken_or_refused_in_little_memory(
    sites: Sites, more: int, status: int
) -> None:
    site, token = sites.new(), sites.access["token"]
    url = site.web()
    _sent(url, token, 1000)
    before_mib, began = _most_mib(site), time.monotonic()

    answered, content = _sent(url, token, intake.MAX_BYTES + more)

    took_s, grown_mib = time.monotonic() - began, _most_mib(site) - before_mib
    print(  # noqa: T201
        f"\n{intake.MAX_BYTES + more:,} bytes: {answered} after {took_s:.1f} s,"
        f" {before_mib:.0f} MiB before, {grown_mib:+.0f} MiB"
    )
    assert (answered, grown_mib < GROWTH_MAX_MIB) == (status, True), content[:500]
    kept = [each for each in site.projects.glob(".*/*/source") if each.stat().st_size > 10**6]
    assert len(kept) == (status == requests.codes.accepted)
    site.close()
