"""The light table: the plans of a sequence or an episode in story order, each with one picture.

That is the version which the plan's own review state is about: the approved one, else the newest
that nothing supersedes, else the newest.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from generation.errors import NotFound
from generation.models import Episode, Plan, PlanRun, Project, Version
from generation.models import Sequence as SequenceRow
from generation.models.version import Derived
from generation.selectors import findings
from generation.selectors.findings import Finding
from generation.states import STANDING, UNFINISHED, ReviewState, RunState
from review.models import RetakeReasons, Review
from review.selectors.reviews import open_advice
from review.states import Decision

#: A page holds so many plans at the most.
TILES_MAX = 500
#: When an evening begins, in the installation's time.
EVENING = time(18)
REASONS_MAX = 5
_REASONS_LOOKED_AT = 100


class Show(StrEnum):
    """Which plans are shown."""

    ALL = "all"
    TO_REVIEW = "to_review"
    RETAKES = "retakes"
    APPROVED = "approved"
    NONE = "none"  #: no picture yet
    FAILED = "failed"  #: the last render of it
    FLAGGED = "flagged"  #: the checks have found something in its picture
    ADVISED = "advised"  #: somebody has advised something, and nobody has decided since
    MINE = "mine"  #: that I have asked for, or uploaded
    RECENT = "recent"  #: since yesterday evening


class Picture(NamedTuple):
    """One published version of a plan's task that is reviewed, or of its panel."""

    plan_id: int
    id: int
    number: int
    review_state: str
    path: str
    derived: str
    made_for: str | None
    requested_by: int | None
    created_by: int | None
    published_at: datetime

    @property
    def filename(self) -> str:
        """Its name on disk."""
        return self.path.rpartition("/")[2]

    @property
    def has_small(self) -> bool:
        """Whether its small pictures are made."""
        return self.derived == Derived.MADE


@dataclass(frozen=True)
class CommentSummary:
    """The comments on a plan's versions: how many, and what the last retake asks for."""

    n: int = 0
    retake: str = ""


@dataclass(frozen=True)
class Tile:
    """A plan of the light table; `picture` is None while it has none."""

    plan_id: int
    code: str
    label: str
    sequence: str
    production_status: str
    run_state: str | None
    error: str
    style: str | None
    picture: Picture | None
    n_versions: int
    n_open: int
    newest_id: int
    said: CommentSummary
    findings: Sequence[Finding]
    advice: Review | None

    @property
    def state(self) -> str:
        """What its review has come to; `none` without a picture."""
        return self.picture.review_state if self.picture else "none"

    @property
    def in_render(self) -> bool:
        """Whether a picture of it is on its way."""
        return self.run_state in UNFINISHED

    @property
    def has_failed(self) -> bool:
        """Whether its last render failed."""
        return self.run_state == RunState.ERROR


@dataclass(frozen=True)
class SequenceCounts:
    """A sequence of an episode: how many plans it has, and how many have something to review."""

    code: str
    n_plans: int
    n_to_review: int


@dataclass(frozen=True)
class TableQuery:
    """What of an episode is to be shown, to whom."""

    user_id: int | None
    sequence: str = ""
    show: Show = Show.ALL
    style: str = ""
    page: int = 1


@dataclass
class Table:
    """What a page of the light table shows."""

    episode: Episode
    parts: Sequence[SequenceCounts]
    sequence: str  #: the one that is shown; empty: all of them
    tiles: Sequence[Tile]
    counts: Mapping[str, int]
    styles: Sequence[str]
    page: int
    n_pages: int
    reasons: Sequence[str] = field(default_factory=list)
    vocabulary: Sequence[str] = field(default_factory=list)

    @property
    def can_be_whole(self) -> bool:
        """Whether the episode can be shown in one page, and not by its sequences alone."""
        return _fits_a_page(self.parts)

    @property
    def groups(self) -> list[tuple[str, list[Tile]]]:
        """The plans by their sequences."""
        return [(code, list(of)) for code, of in groupby(self.tiles, attrgetter("sequence"))]


def episode(project_id: str, code: str) -> Episode:
    """Return an episode with its project.

    Raises:
        NotFound: there is none.
    """
    rows = Episode.objects.select_related("project")
    found = rows.filter(project__code=project_id, code=code).first()
    if found is None:
        raise NotFound(f"There is no episode {code} in {project_id}.", code="unknown_episode")
    return found


