"""Ports that processes of tests are given: nobody else's."""

import socket
import subprocess
import sys

from generation.runtime.processes import ROOT
from tests import ports

ASK = "from tests.ports import own_port; print(own_port(), flush=True); input()"


def test_no_port_claim_twice() -> None:
    given = [ports.own_port() for _ in range(20)]

    assert len(set(given)) == 20
    assert set(given) <= set(ports.PORTS)


def test_another_process_claim_another_and_one_that_ended_gives_it_back() -> None:
    command = [sys.executable, "-c", ASK]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as other:  # type: ignore[call-overload]
        taken = int(other.stdout.readline())
        assert not ports._claim(taken)
        other.communicate("\n")
    assert ports._claim(taken)


def test_one_at_which_somebody_listens_is_not_given() -> None:
    port = ports.own_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not ports._is_free(port)
