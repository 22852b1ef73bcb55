"""What a press on Generate would do, in words: how many pictures, how long, what would wait."""

from collections.abc import Iterable
from dataclasses import dataclass

from generation.admin import html
from generation.admin.actions import counted
from generation.selectors import wait_reasons
from generation.services import plan_locks
from generation.services.dry_runs import DryRunDocument, PlanOutlook, ServerOutlook
from generation.services.requests_from_plans import PlannedRequest, Rehearsed
from generation.states import Mode, ServerHealth
from wording import in_turn, say, say_n

PLANS = (say("plan"), say("plans"))
PICTURES = (say("picture"), say("pictures"))
NAMED_MAX = 8


@dataclass(frozen=True)
class ForecastInWords:
    """One batch that there would be: its title, and what is to be known of it before."""

    title: str
    lines: list[str]


def forecast(rehearsed: Rehearsed) -> ForecastInWords:
    """Return what is said of one batch beforehand."""
    part, told = rehearsed.part, rehearsed.dry_run
    if told is None:
        return ForecastInWords(_title(part, len(part.plans)), [])
    n_plans = len(told["plans"])
    return ForecastInWords(_title(part, n_plans), [*_lines(n_plans, told), *_locked(part, told)])


def _title(part: PlannedRequest, n_plans: int) -> str:
    place = f"{part.episode.project} · {part.episode} · {sequences(part)}"
    return f"{place} · {part.style} · {counted(n_plans, PLANS)}"


def sequences(part: PlannedRequest) -> str:
    """Return which sequences a part has: the first to the last."""
    codes = sorted({plan.sequence.code for plan in part.plans})
    return codes[0] if len(codes) == 1 else f"{codes[0]}–{codes[-1]}"


def _locked(part: PlannedRequest, told: DryRunDocument) -> list[str]:
    """Return what is said of plans that are approved."""
    if not told["locked"]:
        return []
    named = plan_locks.plans_in_words(
        [(plan["sequence_id"], plan["plan"]) for plan in told["locked"]]
    )
    if part.payload.get("force"):
        return [say("Approved, and made anew all the same: {named}.", named=named)]
    return [
        say(
            "Left out, as they are approved: {named}. Tick “Approved plans, too”, and say why.",
            named=named,
        )
    ]


def _lines(n_plans: int, told: DryRunDocument) -> list[str]:
    if told["mode"] == Mode.MANUEL:
        return [
            say(
                "{n_plans} will wait for images that artists upload.",
                n_plans=counted(n_plans, PLANS),
            )
        ]
    lacking = [plan for plan in told["plans"] if plan["lacks_panel"]]
    servers = told["servers"]
    return [
        say(
            "{pictures}, made with {workflow_json}: {time}.",
            pictures=_pictures(told),
            workflow_json=told["workflow_json"],
            time=_time(told),
        ),
        *([_lacking(lacking)] if lacking else []),
        *([] if servers else [say("No server is registered: the plans wait until there is one.")]),
        *([] if not servers or any(map(_renders, servers)) else [_nobody(servers)]),
        *(_server(server) for server in servers if server["missing"]),
    ]


def _pictures(told: DryRunDocument) -> str:
    if told["pictures"] is None:
        return say("A number of pictures that the workflow does not tell")
    return counted(told["pictures"], PICTURES)


def _time(told: DryRunDocument) -> str:
    if told["seconds"] is None:
        return say("how long it takes is not known, nothing like it was rendered lately")
    n_servers = sum(map(_renders, told["servers"]))
    where = counted(n_servers, (say("server"), say("servers")))
    return say(
        "{duration} if the {where} did nothing else",
        duration=html.duration(told["seconds"]),
        where=where,
    )


def _lacking(plans: Iterable[PlanOutlook]) -> str:
    names = [f"{plan['sequence_id']}-{plan['plan']}" for plan in plans]
    more = say(" and {n} more", n=len(names) - NAMED_MAX) if len(names) > NAMED_MAX else ""
    listed = ", ".join(names[:NAMED_MAX])
    return say_n(
        "{listed}{more} has no panel: it waits until one comes.",
        "{listed}{more} have no panel: they wait until one comes.",
        len(names),
        listed=listed,
        more=more,
    )


def _renders(server: ServerOutlook) -> bool:
    is_up = server["health"] == ServerHealth.UP
    return bool(server["can"]) and server["takes_work"] and is_up


def _nobody(servers: Iterable[ServerOutlook]) -> str:
    said = [f"{server['name']} {_why_not(server)}" for server in servers]
    return say("No server can render it now ({said}): the plans wait.", said=in_turn(said, "; "))


def _why_not(server: ServerOutlook) -> str:
    if server["health"] != ServerHealth.UP:
        return (
            say("does not answer")
            if server["health"] == ServerHealth.DOWN
            else say("was not read yet")
        )
    if not server["takes_work"]:
        return say("takes no work now")
    return say("was not read yet") if server["can"] is None else say("lacks something")


def _server(server: ServerOutlook) -> str:
    lacks = wait_reasons.lacks(server["missing"])
    some = say("some of them") if server["n_plans"] else say("them")
    return say(
        "{name} cannot render {some}: it lacks {lacks}.",
        name=server["name"],
        some=some,
        lacks=lacks,
    )