def table(of: Episode, asked: TableQuery) -> Table:
    """Return a page of the light table.

    An episode of more than `TILES_MAX` plans is shown by sequence: the first with something to
    review, where none is named.
    """
    parts = _parts(of)
    sequence = asked.sequence or _first(parts)
    every = tiles(plans_of(of, sequence))
    styles = sorted({tile.style for tile in every if tile.style})
    rows = _of_style(every, asked.style)
    fits = _fitting(asked.user_id)
    shown = [tile for tile in rows if fits[asked.show](tile)]
    n_pages = max(1, -(-len(shown) // TILES_MAX))
    page = min(asked.page, n_pages)
    return Table(
        episode=of,
        parts=parts,
        sequence=sequence,
        tiles=shown[(page - 1) * TILES_MAX : page * TILES_MAX],
        counts={show.value: sum(map(fits[show], rows)) for show in Show},
        styles=styles,
        page=page,
        n_pages=n_pages,
        reasons=recent_reasons(of, asked.user_id),
        vocabulary=vocabulary(of.project),
    )


def all_fitting(of: Episode, asked: TableQuery) -> list[Tile]:
    """Return all that a filter shows of an episode or a sequence of it, without pages."""
    rows = _of_style(tiles(plans_of(of, asked.sequence)), asked.style)
    fits = _fitting(asked.user_id)[asked.show]
    return [tile for tile in rows if fits(tile)]


def _of_style(rows: list[Tile], style: str) -> list[Tile]:
    return [tile for tile in rows if tile.style == style] if style else rows


def _parts(of: Episode) -> list[SequenceCounts]:
    sequences = SequenceRow.objects.filter(episode=of).annotate(n_plans=Count("plans"))
    open_ = Version.objects.to_review().filter(plan__sequence__episode=of).order_by()
    counted = open_.values_list("plan__sequence__code").annotate(n=Count("plan", distinct=True))
    n_open = dict(counted)
    return [
        SequenceCounts(row.code, row.n_plans, n_open.get(row.code, 0))
        for row in sequences.order_by("code")
    ]


def _first(parts: Sequence[SequenceCounts]) -> str:
    """Return the sequence that is shown where none is named; nothing: all of them."""
    if _fits_a_page(parts):
        return ""
    open_ = [part.code for part in parts if part.n_to_review]
    return (open_ or [parts[0].code])[0]


def _fits_a_page(parts: Sequence[SequenceCounts]) -> bool:
    return sum(part.n_plans for part in parts) <= TILES_MAX


def plans_of(of: Episode, sequence: str) -> QuerySet[Plan]:
    """Return the plans of a sequence of an episode; of all where none is named."""
    plans = Plan.objects.filter(sequence__episode=of)
    return plans.filter(sequence__code=sequence) if sequence else plans


def tiles(plans: QuerySet[Plan]) -> list[Tile]:
    """Return plans as tiles, in story order, in six queries."""
    last = PlanRun.objects.filter(plan=OuterRef("pk")).order_by("-pk")
    rows: Any = plans.annotate(
        run_state=Subquery(last.values("state")[:1]),
        run_error=Subquery(last.values("error_message")[:1]),
    ).select_related("sequence", "style")
    found = sorted(rows.order_by(), key=_in_story(rows))
    pictures = _pictures(found)
    shown = [each.id for each in map(shown_of, pictures.values()) if each]
    notes = _Notes(_said(found), findings.findings_of_versions(shown), open_advice(shown))
    return [_tile(plan, pictures.get(plan.pk, []), notes) for plan in found]


@dataclass(frozen=True)
class _Notes:
    """What was noted: said of plans, found in versions, and advised of them, by their ids."""

    said: Mapping[int, CommentSummary]
    flags: Mapping[int, Sequence[Finding]]
    advice: Mapping[int, Review]


def _in_story(plans: Iterable[Plan]) -> Callable[[Plan], tuple[Any, ...]]:
    """Return the key of the story's order: positions, and codes where there are none.

    A sequence stands where its first plan does.
    """
    first: dict[str, int] = {}
    for plan in plans:
        if plan.position is not None:
            code = plan.sequence.code
            first[code] = min(plan.position, first.get(code, plan.position))

    def key(plan: Plan) -> tuple[Any, ...]:
        code, position = plan.sequence.code, plan.position
        return (code not in first, first.get(code, 0), code, position is None, position, plan.code)

    return key


def _pictures(plans: Sequence[Plan]) -> dict[int, list[Picture]]:
    """Return the reviewed versions of each plan, the newest first."""
    rows = Version.objects.reviewed().filter(plan__in=[plan.pk for plan in plans])
    found: dict[int, list[Picture]] = {}
    for row in rows.order_by("-number", "-pk").values_list(*_FIELDS):
        picture = Picture(*row)
        found.setdefault(picture.plan_id, []).append(picture)
    return found


_FIELDS = (
    "plan_id",
    "pk",
    "number",
    "review_state",
    "path",
    "derived",
    "batch__style__code",
    "batch__requested_by_id",
    "created_by_id",
    "published_at",
)


def _said(plans: Sequence[Plan]) -> dict[int, CommentSummary]:
    rows = Review.objects.filter(version__plan__in=[plan.pk for plan in plans]).exclude(comment="")
    n: Counter[int] = Counter()
    retakes: dict[int, str] = {}
    columns = ("version__plan_id", "decision", "comment")
    for plan_id, decision, comment in rows.order_by("pk").values_list(*columns):
        n[plan_id] += 1
        if decision == Decision.RETAKE:
            retakes[plan_id] = comment
    return {
        plan_id: CommentSummary(count, retakes.get(plan_id, "")) for plan_id, count in n.items()
    }


def _tile(plan: Any, pictures: Sequence[Picture], notes: _Notes) -> Tile:
    shown = shown_of(pictures)
    own = plan.style.code if plan.style else None
    return Tile(
        plan_id=plan.pk,
        code=plan.code,
        label=plan.label,
        sequence=plan.sequence.code,
        production_status=plan.production_status,
        run_state=plan.run_state,
        error=plan.run_error or "",
        style=(shown.made_for if shown else None) or own,
        picture=shown,
        n_versions=len(pictures),
        n_open=sum(picture.review_state == ReviewState.TO_REVIEW for picture in pictures),
        newest_id=max((picture.id for picture in pictures), default=0),
        said=notes.said.get(plan.pk, CommentSummary()),
        findings=notes.flags.get(shown.id, ()) if shown else (),
        advice=notes.advice.get(shown.id) if shown else None,
    )


def shown_of(pictures: Sequence[Picture]) -> Picture | None:
    """Return the picture that stands for a plan, of its pictures, the newest first."""
    approved = [picture for picture in pictures if picture.review_state == ReviewState.APPROVED]
    standing = [picture for picture in pictures if picture.review_state in STANDING]
    return next(iter([*approved, *standing, *pictures]), None)


def _fitting(user_id: int | None) -> Mapping[Show, Callable[[Tile], bool]]:
    """Return which plans each filter shows."""
    evening = yesterday_evening()

    def is_mine(tile: Tile) -> bool:
        picture = tile.picture
        return picture is not None and user_id in (picture.requested_by, picture.created_by)

    return {
        Show.ALL: lambda _: True,
        Show.TO_REVIEW: lambda tile: tile.n_open > 0,
        Show.RETAKES: lambda tile: tile.state == ReviewState.RETAKE,
        Show.APPROVED: lambda tile: tile.state == ReviewState.APPROVED,
        Show.NONE: lambda tile: tile.picture is None,
        Show.FAILED: lambda tile: tile.has_failed,
        Show.FLAGGED: lambda tile: bool(tile.findings),
        Show.ADVISED: lambda tile: tile.advice is not None,
        Show.MINE: is_mine,
        Show.RECENT: lambda tile: tile.picture is not None and tile.picture.published_at >= evening,
    }


def yesterday_evening() -> datetime:
    """Return when yesterday's evening began, in the installation's time."""
    yesterday = timezone.localdate() - timedelta(days=1)
    return timezone.make_aware(datetime.combine(yesterday, EVENING))


def vocabulary(of: Project) -> list[str]:
    """Return the words in which a project asks for retakes; none where nobody has set any."""
    found = RetakeReasons.objects.filter(project=of).values_list("reasons", flat=True).first()
    return list(found or [])


def recent_reasons(of: Episode, user_id: int | None) -> list[str]:
    """Return what retakes of an episode were asked for lately, one's own first."""
    retakes = Review.objects.filter(
        decision=Decision.RETAKE, version__plan__sequence__episode=of
    ).exclude(comment="")
    rows = list(retakes.order_by("-pk").values_list("comment", "by_id")[:_REASONS_LOOKED_AT])
    mine = [comment for comment, by in rows if by == user_id]
    return list(dict.fromkeys([*mine, *(comment for comment, _ in rows)]))[:REASONS_MAX]


# What is open, for whoever begins ----------------------------------------------------------------


class Waiting(NamedTuple):
    """An episode with something to review."""

    project: str
    episode: str
    n_plans: int
    newest: datetime


def episodes_to_review() -> list[Waiting]:
    """Return the episodes with something to review, the newest picture first."""
    rows = Version.objects.to_review().order_by().values_list(*_PLACE)
    found = rows.annotate(n_plans=Count("plan", distinct=True), newest=Max("published_at"))
    return [Waiting(*row) for row in found.order_by("-newest")]


_PLACE = ("plan__sequence__episode__project__code", "plan__sequence__episode__code")
