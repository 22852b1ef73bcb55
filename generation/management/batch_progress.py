"""Waiting for a batch at a terminal: a bar, or lines where there is no terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.core.management.base import CommandError, OutputWrapper
from tqdm import tqdm

from generation.management.command import counted, listed
from generation.models import Batch
from generation.selectors import batch_waits
from generation.selectors import batches as reads
from wording import Sentence, say

POLL_S = 0.5
#: Without a terminal, no more often than this is a line written.
LINE_S = 5.0


class ShownProgress(Protocol):
    """Shows how far a batch is."""

    def show(self, batch: Batch) -> None:
        """Show it as it is now."""


class Bar:
    """A bar on standard error."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def show(self, batch: Batch) -> None:
        """Move the bar on."""
        self._bar.set_postfix_str(_doing(batch), refresh=False)
        self._bar.update(reads.progress(batch) - self._bar.n)
        self._bar.refresh()


class ProgressLines:
    """A line when something has changed, and not too often; what it waits for comes at once."""

    def __init__(self, stdout: OutputWrapper) -> None:
        self._stdout = stdout
        self._said = self._doing = ""
        self._next_at = 0.0

    def show(self, batch: Batch) -> None:
        """Write a line if there is something new."""
        doing = _doing(batch)
        line = str(
            say(
                "Batch {batch}: {percent} %, {doing}",
                batch=batch,
                percent=reads.progress(batch),
                doing=doing,
            )
        )
        waits_for_other = batch_waits.awaited(batch) and doing != self._doing
        if line == self._said or (time.monotonic() < self._next_at and not waits_for_other):
            return
        self._said, self._doing, self._next_at = line, doing, time.monotonic() + LINE_S
        self._stdout.write(line)
        self._stdout.flush()


def wait(batch: Batch, stdout: OutputWrapper) -> Batch:
    """Wait until a batch is finished, showing how far it is; return it as it ended.

    Raises:
        CommandError: Ctrl-C ended the waiting, not the batch (exit code 130).
    """
    rows = reads.with_running_pct().annotate(**batch_waits.annotations())
    try:
        with _shown(batch, stdout) as shown:
            while (current := reads.one(rows, batch.public_id)).is_unfinished:
                shown.show(current)
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        text = say("Not waiting any more; batch {batch} goes on.", batch=batch)
        raise CommandError(text, returncode=130) from None
    return current


@contextmanager
def _shown(batch: Batch, stdout: OutputWrapper) -> Iterator[ShownProgress]:
    with tqdm(
        total=100, desc=str(say("Batch {batch}", batch=batch)), unit="%", disable=None, leave=False
    ) as bar:
        yield ProgressLines(stdout) if bar.disable else Bar(bar)


def _doing(batch: Batch) -> str:
    waits = Sentence(batch_waits.awaited(batch).value, {})
    failed = say("{n} failed", n=batch.n_error)
    return listed(
        [done_of(batch), *([failed] if batch.n_error else []), *([waits] if waits else [])]
    )


def done_of(batch: Batch) -> str:
    """Return how many of a batch's plans are done."""
    return say(
        "{n_done} of {plans} done", n_done=batch.n_done, plans=counted(batch.n_total, "plan")
    )
