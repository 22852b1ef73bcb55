"""`manage.py` as a terminal has it: sentences, exit codes, and consoles that lack characters."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from generation.runtime.processes import ROOT
from madsea.terminal import write_plainly
from tests.listening import Listener
from tests.processes import obeying_signals

Manage = Callable[..., subprocess.CompletedProcess[str]]
FOLDER = str(ROOT / "samples" / "panels")


@pytest.fixture
def manage(tmp_path: Path) -> Manage:
    """Runs manage.py in a home of its own, with more environment if asked to."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        own = {"MADSEA_HOME": str(tmp_path / "home"), "LANGUAGE": "en"}
        env = {"PATH": os.environ["PATH"], **own, **more}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with Listener() as listener:
        yield urlsplit(listener.url).port or 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIME_ZONE", "Paris"),
        ("PORT", "99999"),
        ("MADSEA_WORKERS", "0"),
        ("MADSEA_HOME", "/proc/none"),
        ("MADSEA_HOME", __file__),
        ("MADSEA_PROJECTS_ROOT", __file__),
        ("MADSEA_WORKFLOWS", __file__),
        ("DATABASE_URL", "postgres://u:s3cret#x@h/db"),
        ("DATABASE_URL", "postgres://u:s3cret@127.0.0.1:1/db"),
        ("DATABASE_URL", "sqlite:////proc/none.sqlite3"),
        ("REDIS_URL", "redis://:s3cret#x@h/0"),
        ("COMFYUI_SERVERS", "http://a\nhttp://b"),
        ("LOG_LEVEL", "loud"),
        ("DEBUG", "perhaps"),
        ("ALLOWED_HOSTS", "http://madsea.studio"),
        ("MADSEA_TICK_S", "9" * 5000),
    ],
)
def test_a_bad_setting_is_one_sentence_that_names_it(manage: Manage, name: str, value: str) -> None:
    done = manage("servers", **{name: value})

    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


def test_a_database_that_was_not_migrated_is_one_sentence(manage: Manage) -> None:
    done = manage("retry_plans", "--all")

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "Run manage.py migrate first" in done.stderr


def test_workers_without_their_redis_are_one_sentence(manage: Manage) -> None:
    manage("migrate", "-v0")

    done = manage("work", DEBUG="1", LOG_LEVEL="CRITICAL", REDIS_URL="redis://:s3cret@127.0.0.1:1")

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The cluster was ended: Redis (REDIS_URL) cannot")
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_console_that_lacks_a_character_gets_one_near_it(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_plainly(stream)

    stream.write("a → b … “c” \udcff 猫")
    stream.flush()

    said = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert "a -> b" in said or "a → b" in said
    assert "\\udcff" in said


@pytest.mark.parametrize(
    "console",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONUTF8": "0"}],
)
def test_commands_write_to_any_console(manage: Manage, console: dict[str, str]) -> None:
    manage("migrate", "-v0")

    done = manage("import_panels", "madsea", "E202", FOLDER, "--dry-run", LC_ALL="C", **console)

    assert (done.returncode, done.stderr) == (0, "")
    assert "E202_SQ0010-0010_extracted-raw_v0001.png" in done.stdout


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("web", "--port", "99999"),
        ("web", "--port", "0"),
        ("web", "--port", "http"),
        ("work", "--workers", "0"),
        ("work", "--workers", "513"),
        ("comfyui_preview", "--port", "65536"),
        ("comfyui_preview", "--port", "-1"),
    ],
)
def test_a_number_out_of_bounds_is_told_with_its_bounds(
    manage: Manage, command: str, option: str, value: str
) -> None:
    done = manage(command, f"{option}={value}")

    assert done.returncode == 2
    assert f"argument {option}: must be a whole number from" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_seconds_out_of_bounds_are_told_with_their_bounds(manage: Manage, seconds: str) -> None:
    done = manage("comfyui_preview", "--port=0", f"--seconds-per-plan={seconds}")

    assert done.returncode == 1
    assert "must be from 0 to 86400" in done.stderr


@pytest.mark.parametrize("where", [["--port", "{port}"], ["--host", "no.such.host.invalid"]])
def test_where_nothing_can_listen_is_one_sentence(
    manage: Manage, where: list[str], taken_port: int
) -> None:
    done = manage("web", *(each.format(port=taken_port) for each in where))

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Nothing can listen on ")
    assert len(done.stderr.splitlines()) == 1


def test_whoever_hangs_up_gets_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "MADSEA_HOME": str(tmp_path)},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, "")


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "request.json")
    started = subprocess.Popen(
        [sys.executable, "manage.py", "generate", str(tmp_path / "request.json")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "MADSEA_HOME": str(tmp_path), "LANG": "en_GB.UTF-8"},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=obeying_signals,  # noqa: PLW1509
    )
    # The pipe opens once the command reads it.
    with (tmp_path / "request.json").open("w"):
        started.send_signal(signal.SIGINT)
        said = started.communicate(timeout=120)[1]

    assert (started.returncode, said) == (130, "Stopped.\n")


def test_a_warning_of_the_system_checks_comes_once(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "Broken.json").write_text("{}")
    env = {
        "PATH": os.environ["PATH"],
        "MADSEA_HOME": str(tmp_path),
        "MADSEA_WORKFLOWS": str(tmp_path / "workflows"),
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)

    # Without DEBUG and without servers it ends at the last of its checks.
    done = subprocess.run(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=env, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.count("madsea.W004") == 1
    assert done.stderr.count("madsea.E008") == 1
