"""Send a request from a file, as a frontend sends it over HTTP."""

import json
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.management.command import MadseaCommand, actor, add_actor, add_dry_run, counted
from generation.models import Batch
from generation.selectors import batches as reads
from generation.services import batches, requests
from generation.states import UNFINISHED

POLL_S = 0.5


class Command(MadseaCommand):
    help = "Generate the plans of a request (a JSON file as the API takes it)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request", metavar="REQUEST.json", help="the file; - reads from stdin")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the batch is finished; ends with 1 when a plan failed",
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options)
        request = requests.read(_payload(options["request"]))
        n_plans = sum(len(plans) for plans in request.sequences.values())
        if options["dry_run"]:
            self.stdout.write(f"The request is valid: {counted(n_plans, 'plan')} would be queued.")
            return
        batch = batches.create(request, requester=user)
        if options["wait"]:
            batch = _wait(batch)
            self._conclude(batch)
        else:
            self.stdout.write(f"Batch {batch}: {counted(n_plans, 'plan')} requested.")

    def _conclude(self, batch: Batch) -> None:
        summary = f"Batch {batch}: {batch.n_done} of {counted(batch.n_total, 'plan')} done"
        if batch.n_done < batch.n_total:
            raise CommandError(f"{summary}, {batch.n_error} failed, {batch.n_cancelled} cancelled.")
        self.stdout.write(self.style.SUCCESS(f"{summary}."))


def _payload(source: str) -> object:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{source} is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _wait(batch: Batch) -> Batch:
    found = reads.one(reads.measured(), batch.public_id)
    try:
        with tqdm(total=100, desc=f"Batch {batch}", unit="%", disable=None, leave=False) as shown:
            while any(found.counts[state] for state in UNFINISHED):
                time.sleep(POLL_S)
                found = reads.one(reads.measured(), batch.public_id)
                shown.update(reads.progress(found) - shown.n)
    except KeyboardInterrupt:
        raise CommandError(
            f"Not waiting any more; batch {batch} goes on.", returncode=130
        ) from None
    return found
