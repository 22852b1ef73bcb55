"""What a frontend does by the API: gives workflows, asks for plans, makes pictures again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import requests

from tests.processes import Site, request, wait_for

ENDS_WITHIN_S = 300.0
ANSWERS_WITHIN_S = 60
_ENDED = frozenset({"done", "error", "cancelled"})
_VERSIONS = """SELECT v.id, v.number, v.path, v.sha256, v.pixels_sha256, a.prompt_id, a.number
    FROM generation_version v JOIN generation_attempt a ON a.id = v.attempt_id
    JOIN generation_planrun r ON r.id = v.run_id JOIN generation_batch b ON b.id = r.batch_id
    WHERE b.public_id = '{}' AND v.state = 'published' ORDER BY r.variation, v.number"""


@dataclass(frozen=True)
class Made:
    """A version that a batch has made, as the database has it."""

    pk: int
    number: int
    path: str
    sha256: str
    pixels_sha256: str
    prompt_id: str


class Frontend:
    """Signed in with a token; every answer that is no error is returned as it came."""

    def __init__(self, site: Site, token: str) -> None:
        self._site = site
        self._url = f"{site.web()}/api"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"

    def give(self, filename: str, content: bytes) -> dict[str, Any]:
        """Give a workflow, and return what is told of it."""
        return self._asked("POST", "/workflows", files={"file": (filename, content)})

    def answer(self, name: str, answers: dict[str, str]) -> dict[str, Any]:
        """Answer questions of a workflow."""
        return self._asked("PATCH", f"/workflows/{name}", json={"answers": answers})

    def graph(self, name: str) -> dict[str, Any]:
        """Return a workflow's graph in API format."""
        found: dict[str, Any] = self._asked("GET", f"/workflows/{name}/graph")["graph"]
        return found

    def refusal(self, name: str, plan: str) -> str:
        """Ask for a plan that cannot be made, and return the code of why not; empty if it can."""
        body = request([plan], workflow_json=name)
        answer = self._send("POST", "/generate_ai_concept", json=body)
        return "" if answer.ok else str(answer.json()["code"])

    def ask(self, plan: str, name: str, params: dict[str, Any], variations: int) -> str:
        """Ask for a plan, and return the batch's id."""
        body = request([plan], workflow_json=name, params=params, variations=variations)
        return str(self._asked("POST", "/generate_ai_concept", json=body)["batch_id"])

    def rerun(self, version_id: int) -> str:
        """Ask for a version to be made again, and return the batch's id."""
        return str(self._asked("POST", f"/versions/{version_id}/rerun", json={})["batch_id"])

    def recipe(self, version_id: int) -> dict[str, Any]:
        """Return what made a version."""
        return self._asked("GET", f"/versions/{version_id}/recipe")

    def finish(self, batch_id: str) -> list[Made]:
        """Wait for the end of a batch, and return what it has made, in the order of its seeds."""
        wait_for(lambda: self._status(batch_id) in _ENDED, ENDS_WITHIN_S, f"batch {batch_id}")
        return [
            Made(pk, number, path, sha256, pixels, str(UUID(str(prompt_id))))
            for pk, number, path, sha256, pixels, prompt_id, _ in self._site.rows(
                _VERSIONS.format(batch_id)
            )
        ]

    def content(self, made: Made) -> bytes:
        """Return the file of a version."""
        return (self._site.projects / made.path).read_bytes()

    def _status(self, batch_id: str) -> str:
        return str(self._asked("GET", f"/batches/{batch_id}")["status"])

    def _asked(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        answer = self._send(method, path, **given)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:600]}"
        return dict(answer.json())

    def _send(self, method: str, path: str, **given: Any) -> requests.Response:
        return self._session.request(
            method, f"{self._url}{path}", timeout=ANSWERS_WITHIN_S, **given
        )
