"""Since yesterday evening: what was made, what failed and why, what was decided, what waits."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from generation.models import PlanRun, Server, Version
from generation.selectors import servers as engine_servers
from generation.states import RunState, ServerHealth
from review.models import Review
from review.selectors import light_table, retakes
from review.states import Decision

#: How many retakes are told one by one, and how many plans of a failure.
RETAKES_SHOWN, PLANS_SHOWN = 50, 5
#: So many of the newest failures are looked at for their plans.
_FAILED_LOOKED_AT = 1_000


class Made(TypedDict):
    """What somebody has had made of an episode; `by` is None for the console, and for uploads
    of nobody's.
    """

    project_id: str
    episode: str
    by: str | None
    n_plans: int
    n_pictures: int


class Failure(TypedDict):
    """Plans that failed alike and were not asked for again; `plans` names some of them."""

    code: str
    n_plans: int
    message: str
    remedy: str
    plans: list[str]


class Decided(TypedDict):
    """How often somebody decided so."""

    by: str | None
    is_guest: bool
    decision: str
    n: int


class AskedAgain(TypedDict):
    """A retake, with what is to be better."""

    project_id: str
    filename: str
    by: str | None
    comment: str


class Trouble(TypedDict):
    """A server that takes no work, or not all: `down`, `set_aside` or `blocked`."""

    server: str
    kind: str
    detail: str
    remedy: str
    since: str | None


class Place(TypedDict):
    """How many plans of an episode wait."""

    project_id: str
    episode: str
    n_plans: int


class Waits(TypedDict):
    """What waits for people."""

    to_review: list[Place]
    retakes: list[Place]
    for_artists: list[Place]
    for_panels: list[Place]


class SummaryDocument(TypedDict):
    """What has happened from `since` until `until`, and what is so now."""

    since: str
    until: str
    made: list[Made]
    failed: list[Failure]
    decided: list[Decided]
    retakes: list[AskedAgain]
    servers: list[Trouble]
    waiting: Waits


def default_since() -> datetime:
    """Return since when: yesterday evening in the studio's time."""
    return light_table.yesterday_evening()


def summary(since: datetime) -> SummaryDocument:
    """Return what has happened since a moment, in a fixed number of queries."""
    return {
        "since": since.astimezone(UTC).isoformat(),
        "until": timezone.now().isoformat(),
        "made": _made(since),
        "failed": _failed(since),
        "decided": _decided(since),
        "retakes": _retakes(since),
        "servers": _servers(),
        "waiting": _waiting(),
    }


def has_news(of: SummaryDocument) -> bool:
    """Tell whether something has happened; what only waits has not."""
    return any((of["made"], of["failed"], of["decided"], of["servers"]))


_OF_PLAN = ("plan__sequence__episode__project__code", "plan__sequence__episode__code")


def _made(since: datetime) -> list[Made]:
    rows = Version.objects.images().filter(published_at__gte=since).order_by()
    people = ("batch__requested_by__username", "created_by__username")
    counted = rows.values_list(*_OF_PLAN, *people).annotate(
        n_plans=Count("plan", distinct=True), n_pictures=Count("pk")
    )
    return [
        {
            "project_id": project,
            "episode": episode,
            "by": uploader or requester,
            "n_plans": n_plans,
            "n_pictures": n_pictures,
        }
        for project, episode, requester, uploader, n_plans, n_pictures in sorted(
            counted, key=lambda each: [word or "" for word in each[:4]]
        )
    ]


def _failed(since: datetime) -> list[Failure]:
    failed = PlanRun.objects.filter(state=RunState.ERROR, finished_at__gte=since)
    counted = failed.order_by().values("error_code").annotate(n=Count("plan", distinct=True))
    counts = dict(counted.values_list("error_code", "n"))
    rows = failed.select_related("plan__sequence__episode").only(
        "error_code",
        "error_message",
        "error_remedy",
        "plan__code",
        "plan__sequence__code",
        "plan__sequence__episode__code",
    )
    alike: dict[str, list[PlanRun]] = {code: [] for code in counts}
    for run in rows.order_by("-finished_at", "-pk")[:_FAILED_LOOKED_AT]:
        alike.setdefault(run.error_code, []).append(run)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [_failure(code, n, alike[code]) for code, n in ordered]


