"""`python -m lab.fuzz`: hold a web process against its own schema, by requests without end.

Schemathesis makes requests of the schema, right ones and wrong ones. None may have an answer with
an undocumented status, of another shape, or of 5xx. It lives in an environment of its own
(`--st` names its program); the exit code is 1 when something was found, or too little was asked.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from lab.chaos import small_images
from lab.hostile.hostile_sites import ground
from tests.processes import Site, request

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,"
    "unsupported_method,allow_header_conformance"
)
#: A round of fewer would leave out what only comes late.
EXAMPLES_MAX = 200
#: So many does the phase of that name make alone: each bound of each field, both sides of it.
COVERAGE = 1000
_COUNT = re.compile(r"(\d+) generated")


def main(argv: Sequence[str] | None = None) -> int:
    """Play every seed; return the exit code."""
    given = _parsed(argv)
    with ground(keep=False) as made:
        site = made.site(DEBUG="0")
        site.preview("--seconds-per-plan", "0.1")
        site.work()
        base = site.web()
        fuzz = Fuzz(given.st, base, made.token, made.folder, site)
        wrong = [seed for seed in given.seeds if not fuzz.play(seed, given.requests)]
        failed = fuzz.tracebacks()
        site.close()
    say(f"tracebacks in the log: {failed}")
    return int(bool(wrong or failed))


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m lab.fuzz", description=__doc__)
    parser.add_argument("--st", required=True, type=Path, help="the program of Schemathesis")
    parser.add_argument("--seeds", type=lambda text: [int(n) for n in text.split(",")], default=[1])
    parser.add_argument("--requests", type=int, default=500, help="at least so many for each seed")
    return parser.parse_args(argv)


class Fuzz:
    """Schemathesis, before one web process."""

    def __init__(self, st: Path, base: str, token: str, folder: Path, site: Site) -> None:
        self._st, self._base, self._site = st.absolute(), base, site
        self._head = {"Authorization": f"Token {token}"}
        self._folder = folder
        schema = self._get("/api/schema?format=json")
        self._n_operations = sum(len(methods) for methods in schema["paths"].values())
        (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")

    def play(self, seed: int, n_wanted: int) -> bool:
        """Send so many requests, in rounds; tell whether every answer was as it must be."""
        n_sent, n_round = 0, 0
        while n_sent < n_wanted:
            left = n_wanted - n_sent
            n_new, is_good = self._round(seed + 1000 * n_round, left)
            n_sent, n_round = n_sent + n_new, n_round + 1
            say(f"seed {seed}, round {n_round}: {n_sent} requests")
            if not is_good or not n_new:
                return False
        return True

    def _round(self, seed: int, n_left: int) -> tuple[int, bool]:
        phases = "fuzzing"
        if n_left > 1.5 * COVERAGE and seed < 1000:
            phases, n_left = "examples,coverage,fuzzing", n_left - COVERAGE
        n_examples = min(EXAMPLES_MAX, n_left // self._n_operations + 1)
        command = [str(self._st), "run", "schema.json", "--url", self._base, "--no-color"]
        command += ["-H", f"Authorization: {self._head['Authorization']}", "--seed", str(seed)]
        command += ["--phases", phases, "--checks", CHECKS, "--max-examples", str(n_examples)]
        command += ["--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all"]
        env = os.environ | {
            "SCHEMATHESIS_HOOKS": "lab.fuzz.hooks",
            "PYTHONPATH": str(ROOT),
            "MADSEA_FUZZ_KNOWN": json.dumps(self._known()),
        }
        done = subprocess.run(command, cwd=self._folder, env=env, capture_output=True, text=True)
        counted = _COUNT.search(done.stdout)
        if done.returncode or not counted:
            say(done.stdout + done.stderr)
        return int(counted[1]) if counted else 0, done.returncode == 0

    def _known(self) -> dict[str, list[Any]]:
        """Make a batch for artists and one that renders; return what can be asked about."""
        made = [self._post(request(["0010", "0020"], mode=mode)) for mode in ("manuel", "auto")]
        version = self._panel()
        return {
            "batch_id": made,
            "sequence_id": ["SQ0010"],
            "plan": ["0010", "0020"],
            "project_id": ["madsea-2025-ep202"],
            "season": ["S02"],
            "episode": ["E202"],
            "style": ["ombres_chinoises"],
            "name": ["Silhouette.json", "Labo.json"],
            "workflow_json": ["Silhouette.json"],
            "id": [version["id"], 1],
            "signed": [version["url"].split("/")[-2], str(version["id"])],
            "filename": [version["filename"]],
            "since": [0, 1],
        }

    def _post(self, body: object) -> str:
        answer = requests.post(
            f"{self._base}/api/generate_ai_concept", json=body, headers=self._head, timeout=60
        )
        return str(answer.json()["batch_id"])

    def _panel(self) -> dict[str, str]:
        place = {"project_id": "madsea-2025-ep202", "season": "S02", "episode": "E202"}
        place |= {"sequence_id": "SQ0010", "plan": "0010"}
        file = {"file": ("a.png", small_images.png("#204060"), "image/png")}
        answer = requests.post(
            f"{self._base}/api/panels", data=place, files=file, headers=self._head, timeout=60
        )
        return dict(answer.json())

    def _get(self, path: str) -> dict[str, dict[str, Any]]:
        return dict(requests.get(f"{self._base}{path}", headers=self._head, timeout=60).json())

    def tracebacks(self) -> int:
        """Return how often the web process has failed, by its log."""
        logs = [Path(each.log) for each in self._site.started]
        return sum(log.read_text(errors="replace").count("Traceback") for log in logs)


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
