"""Make plans again that are retakes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management.command import (
    MadseaCommand,
    actor,
    add_actor,
    add_dry_run,
    counted,
    whole,
)
from generation.models.batch import VARIATIONS_MAX
from review.selectors import retakes
from review.services import retake_preview
from review.services import retakes as retake_batches
from review.services.retake_preview import RetakeDocument
from review.services.retakes import NEW, SAME, WantedRetake
from wording import say


class Command(MadseaCommand):
    help = say("Make the plans again whose review has come to a retake.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, metavar="PROJECT")
        parser.add_argument("--episode", required=True, metavar="E202")
        parser.add_argument("--sequence", metavar="SQ0010")
        parser.add_argument(
            "--seed", choices=(NEW, SAME), default=NEW, help=say("drawn anew, or the version's own")
        )
        parser.add_argument(
            "--add-comments",
            action="store_true",
            help=say("put each decision's comment behind the prompt of its plan"),
        )
        parser.add_argument("--variations", type=whole(1, VARIATIONS_MAX), default=1)
        add_actor(parser)
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = actor(options, retake_batches.TO_START)
        found = _found(options)
        ready = [each for each in found if not each["in_render"]]
        for each in ready:
            self.stdout.write(_line(each, adds=options["add_comments"]))
        if not ready:
            told = say(
                "Nothing to do: no retake waits; being rendered: {plans}.",
                plans=counted(len(found), "plan"),
            )
            self.stdout.write(str(told))
            return
        if options["dry_run"]:
            told = say("{plans} would be made again.", plans=counted(len(ready), "plan"))
            self.stdout.write(str(told))
            return
        wanted = [
            WantedRetake(
                each["version"],
                options["seed"],
                each["prompt_addition"] if options["add_comments"] else "",
            )
            for each in ready
        ]
        made = retake_batches.start(wanted, variations=options["variations"], requester=user)
        named = ", ".join(str(batch) for batch in made)
        told = say(
            "{plans} asked for again: {batches}.",
            plans=counted(len(ready), "plan"),
            batches=named,
        )
        self.stdout.write(str(told))


def _found(options: dict[str, Any]) -> list[RetakeDocument]:
    place = "plan__sequence"
    chosen = {
        f"{place}__episode__project__code": options["project"],
        f"{place}__episode__code": options["episode"],
    }
    if options["sequence"]:
        chosen[f"{place}__code"] = options["sequence"]
    versions = list(retakes.to_make().filter(**chosen)[: retake_batches.RETAKES_MAX + 1])
    if len(versions) > retake_batches.RETAKES_MAX:
        most = retake_batches.RETAKES_MAX
        raise CommandError(
            say("At most {most:,} plans can be started at once: name a sequence.", most=most)
        )
    return retake_preview.documents(versions)


def _line(each: RetakeDocument, *, adds: bool) -> str:
    added = f" + “{each['prompt_addition']}”" if adds else ""
    return f"{each['filename']}: {each['review']['comment']}{added}"