def _failure(code: str, n_plans: int, runs: Sequence[PlanRun]) -> Failure:
    names = dict.fromkeys(_name(run) for run in runs)
    return {
        "code": code,
        "n_plans": n_plans,
        "message": str(runs[0].error_message) if runs else "",
        "remedy": str(runs[0].error_remedy) if runs else "",
        "plans": list(names)[:PLANS_SHOWN],
    }


def _name(run: PlanRun) -> str:
    sequence = run.plan.sequence
    return f"{sequence.episode.code}_{sequence.code}-{run.plan.code}"


def _decided(since: datetime) -> list[Decided]:
    rows = Review.objects.filter(made_at__gte=since).order_by()
    counted = rows.values_list("by__username", "guest", "decision").annotate(n=Count("pk"))
    ordered = sorted(counted, key=lambda each: (each[1], each[0] or "", each[2]))
    return [
        {"by": guest or by, "is_guest": bool(guest), "decision": decision, "n": n}
        for by, guest, decision, n in ordered
    ]


def _retakes(since: datetime) -> list[AskedAgain]:
    asked = Q(decision=Decision.RETAKE, undone_by=None) | Q(decision=Decision.ADVISE_RETAKE)
    rows = Review.objects.filter(asked, made_at__gte=since).order_by("-pk")
    related = ("by", "version__plan__sequence__episode__project")
    return [
        {
            "project_id": review.version.plan.sequence.episode.project.code,
            "filename": str(review.version),
            "by": review.guest or (review.by.get_username() if review.by else None),
            "comment": review.comment,
        }
        for review in rows.select_related(*related)[:RETAKES_SHOWN]
    ]


def _servers() -> list[Trouble]:
    rows = Server.objects.enabled().prefetch_related("blocks__workflow").order_by("name")
    return [trouble for server in rows for trouble in _troubles(server)]


def _troubles(server: Server) -> Iterable[Trouble]:
    aside = engine_servers.set_aside(server)
    if server.health == ServerHealth.DOWN:
        since = server.down_since.isoformat() if server.down_since else None
        yield _trouble(server, "down", server.health_detail, "", since)
    if aside is not None:
        yield _trouble(server, "set_aside", aside["message"], aside["remedy"], aside["since"])
    for each in engine_servers.blocked_for(server):
        words = f"{each['workflow_json']}: {each['message']}"
        yield _trouble(server, "blocked", words, "", each["since"])


def _trouble(server: Server, kind: str, detail: str, remedy: str, since: str | None) -> Trouble:
    return {
        "server": server.name,
        "kind": kind,
        "detail": str(detail),
        "remedy": str(remedy),
        "since": since,
    }


def _waiting() -> Waits:
    to_review = light_table.episodes_to_review()
    return {
        "to_review": [
            {"project_id": place.project, "episode": place.episode, "n_plans": place.n_plans}
            for place in to_review
        ],
        "retakes": _places(retakes.to_make()),
        "for_artists": _places(PlanRun.objects.filter(state=RunState.WAITING)),
        "for_panels": _places(PlanRun.objects.waiting_for_panel()),
    }


def _places(rows: QuerySet[Any]) -> list[Place]:
    """Return how many plans of each episode some rows are about."""
    counted = rows.order_by().values_list(*_OF_PLAN).annotate(n=Count("plan", distinct=True))
    return [
        {"project_id": project, "episode": episode, "n_plans": n}
        for project, episode, n in counted.order_by(*_OF_PLAN)
    ]
