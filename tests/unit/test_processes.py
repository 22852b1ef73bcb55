import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from generation.runtime.processes import (
    ROOT,
    HomeInUseError,
    Leaders,
    NotReadyError,
    claim_home,
    free_port,
    start_python,
    stop,
    wait_until,
    why_not_free,
)

SLEEPER = ["-c", "import time; time.sleep(60)"]
#: Ignores SIGTERM, and has a child that does not even know about it.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_home_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    lock = claim_home(tmp_path / "home")

    with pytest.raises(HomeInUseError, match="set MADSEA_HOME"):
        claim_home(tmp_path / "home")
    os.close(lock)

    os.close(claim_home(tmp_path / "home"))


def test_a_taken_port_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert free_port(port) not in {0, port}


def test_a_free_port_is_given_as_preferred() -> None:
    port = free_port(0)

    assert free_port(port) == port


def test_a_process_that_ends_early_shows_its_last_words(tmp_path: Path) -> None:
    started = start_python("one", ["-c", "raise SystemExit('no luck')"], env={}, logs=tmp_path)

    with pytest.raises(NotReadyError, match=r"one ended with 1:\nno luck"):
        wait_until(lambda: False, [started], timeout_s=60)


def test_waiting_ends_when_the_time_is_over(tmp_path: Path) -> None:
    started = start_python("one", SLEEPER, env={}, logs=tmp_path)

    with pytest.raises(NotReadyError, match="Not ready after 0 s"):
        wait_until(lambda: False, [started], timeout_s=0.2)
    stop([started])

    assert started.process.returncode == -15


def test_what_will_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    started = start_python("one", ["-c", STUBBORN], env={}, logs=tmp_path)
    wait_until(lambda: started.log.read_text().endswith("\n"), [started], timeout_s=60)
    child = int(started.log.read_text())

    stop([started], timeout_s=0.2)
    wait_until(lambda: not is_alive(child), [], timeout_s=60)

    assert started.process.returncode == -9


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *SLEEPER])
    yield process
    process.kill()
    process.wait()


def test_a_leader_that_lives_has_not_ended(sleeper: subprocess.Popen[bytes]) -> None:
    assert not Leaders([sleeper.pid, os.getpid()]).wait_for_an_end()
    assert not Leaders([]).wait_for_an_end()


def test_a_leader_that_was_killed_has_ended_before_anybody_waits_for_it(
    sleeper: subprocess.Popen[bytes],
) -> None:
    leaders = Leaders([os.getpid(), sleeper.pid])

    sleeper.kill()

    assert leaders.wait_for_an_end(wait_s=60)


def test_a_leader_that_was_gone_from_the_start_has_ended(
    sleeper: subprocess.Popen[bytes],
) -> None:
    sleeper.kill()
    sleeper.wait()

    assert Leaders([sleeper.pid]).wait_for_an_end()


FOLLOWER = """
import sys, time
from generation.runtime.processes import end_with
end_with([int(sys.argv[1])])
time.sleep(60)
"""


def test_a_process_gets_sigterm_when_its_leader_has_ended(
    sleeper: subprocess.Popen[bytes],
) -> None:
    follower = subprocess.Popen([sys.executable, "-c", FOLLOWER, str(sleeper.pid)], cwd=ROOT)

    sleeper.kill()

    assert follower.wait(timeout=60) == -signal.SIGTERM


def test_why_nothing_can_listen_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert why_not_free("127.0.0.1", port) == "Address already in use"
    assert why_not_free("127.0.0.1", port) == ""
    assert why_not_free("no.such.host.invalid", port) != ""
