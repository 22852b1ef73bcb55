"""Send a request from a file, as a frontend sends it over HTTP."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser

from generation.management import batch_progress
from generation.management.command import MadseaCommand, actor, add_actor, add_dry_run, counted
from generation.management.new_project_confirmation import add_create, confirm
from generation.models import Batch
from generation.parameter_sources import told
from generation.selectors import wait_reasons
from generation.services import batches, dry_runs, plan_locks, request_validation
from generation.services.dry_runs import DryRunDocument, PlanOutlook, ServerOutlook


class Command(MadseaCommand):
    help = "Generate the plans of a request (a JSON file as the API takes it)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request", metavar="REQUEST.json", help="the file; - reads from stdin")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the batch is finished; ends with 1 when a plan failed",
        )
        parser.add_argument(
            "--force", metavar="REASON", help="plans that are approved as well, and why"
        )
        parser.add_argument(
            "--variant", metavar="CODE", help="the style's variant of light for all that name none"
        )
        add_create(parser)
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options)
        payload = _payload(options["request"])
        if options["variant"] and isinstance(payload, dict):
            payload = {**payload, "variant": options["variant"]}
        request = request_validation.read(payload)
        if options["force"]:
            request = replace(request, force=True, reason=options["force"])
        n_plans = len(request.keys)
        confirm(request.project_id, [request.episode], options, self.stdout)
        if options["dry_run"]:
            outlook = dry_runs.rehearse(request)
            n_plans = len(outlook["plans"])
            self.stdout.write(f"The request is valid: {counted(n_plans, 'plan')} would be queued.")
            self._tell(outlook, forced=request.force)
            return
        batch = batches.create(request, requester=user)
        requested = counted(batch.n_total // batch.variations, "plan")
        left = n_plans - batch.n_total // batch.variations
        apart = f"; {counted(left, 'approved plan')} left out" if left else ""
        self.stdout.write(f"Batch {batch}: {requested} requested{apart}.")
        self.stdout.flush()
        if options["wait"]:
            self._conclude(batch_progress.wait(batch, self.stdout))

    def _tell(self, outlook: DryRunDocument, *, forced: bool) -> None:
        values = told(outlook["params"], outlook["sources"])
        self.stdout.write(f"Values: {values or 'none'}.")
        if outlook["locked"]:
            keys = [(each["sequence_id"], each["plan"]) for each in outlook["locked"]]
            verb = "would be made anew" if forced else "would be left out"
            self.stdout.write(f"Approved, and {verb}: {plan_locks.named(keys)}.")
        for plan in outlook["plans"]:
            for line in _own(plan):
                self.stdout.write(line)
        for server in outlook["servers"]:
            self.stdout.write(_server(server))
        pictures, seconds = outlook["pictures"], outlook["seconds"]
        many = "a number of pictures that nothing tells" if pictures is None else pictures
        self.stdout.write(f"Pictures: {many}.")
        how_long = "unknown, nothing like it was rendered lately"
        self.stdout.write(f"Time: {how_long if seconds is None else f'{seconds:g} s'}.")

    def _conclude(self, batch: Batch) -> None:
        summary = f"Batch {batch}: {batch.n_done} of {counted(batch.n_total, 'plan')} done"
        if batch.n_done < batch.n_total:
            raise CommandError(f"{summary}, {batch.n_error} failed, {batch.n_cancelled} cancelled.")
        self.stdout.write(self.style.SUCCESS(f"{summary}."))


def _own(plan: PlanOutlook) -> list[str]:
    """Return a line for a plan that has no panel, and one for the values of its own."""
    name = f"{plan['sequence_id']}-{plan['plan']}"
    lacks = [f"{name} has no panel: it would wait for it."] if plan["lacks_panel"] else []
    own = told(plan.get("params", {}), plan.get("sources", {}))
    return [*lacks, *([f"{name}: {own}."] if own else [])]


def _server(server: ServerOutlook) -> str:
    lacks = f": it lacks {wait_reasons.lacks(server['missing'])}" if server["missing"] else ""
    can = {None: "was not read yet", True: "can", False: "cannot"}[server["can"]]
    aside = "" if server["takes_work"] else ", takes no work now"
    pace = f", {server['render_s']:g} s a plan" if server["render_s"] else ""
    return f"{server['name']} ({server['health']}{aside}{pace}) {can}{lacks}."


def _payload(source: str) -> object:
    try:
        text = _typed() if source == "-" else Path(source).read_text(encoding="utf-8")
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{source} is not JSON: {error}") from error


def _typed() -> str:
    # JSON is UTF-8, whatever the console's encoding is.
    return sys.stdin.buffer.read().decode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
