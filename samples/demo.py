"""The whole way once, on this machine alone: `make demo`.

Starts the preview server, the web process and the workers on free ports, sends `request.json` over
HTTP, follows it to its end, shows what came of every plan, and stops everything it started.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from django.core.exceptions import ImproperlyConfigured
from tqdm import tqdm

from generation.runtime.processes import (
    ROOT,
    HomeInUseError,
    NotReadyError,
    Started,
    check_alive,
    claim_home,
    free_port,
    leave_on_sigterm,
    start_python,
    stop,
    wait_until,
)
from madsea.environment import whole_number
from madsea.terminal import write_plainly

SAMPLES = Path(__file__).resolve().parent
REQUEST = json.loads((SAMPLES / "request.json").read_text(encoding="utf-8"))
HOME = Path(os.environ.get("MADSEA_HOME") or ROOT / "var").resolve()
PROJECTS = HOME / "projects"
START_S, FINISH_S, POLL_S = 30, 300, 0.2
UNFINISHED = {"started", "running"}

Document = dict[str, Any]


class DemoError(Exception):
    """The demo did not come to its end."""


#: What somebody at a terminal can mend.
FAILURES = (
    DemoError,
    HomeInUseError,
    ImproperlyConfigured,
    NotReadyError,
    OSError,  # of requests too
)


class Follower:
    """A frontend in small: polls the status of a batch, and is told when nothing has changed."""

    def __init__(self, session: requests.Session, base: str, batch_id: str) -> None:
        self._session = session
        self._url = f"{base}/api/generate_ai_concept/status"
        self._params = {"batch_id": batch_id}
        self._etag = ""
        self.document: Document = {}
        self.polls = self.unchanged = 0

    def poll(self) -> Document:
        """Return the status document as it is now."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        answer = self._session.get(self._url, params=self._params, headers=headers, timeout=10)
        self.polls += 1
        if answer.status_code == requests.codes.not_modified:
            self.unchanged += 1
            return self.document
        _refuse_errors(answer)
        self._etag = answer.headers["ETag"]
        self.document = answer.json()
        return self.document


def environment() -> dict[str, str]:
    """The environment of everything the demo starts: its own home, SQLite, the preview server."""
    own = {
        "MADSEA_HOME": str(HOME),
        "MADSEA_PROJECTS_ROOT": str(PROJECTS),
        "MADSEA_WORKFLOWS": "",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "COMFYUI_SERVERS": "",
        "ALLOWED_HOSTS": "",
        "DEBUG": "1",
        "LOG_LEVEL": "INFO",
        "PORT": str(free_port(whole_number("PORT", 8000, low=1, high=65535))),
        "MADSEA_PREVIEW_PORT": str(
            free_port(whole_number("MADSEA_PREVIEW_PORT", 8190, low=1, high=65535))
        ),
        # What is shown of its commands is in the language of everything else that it says.
        "LANGUAGE": "en",
        "PYTHONUNBUFFERED": "1",
        # However the demo ends, what it started ends too.
        "MADSEA_ENDS_WITH": str(os.getpid()),
    }
    return {**os.environ, **own}


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """Run a command of Madsea and return what it says."""
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"manage.py {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def start_all(env: Mapping[str, str], stack: ExitStack) -> list[Started]:
    """Start the three processes and wait until all of them answer; the stack stops them."""
    commands = {
        "web": ["manage.py", "web", "--host", "127.0.0.1", "--port", env["PORT"]],
        "work": ["manage.py", "work"],
        "preview": ["manage.py", "comfyui_preview"],
    }
    started: list[Started] = []
    stack.callback(stop_all, started)
    for name, command in commands.items():
        started.append(start_python(name, command, env=env, logs=HOME / "logs"))
    preview = f"http://127.0.0.1:{env['MADSEA_PREVIEW_PORT']}/system_stats"
    login = f"http://127.0.0.1:{env['PORT']}/admin/login/"
    wait_until(lambda: answers(preview) and answers(login), started, START_S)
    return started


