"""Child processes that decode: bounded in memory, time and number, and gone when nobody asks."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from generation.decoding import pillow_images
from generation.decoding.child_process import ChildEnded, Process
from generation.decoding.child_protocol import DecodingJob
from generation.decoding.pool import DecodingLimits, Pool
from generation.decoding.slots import Slots, alone_on_this_machine
from generation.errors import Busy
from generation.examined_images import UnreadableImage
from tests import pictures as made
from wording import from_json

ROOT = Path(__file__).resolve().parents[3]
ASKS_FOR_EVER = """
import sys
from generation.decoding.child_protocol import DecodingJob
from generation.decoding.child_process import Process
from tests import pictures
process, content = Process(), pictures.unfolding()
print(process.pid, flush=True)
while True:
    process.ask(DecodingJob(10**8, 2**31, 60.0), content, timeout_s=60.0)
"""


@pytest.fixture
def limits(tmp_path: Path) -> DecodingLimits:
    return DecodingLimits(memory_bytes=2**31, cpu_s=30.0, max_pixels=10**8, lock=tmp_path / "lock")


@pytest.fixture
def pool() -> Pool:
    return Pool(2)


def limited(limits: DecodingLimits, **changes: float) -> DecodingLimits:
    return DecodingLimits(**{**limits.__dict__, **changes})  # type: ignore[arg-type]


def refusal(pool: Pool, limits: DecodingLimits, content: bytes) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as refused:
        pool.ask(content, limits, is_large=True)
    return refused.value


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "gone"


def test_a_child_says_what_an_image_is_and_what_is_served_of_it(
    pool: Pool, limits: DecodingLimits
) -> None:
    content = made.turned("JPEG")

    answer = pool.ask(content, limits, is_large=False).examined()

    assert answer == pillow_images.examine(content, max_pixels=10**8)


def test_one_child_is_used_again(pool: Pool, limits: DecodingLimits) -> None:
    pool.ask(made.plain(), limits, is_large=False)
    first = [each.process.pid for each in pool._idle]
    pool.ask(made.plain("JPEG"), limits, is_large=False)

    assert [each.process.pid for each in pool._idle] == first


def test_a_child_that_somebody_has_ended_is_replaced(pool: Pool, limits: DecodingLimits) -> None:
    pool.ask(made.plain(), limits, is_large=False)
    os.kill(pool._idle[0].process.pid, signal.SIGKILL)

    assert pool.ask(made.plain(), limits, is_large=False).examined().decoded.width_px == 64


def test_what_takes_too_much_memory_is_refused_and_never_given_it(limits: DecodingLimits) -> None:
    process = Process()

    answer = process.ask(DecodingJob(10**8, 2**28, 30.0), made.unfolding(), timeout_s=60.0)

    assert answer.fields["refused"][0] == "too_costly"
    assert "256 MiB" in from_json(answer.fields["refused"][1])
    assert peak_bytes(process.pid) < 2**28 + 2**26
    process.end()


def test_what_takes_too_long_is_ended_and_refused(pool: Pool, limits: DecodingLimits) -> None:
    error = refusal(pool, limited(limits, cpu_s=0.1), made.unfolding())

    assert (error.code, "0.1 s of computing" in str(error)) == ("too_costly", True)
    assert pool.ask(made.plain(), limits, is_large=False).examined().decoded.width_px == 64


def test_a_child_that_is_frozen_is_ended_after_its_time(limits: DecodingLimits) -> None:
    process = Process()
    process.ask(DecodingJob(10**8, 2**30, 30.0), made.plain(), timeout_s=30.0)
    os.kill(process.pid, signal.SIGSTOP)

    with pytest.raises(ChildEnded) as ended:
        process.ask(DecodingJob(10**8, 2**30, 30.0), made.plain(), timeout_s=0.2)

    assert ended.value.is_overrun
    assert state_of(process.pid) == "gone"


def test_a_child_has_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    process = Process()
    process.ask(DecodingJob(10**8, 2**30, 30.0), made.plain(), timeout_s=30.0)

    assert b"hunter2" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    process.end()


def test_a_child_ends_with_who_asked_it_in_the_middle_of_its_work() -> None:
    asking = subprocess.Popen([sys.executable, "-c", ASKS_FOR_EVER], cwd=ROOT, stdout=-1)
    pid = int((asking.stdout or sys.stdin.buffer).readline())
    wait_until(lambda: peak_bytes(pid) > 2**28)

    asking.kill()
    asking.communicate()

    wait_until(lambda: state_of(pid) in {"gone", "Z"})


def wait_until(holds: object) -> None:
    for _ in range(1200):
        if holds():  # type: ignore[operator]
            return
        threading.Event().wait(0.05)
    pytest.fail("It has not come about within a minute.")


def test_what_is_idle_is_let_go(pool: Pool, limits: DecodingLimits) -> None:
    pool.ask(made.plain(), limits, is_large=False)
    pid = pool._idle[0].process.pid

    pool.let_go()

    assert (state_of(pid), pool._idle) == ("gone", [])


def test_no_more_children_than_allowed_are_started(limits: DecodingLimits) -> None:
    pool = Pool(2)

    # One more than have their turn may wait, however long that takes.
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: pool.ask(made.plain(), limits, is_large=False), range(24)))

    assert 1 <= len(pool._idle) <= 2


def test_only_one_process_of_a_machine_decodes_what_is_large(limits: DecodingLimits) -> None:
    with (
        alone_on_this_machine(limits.lock, wait_s=0.0),
        pytest.raises(Busy),
        alone_on_this_machine(limits.lock, wait_s=0.0),
    ):
        pass


def test_where_no_file_can_be_locked_it_is_decoded_all_the_same(
    pool: Pool, limits: DecodingLimits
) -> None:
    nowhere = DecodingLimits(
        limits.memory_bytes, limits.cpu_s, limits.max_pixels, Path("/nowhere/lock")
    )

    assert pool.ask(made.plain(), nowhere, is_large=True).examined().decoded.width_px == 64


def test_who_waits_in_vain_is_asked_to_come_again() -> None:
    turns = Slots(1, n_waiting=8, wait_s=0.05)

    with turns.one(), pytest.raises(Busy), turns.one():
        pass


def test_behind_what_takes_long_only_few_wait() -> None:
    turns = Slots(1, n_waiting=0, wait_s=3600.0, held_up_s=0.0)

    with turns.one(), pytest.raises(Busy), turns.one():
        pass


def test_a_turn_that_ended_badly_is_over() -> None:
    turns = Slots(1, n_waiting=1, wait_s=0.05)
    with pytest.raises(ZeroDivisionError), turns.one():
        raise ZeroDivisionError

    with turns.one():
        pass


def test_a_forked_process_leaves_its_parents_children_alone(
    pool: Pool, limits: DecodingLimits
) -> None:
    pool.ask(made.plain(), limits, is_large=False)
    pid = pool._idle[0].process.pid
    child = os.fork()
    if child == 0:
        pool.forget()
        os._exit(0)
    os.waitpid(child, 0)

    assert pool.ask(made.plain(), limits, is_large=False).examined().decoded.width_px == 64
    assert pool._idle[0].process.pid == pid
