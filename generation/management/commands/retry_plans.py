"""Queue failed or cancelled plans again."""

from itertools import groupby
from typing import Any

from django.core.management.base import CommandParser

from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    bar,
    counted,
)
from generation.management.selection_options import add_choice, choice
from generation.models import PlanRun
from generation.selectors import selection
from generation.services import batches, permissions, plan_locks, retry_overrides
from generation.states import RETRYABLE, RunState
from wording import any_of, say


class Command(MadseaCommand):
    help = say("Queue failed (or cancelled) plans again, as the admin's Retry does.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(
            parser, since=say("ended that day or later"), until=say("ended that day or earlier")
        )
        parser.add_argument(
            "--status",
            action="append",
            choices=sorted(state.value for state in RETRYABLE),
            help=say("error (the default) or cancelled; may be given twice"),
        )
        parser.add_argument(
            "--workflow",
            metavar="NAME",
            help=say("make them with another one, as the corrected file"),
        )
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options, permissions.TO_RETRY)
        states = [RunState(state) for state in options["status"] or [RunState.ERROR]]
        runs = list(selection.runs(choice(options), states))
        if not runs:
            self.stdout.write(
                str(
                    say(
                        "Nothing to do: no plan that fits is in state {states}.",
                        states=any_of(states),
                    )
                )
            )
            return
        groups = [(batch, list(of)) for batch, of in groupby(runs, key=lambda run: run.batch)]
        read = [
            retry_overrides.read(batch, of, workflow_json=options["workflow"])
            for batch, of in groups
        ]
        if options["dry_run"]:
            self._list(runs)
            return
        retried = 0
        for (batch, of), overrides in bar(list(zip(groups, read, strict=True)), say("Retrying")):
            retried += batches.retry_runs(batch, [run.pk for run in of], overrides, actor=user)
        plans, found = counted(retried, "plan"), counted(len(groups), "batch")
        told = say("{plans} of {batches} queued again.", plans=plans, batches=found)
        self.stdout.write(str(told))
        for kept in plan_locks.kept_back(runs):
            self.stdout.write(str(kept.detail))

    def _list(self, runs: list[PlanRun]) -> None:
        for run in runs:
            sequence = run.plan.sequence
            where = f"{sequence.episode.project} {sequence.episode} {sequence}-{run.plan}"
            why = f": {run.error_code}: {run.error_message}" if run.error_code else ""
            self.stdout.write(f"{run.batch} {where} {run.state}{why}")
        told = say("{plans} would be queued again.", plans=counted(len(runs), "plan"))
        self.stdout.write(str(told))
