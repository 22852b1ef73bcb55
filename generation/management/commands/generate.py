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
from generation.parameter_sources import values_with_sources
from generation.selectors import wait_reasons
from generation.services import batches, dry_runs, permissions, plan_locks, request_validation
from generation.services.dry_runs import DryRunDocument, PlanOutlook, ServerOutlook
from generation.state_words import in_words
from wording import in_turn, say


class Command(MadseaCommand):
    help = say("Generate the plans of a request (a JSON file as the API takes it).")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "request", metavar="REQUEST.json", help=say("the file; - reads from stdin")
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help=say("wait until the batch is finished; ends with 1 when a plan failed"),
        )
        parser.add_argument(
            "--force", metavar="REASON", help=say("plans that are approved as well, and why")
        )
        parser.add_argument(
            "--variant",
            metavar="CODE",
            help=say("the style's variant of light for all that name none"),
        )
        add_create(parser)
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options, permissions.TO_ASK)
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
            self._say(
                say(
                    "The request is valid: {plans} would be queued.", plans=counted(n_plans, "plan")
                )
            )
            self._tell(outlook, forced=request.force)
            return
        batch = batches.create(request, requester=user)
        requested = counted(batch.n_total // batch.variations, "plan")
        left = n_plans - batch.n_total // batch.variations
        self._say(say("Batch {batch}: {plans} requested.", batch=batch, plans=requested))
        if left:
            self._say(say("{plans} left out.", plans=counted(left, "approved plan")))
        self.stdout.flush()
        if options["wait"]:
            self._conclude(batch_progress.wait(batch, self.stdout))

    def _say(self, sentence: str) -> None:
        self.stdout.write(str(sentence))

    def _tell(self, outlook: DryRunDocument, *, forced: bool) -> None:
        values = values_with_sources(outlook["params"], outlook["sources"])
        self._say(say("Values: {values}.", values=values or say("none")))
        if outlook["locked"]:
            keys = [(each["sequence_id"], each["plan"]) for each in outlook["locked"]]
            named = plan_locks.plans_in_words(keys)
            self._say(
                say("Approved, and would be made anew: {named}.", named=named)
                if forced
                else say("Approved, and would be left out: {named}.", named=named)
            )
        for plan in outlook["plans"]:
            for line in _own(plan):
                self._say(line)
        for server in outlook["servers"]:
            self._say(_server(server))
        pictures, seconds = outlook["pictures"], outlook["seconds"]
        many = say("a number that nothing tells") if pictures is None else pictures
        self._say(say("Pictures: {many}.", many=many))
        unknown = say("unknown, nothing like it was rendered lately")
        how_long = unknown if seconds is None else say("{seconds:g} s", seconds=seconds)
        self._say(say("Time: {how_long}.", how_long=how_long))

    def _conclude(self, batch: Batch) -> None:
        done = batch_progress.done_of(batch)
        if batch.n_done < batch.n_total:
            raise CommandError(
                say(
                    "Batch {batch}: {done}, {n_error} failed, {n_cancelled} cancelled.",
                    batch=batch,
                    done=done,
                    n_error=batch.n_error,
                    n_cancelled=batch.n_cancelled,
                )
            )
        self.stdout.write(
            self.style.SUCCESS(str(say("Batch {batch}: {done}.", batch=batch, done=done)))
        )


def _own(plan: PlanOutlook) -> list[str]:
    """Return a line for a plan that has no panel, and one for the values of its own."""
    name = f"{plan['sequence_id']}-{plan['plan']}"
    lacks = (
        [say("{name} has no panel: it would wait for it.", name=name)]
        if plan["lacks_panel"]
        else []
    )
    own = values_with_sources(plan.get("params", {}), plan.get("sources", {}))
    return [*lacks, *([say("{label}: {value}.", label=name, value=own)] if own else [])]


def _server(server: ServerOutlook) -> str:
    aside = [] if server["takes_work"] else [say("takes no work now")]
    pace = [say("{s:g} s a plan", s=server["render_s"])] if server["render_s"] else []
    named = say(
        "{name} ({state})",
        name=server["name"],
        state=in_turn([in_words(server["health"]), *aside, *pace], ", "),
    )
    if server["missing"]:
        lacks = wait_reasons.lacks(server["missing"])
        return say("{server} cannot: it lacks {lacks}.", server=named, lacks=lacks)
    return {
        None: say("{server} was not read yet.", server=named),
        True: say("{server} can.", server=named),
        False: say("{server} cannot.", server=named),
    }[server["can"]]


def _payload(source: str) -> object:
    try:
        text = _typed() if source == "-" else Path(source).read_text(encoding="utf-8")
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        text = say("{source} is not JSON: {error}", source=source, error=str(error))
        raise CommandError(text) from error


def _typed() -> str:
    # JSON is UTF-8, whatever the console's encoding is.
    return sys.stdin.buffer.read().decode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