def stop_all(started: list[Started]) -> None:
    """Stop what was started, and let nothing cut that short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    stop(started)


def answers(url: str) -> bool:
    """Tell whether an address answers with a page."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def follow(follower: Follower, started: list[Started]) -> Document:
    """Show a progress bar until the batch is finished; return its last document."""
    deadline = time.monotonic() + FINISH_S
    shape = "{desc} {bar:32} {percentage:3.0f} %"
    with tqdm(total=100, unit="%", bar_format=shape, disable=None) as shown:
        document = follower.poll()
        while document["status"] in UNFINISHED:
            check_alive(started)
            if time.monotonic() > deadline:
                raise DemoError(f"Not finished after {FINISH_S} s: see {HOME / 'logs'}.")
            time.sleep(POLL_S)
            document = follower.poll()
            counts = document["counts"]
            shown.set_description_str(f"{counts['done']} of {counts['total']} plans done")
            shown.update(document["progress"] - shown.n)
    return document


def table(document: Document) -> list[str]:
    """Return a line per plan: its status, its file, and the seconds from its claim to its file."""
    files = {
        (result_document["sequence_id"], result_document["plan"]): result_document["path"]
        for result_document in document["results"]
    }
    seconds = durations(document["logs"])
    lines = [f"{'plan':<12}{'status':<11}{'seconds':>7}  file"]
    for plan in document["plans"]:
        key = plan["sequence_id"], plan["plan"]
        what = files.get(key) or (plan["error"] or {}).get("message", "-")
        took = f"{seconds[key]:.1f}" if key in seconds else "-"
        lines.append(f"{'-'.join(key):<12}{plan['status']:<11}{took:>7}  {what}")
    return lines


def durations(logs: list[Document]) -> dict[tuple[str, str], float]:
    """Return the seconds from a plan's last claim to its publication."""
    claimed: dict[tuple[str, str], datetime] = {}
    found: dict[tuple[str, str], float] = {}
    for line in logs:
        key, at = (line["sequence_id"], line["plan"]), datetime.fromisoformat(line["time"])
        if line["event"] == "claimed":
            claimed[key] = at
        elif line["event"] == "published" and key in claimed:
            found[key] = (at - claimed[key]).total_seconds()
    return found


def check(document: Document) -> None:
    """Hold the end of the batch against the disk: every plan done, every file there."""
    missing = [
        result_document["path"]
        for result_document in document["results"]
        if not _is_there(result_document)
    ]
    if missing:
        raise DemoError(f"Not on disk as the API says: {', '.join(missing)}.")
    if document["status"] != "done" or len(document["results"]) != document["counts"]["total"]:
        raise DemoError(f"The batch ended as {document['status']}: see the table above.")


def _is_there(result: Document) -> bool:
    file = PROJECTS / result["path"]
    return file.is_file() and bool(file.stat().st_size == result["bytes"])


def _refuse_errors(answer: requests.Response) -> None:
    if not answer.ok:
        raise DemoError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")


def say(*lines: str) -> None:
    """Write lines at once, so that they keep their place beside the progress bar."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def run(stack: ExitStack) -> None:
    """Play the demo; whatever it starts is on the stack."""
    claim_home(HOME)
    env = environment()
    say(f"Setting up {HOME} …")
    manage(env, "migrate", "--verbosity", "0")
    panels = ("import_panels", REQUEST["project_id"], REQUEST["episode"], str(SAMPLES / "panels"))
    say(f"Sample panels: {manage(env, *panels, '--create').splitlines()[-1]}")
    access = json.loads(manage(env, "demo_user", "--json"))
    say("Starting the preview server, the web process and the workers …")
    started = start_all(env, stack)
    session = stack.enter_context(requests.Session())
    session.headers["Authorization"] = f"Token {access['token']}"
    base = f"http://127.0.0.1:{env['PORT']}"
    answer = session.post(f"{base}/api/generate_ai_concept", json=REQUEST, timeout=30)
    _refuse_errors(answer)
    say(f"POST {base}/api/generate_ai_concept → {answer.status_code} {answer.text.strip()}")
    follower = Follower(session, base, answer.json()["batch_id"])
    document = follow(follower, started)
    say("", *table(document), "")
    check(document)
    say(
        f"{follower.polls} polls of the status, {follower.unchanged} of them unchanged (304).",
        f"The files are in {PROJECTS}, the first is {PROJECTS / document['results'][0]['path']}",
    )


def main() -> int:
    """Play the demo and leave nothing behind; return the exit code."""
    leave_on_sigterm()
    write_plainly(sys.stdout, sys.stderr)
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            run(stack)
    except KeyboardInterrupt:
        say("", "Stopped.")
        return 130
    except FAILURES as error:
        say("", f"The demo failed: {error}")
        return 1
    say(f"Done in {time.monotonic() - begun:.0f} s; nothing is left running.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
