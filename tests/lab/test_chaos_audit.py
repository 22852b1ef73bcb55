"""The audit finds what is wrong: a sound site is doctored in one place, and a verdict breaks."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generation import storage
from generation.failures import failure
from generation.models import Attempt, Batch, EpisodeChange, LogEntry, PlanRun, Sequencer, Version
from generation.services import (
    claims,
    episode_changes,
    image_staging,
    publication,
    server_leases,
    transitions,
)
from generation.states import AttemptOutcome, RunState
from lab.chaos import transaction_witness
from lab.chaos.audit import (
    all_invariants,
    change_invariants,
    file_invariants,
    log_replay,
    render_invariants,
    row_invariants,
)
from lab.chaos.audit.evidence import Evidence, Verdict
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:1/gpu-1"
FOREIGN = "00000000-0000-4000-8000-000000000000"
Entry = dict[str, Any]


@dataclass
class Scene:
    """A site on which one plan was rendered, and what its run noted."""

    case: Evidence
    attempt: Attempt
    journal: Path

    @property
    def file(self) -> Path:
        """The published file."""
        return storage.absolute(Version.objects.get().path)

    def happened(self, event: str, *, after_s: float = 0.0, **facts: Any) -> None:
        """Add an entry to the server's journal, so long after the attempt's end."""
        self.attempt.refresh_from_db()
        assert self.attempt.finished_at is not None
        at = self.attempt.finished_at.timestamp() + after_s
        entry = {"at": at, "event": event, "prompt_id": str(self.attempt.prompt_id), **facts}
        with self.journal.open("a") as journal:
            journal.write(json.dumps(entry) + "\n")


@pytest.fixture
def scene(home: Path, tmp_path: Path) -> Scene:
    """One plan, rendered once and published once."""
    server = factories.server(url=URL)
    batch = flying.sampled()
    episode_changes.record(batch.episode_id, batch_id=batch.pk)
    factories.log(batch, event="batch_created", data={"plans": 1, "style": "labo", "mode": "auto"})
    lease = server_leases.take(server.pk)
    assert lease is not None
    desk = claims.Desk(lease)
    attempt = desk.claim(in_flight=0)
    assert attempt is not None
    assert desk.build(attempt) is None
    transitions.acknowledge(attempt)
    # A server writes into an image which prompt it is of.
    image = image_staging.stage(factories.png() + str(attempt.prompt_id).encode())
    (reserved,) = publication.reserve_render(attempt, lease.token, [image])
    version = publication.finish(reserved)
    made = Scene(_case(batch, version, home, tmp_path), attempt, tmp_path / "journal.jsonl")
    (home / transaction_witness.FOLDER).mkdir()
    (home / transaction_witness.FOLDER / "calls").write_text("...")
    for event in ("accepted", "executed"):
        made.happened(event, after_s=-0.5)
    made.happened("finished", after_s=-0.4, outcome="success")
    return made


def _case(batch: Batch, version: Version, home: Path, folder: Path) -> Evidence:
    noted: Entry = {
        "wanted": {batch.public_id: {}},
        "keys": {"key": batch.public_id},
        "heard": [],
        "n_edits": 0,
        "wrong": [],
        "seen": {"planrun": [batch.runs.get().pk], "version": [version.pk]},
        "files": {version.path: version.sha256},
        "partial": [],
        "n_looks": 1,
        "acts": [],
        "foreign": [],
        "journals": {URL: str(folder / "journal.jsonl")},
        "unfinished": [],
        "ended_within_s": 1.0,
    }
    return Evidence(noted, home)


def leave_unfinished(scene: Scene) -> None:
    flying.sampled()


def lose_change(scene: Scene) -> None:
    EpisodeChange.objects.earliest("pk").delete()


def skip_change(scene: Scene) -> None:
    Sequencer.objects.create(pk=1, last_number=1)


def execute_twice(scene: Scene) -> None:
    scene.happened("executed")


def execute_in_vain(scene: Scene) -> None:
    Attempt.objects.update(outcome=AttemptOutcome.LOST)


def publish_unexecuted(scene: Scene) -> None:
    scene.journal.write_text("")


def post_late(scene: Scene) -> None:
    scene.happened("accepted", after_s=9)


def post_unknown(scene: Scene) -> None:
    scene.happened("accepted", prompt_id=FOREIGN)


def remove_file(scene: Scene) -> None:
    scene.file.unlink()


def overwrite_file(scene: Scene) -> None:
    scene.file.write_bytes(factories.png(color="red"))


def add_file(scene: Scene) -> None:
    scene.file.with_name(scene.file.name.replace("v0001", "v0002")).write_bytes(factories.png())


def leave_staged(scene: Scene) -> None:
    storage.stage(b"left")


def skip_number(scene: Scene) -> None:
    Version.objects.update(number=2)


def count_wrong(scene: Scene) -> None:
    Batch.objects.update(n_done=0, n_error=1)


def write_without_log(scene: Scene) -> None:
    PlanRun.objects.update(state=RunState.CANCELLED)


def log_without_write(scene: Scene) -> None:
    factories.log(Batch.objects.get(), PlanRun.objects.get(), "lost", revision=99)


def forget_revision(scene: Scene) -> None:
    Batch.objects.update(revision=1)


def write_in_transaction(scene: Scene) -> None:
    (scene.case.home / transaction_witness.FOLDER / "offences").write_text(
        "storage:stage from create:7\n"
    )


def see_nothing(scene: Scene) -> None:
    (scene.case.home / transaction_witness.FOLDER / "calls").unlink()


def fail_there(scene: Scene) -> None:
    scene.happened("finished", outcome="error")


def change_seed(scene: Scene) -> None:
    Attempt.objects.update(seed="1")


def change_params(scene: Scene) -> None:
    scene.case.noted["wanted"][Batch.objects.get().public_id] = {"params": {"steps": 3}}


def fail_silently(scene: Scene) -> None:
    LogEntry.objects.filter(event="posted").update(event="failed", data={"message": "No."})


def say_half(scene: Scene) -> None:
    LogEntry.objects.filter(event="posted").update(data={})


def retry_silently(scene: Scene) -> None:
    asked = {"verb": "retry_batch", "status": 200, "code": "", "plan": None, "answered_at": 9e9}
    scene.case.noted["heard"] = [{**asked, "batch_id": Batch.objects.get().public_id}]


def delete_row(scene: Scene) -> None:
    scene.case.noted["seen"]["logentry"] = [10**9]


def stop_foreign(scene: Scene) -> None:
    scene.case.noted["foreign"] = [FOREIGN]
    scene.happened("accepted", prompt_id=FOREIGN)
    scene.happened("finished", prompt_id=FOREIGN, outcome="interrupted")


def lose_foreign(scene: Scene) -> None:
    scene.case.noted["foreign"] = [FOREIGN]
    scene.happened("accepted", prompt_id=FOREIGN)


def make_twice(scene: Scene) -> None:
    flying.sampled()


@pytest.mark.parametrize(
    ("verdict", "doctor"),
    [
        (row_invariants.truth, leave_unfinished),
        (render_invariants.rendered_once, execute_twice),
        (render_invariants.rendered_once, execute_in_vain),
        (render_invariants.rendered_once, publish_unexecuted),
        (render_invariants.one_driver, post_late),
        (render_invariants.one_driver, post_unknown),
        (file_invariants.names, remove_file),
        (file_invariants.names, overwrite_file),
        (file_invariants.names, add_file),
        (file_invariants.names, leave_staged),
        (file_invariants.names, skip_number),
        (file_invariants.whole, remove_file),
        (file_invariants.whole, overwrite_file),
        (log_replay.transitions, count_wrong),
        (log_replay.transitions, write_without_log),
        (log_replay.transitions, log_without_write),
        (log_replay.transitions, forget_revision),
        (file_invariants.transactions, write_in_transaction),
        (file_invariants.transactions, see_nothing),
        (render_invariants.outcomes, fail_there),
        (row_invariants.frozen, change_seed),
        (row_invariants.frozen, change_params),
        (row_invariants.explained, fail_silently),
        (row_invariants.explained, say_half),
        (row_invariants.explained, retry_silently),
        (row_invariants.kept, delete_row),
        (render_invariants.foreign, stop_foreign),
        (render_invariants.foreign, lose_foreign),
        (row_invariants.keys, make_twice),
        (change_invariants.told, lose_change),
        (change_invariants.told, skip_change),
    ],
    ids=lambda each: each.__name__,
)
def test_what_was_done_breaks_its_verdict(
    scene: Scene, verdict: Callable[[Evidence], Verdict], doctor: Callable[[Scene], None]
) -> None:
    before = verdict(Evidence(scene.case.noted, scene.case.home)).broken

    doctor(scene)

    assert verdict(Evidence(scene.case.noted, scene.case.home)).broken != before


@pytest.mark.parametrize(
    "verdict",
    # It asks the servers themselves what they have, and none runs here.
    [
        invariant
        for invariant in all_invariants.INVARIANTS
        if invariant is not render_invariants.gone_servers
    ],
    ids=lambda verdict: verdict.__name__,
)
def test_a_sound_site_breaks_no_verdict(
    scene: Scene, verdict: Callable[[Evidence], Verdict]
) -> None:
    assert verdict(scene.case).broken == []


def test_a_failure_that_the_server_forgot_before_it_rendered_is_nobodys(scene: Scene) -> None:
    scene.happened("finished", after_s=-0.8, outcome="error")
    known = render_invariants.outcomes(Evidence(scene.case.noted, scene.case.home)).broken
    scene.happened("server_started", after_s=-0.7, prompt_id="")

    forgotten = render_invariants.outcomes(Evidence(scene.case.noted, scene.case.home)).broken

    assert (len(known), forgotten) == (1, [])


def test_a_second_render_after_a_restart_is_excused_and_counted(scene: Scene) -> None:
    scene.happened("server_started", after_s=0.1, prompt_id="")
    scene.happened("executed", after_s=0.2)

    found = render_invariants.rendered_once(scene.case)

    assert found.broken == []
    assert found.said.endswith("again: 1 server restarted")


def test_plans_that_a_server_would_refuse_alike_are_followed_with_their_batch(scene: Scene) -> None:
    batch = flying.sampled(3)
    episode_changes.record(batch.episode_id, batch_id=batch.pk)
    attempt = factories.attempt(batch.runs.order_by("pk")[0], on=scene.attempt.server)
    why = failure("graph_refused", "It is refused.")
    transitions.fail_alike(attempt, why)
    ended = Evidence({**scene.case.noted, "heard": [_cancelled(batch)]}, scene.case.home)

    told = [line for line in log_replay.transitions(ended).broken if "by its log" in line]
    silent = [line for line in row_invariants.explained(ended).broken if "says nothing" in line]

    assert set(batch.runs.values_list("state", flat=True)) == {RunState.ERROR}
    assert (told, silent) == ([], [])


def _cancelled(batch: Batch) -> Entry:
    """A cancel of a batch in which everything has ended: it was taken, and changed nothing."""
    now = time.time()
    return {
        "verb": "cancel_batch",
        "batch_id": batch.public_id,
        "plan": None,
        "status": 200,
        "code": "",
        "sent_at": now,
        "answered_at": now,
    }


def test_what_an_old_server_refuses_by_an_id_of_its_own_is_known_by_its_prefix(
    scene: Scene,
) -> None:
    sent = f"madsea/{scene.attempt.prompt_id}"

    scene.happened("refused", prompt_id=FOREIGN, prefixes=[sent], after_s=-0.6)

    assert render_invariants.one_driver(scene.case).broken == []
