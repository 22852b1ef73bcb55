"""`make demo` and `make serve` as a newcomer has them: real processes, a home of their own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from generation.runtime.processes import ROOT
from tests.ports import own_port
from tests.processes import obeying_signals, wait_for

pytestmark = pytest.mark.slow
FIRST = "madsea-2025-ep202/E202/SQ0010/AI-concept/E202_SQ0010-0010_AI-concept_v000{}.png"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "MADSEA_HOME": str(tmp_path / "home"),
        "LANGUAGE": "en",
        "PYTHONUNBUFFERED": "1",
        # Of their own, as other tests start servers at the same time.
        "PORT": str(own_port()),
        "MADSEA_PREVIEW_PORT": str(own_port()),
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables, and nothing in them: making these takes longer than the rest."""
    home = tmp_path_factory.mktemp("migrated")
    env = {"PATH": os.environ["PATH"], "MADSEA_HOME": str(home)}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    return home / "madsea.sqlite3"


@pytest.fixture
def migrated_env(env: dict[str, str], migrated: Path) -> dict[str, str]:
    """The environment of a home that was used before."""
    shutil.copyfile(migrated, Path(env["MADSEA_HOME"]) / "madsea.sqlite3")
    return env


def processes_of(home: str) -> list[str]:
    """The command lines of processes that have this home in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"MADSEA_HOME={home}".encode() in environ.split(b"\0"):
            found.append(command.replace(b"\0", b" ").decode())
    return found


def start(*arguments: str, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=obeying_signals,  # noqa: PLW1509
    )


def test_the_demo_leaves_the_next_versions_and_no_process(env: dict[str, str]) -> None:
    env["LANGUAGE"] = "fr"  # which is not what it speaks
    outputs = [start("-m", "samples.demo", env=env).communicate(timeout=300)[0] for _ in range(2)]

    home = Path(env["MADSEA_HOME"])
    assert [(home / "projects" / FIRST.format(n)).is_file() for n in (1, 2)] == [True, True]
    assert [len(re.findall(r"^SQ00\d0-00\d0 done ", each, re.MULTILINE)) for each in outputs] == [
        6,
        6,
    ]
    assert ["unchanged." in output for output in outputs] == [True, True]
    assert processes_of(str(home)) == []


@pytest.mark.soak
def test_a_demo_that_is_stopped_leaves_no_process(env: dict[str, str]) -> None:
    demo = start("-m", "samples.demo", env=env)
    # The demo itself and all that it starts: there is much left for it to do.
    wait_for(lambda: len(processes_of(env["MADSEA_HOME"])) >= 4, name="its processes")

    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=120)

    assert demo.returncode == 130
    assert processes_of(env["MADSEA_HOME"]) == []


Served = tuple[subprocess.Popen[str], str, str]


@pytest.fixture
def served_first(env: dict[str, str]) -> Iterator[Served]:
    """As a newcomer has it."""
    yield from serving(env)


@pytest.fixture
def served(migrated_env: dict[str, str]) -> Iterator[Served]:
    """As it is from the second time on."""
    yield from serving(migrated_env)


def serving(env: dict[str, str]) -> Iterator[Served]:
    """A running `manage.py serve`, the address of its web process, and the token it showed."""
    process = start("manage.py", "serve", env=env)
    assert process.stdout is not None
    token = next(line.split()[1] for line in process.stdout if line.startswith("Token"))
    yield process, f"http://127.0.0.1:{env['PORT']}", token
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=120)


def plans_when_up(base: str, token: str) -> list[dict[str, object]]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            headers = {"Authorization": f"Token {token}"}
            return list(
                requests.get(f"{base}/api/plans", headers=headers, timeout=60).json()["results"]
            )
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError("not up after 120 s")


def test_serve_lets_a_newcomer_in_and_ends_with_ctrl_c(
    served_first: Served, env: dict[str, str]
) -> None:
    process, base, token = served_first

    plans = plans_when_up(base, token)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=120)

    assert re.fullmatch(r"[0-9a-f]{40}", token)
    assert len(plans) == 6
    assert processes_of(env["MADSEA_HOME"]) == []


def test_a_home_is_served_once(served: Served, env: dict[str, str]) -> None:
    second = start("manage.py", "serve", env=env)

    said = second.communicate(timeout=120)[0]

    assert second.returncode == 1
    assert "Madsea runs already" in said


def no_process_is_left(env: dict[str, str]) -> bool:
    return bool(wait_for(lambda: not processes_of(env["MADSEA_HOME"]), 120, "their end"))


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.soak),
        pytest.param(signal.SIGHUP, marks=pytest.mark.soak),
        signal.SIGKILL,
    ],
)
def test_what_serve_starts_ends_with_it_however_it_ends(
    served: Served, env: dict[str, str], how: signal.Signals
) -> None:
    process, base, token = served
    plans_when_up(base, token)

    process.send_signal(how)
    process.wait(120)

    assert no_process_is_left(env)


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGTERM, marks=pytest.mark.soak), signal.SIGKILL]
)
def test_what_make_serve_starts_ends_with_make(
    migrated_env: dict[str, str], how: signal.Signals
) -> None:
    env = migrated_env
    made = ["-o", ".venv/.installed", "-o", ".venv/.made"]
    # Its output is nobody's: what is left of it would hold a pipe open.
    make = subprocess.Popen(
        ["make", *made, "serve"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # make, its shell, honcho with a child for each process, and the processes.
    wait_for(lambda: len(processes_of(env["MADSEA_HOME"])) >= 12, 120, "its processes")

    make.send_signal(how)
    make.wait(120)

    assert no_process_is_left(env)


def test_what_a_killed_demo_has_started_ends_with_it(env: dict[str, str]) -> None:
    demo = start("-m", "samples.demo", env=env)
    wait_for(lambda: len(processes_of(env["MADSEA_HOME"])) >= 4, name="its processes")

    demo.kill()
    demo.communicate()

    assert no_process_is_left(env)


def test_serve_without_debug_makes_no_demo_user_and_no_samples(env: dict[str, str]) -> None:
    process = start("manage.py", "serve", env={**env, "DEBUG": "0"})
    # Without a server `work` ends, and all the others with it.
    lines = process.communicate(timeout=120)[0].splitlines()

    users = subprocess.run(
        [sys.executable, "manage.py", "dumpdata", "auth.user", "generation.project"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert [line for line in lines if line.startswith(("Password", "Token"))] == []
    assert "manage.py createsuperuser" in "".join(lines)
    assert users.stdout.strip() == "[]"
