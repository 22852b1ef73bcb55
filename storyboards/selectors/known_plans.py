"""The plans that an episode has already, as a new storyboard of it is held against them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from generation.models import Plan, PlanRun, Version
from generation.states import PlanStatus


@dataclass(frozen=True)
class KnownPlan:
    """A plan of the episode; what no storyboard has said of it is empty or None."""

    plan_id: int
    sequence_id: str
    plan: str
    uid: str
    label: str
    dialogue: str
    action: str
    notes: str
    position: int | None
    style: str
    panel_sha256: str
    is_omitted: bool
    is_in_render: bool  #: a run of it is queued, waits or runs
    is_approved: bool = False  #: a version of it is approved: nothing new is made of it

    @property
    def is_of_storyboard(self) -> bool:
        """Whether a storyboard has told of it."""
        return bool(self.uid or self.label or self.position)


def of_episode(project_code: str, episode_code: str) -> list[KnownPlan]:
    """Return the plans of an episode in their order: by position, then by sequence and number."""
    panels = Version.objects.panels().filter(plan=OuterRef("pk"))
    rows = (
        Plan.objects.filter(
            sequence__episode__project__code=project_code, sequence__episode__code=episode_code
        )
        .annotate(
            panel_sha256=Subquery(panels.values("sha256")[:1]),
            is_approved=Exists(Plan.objects.locked().filter(pk=OuterRef("pk"))),
            is_in_render=Exists(PlanRun.objects.unfinished().filter(plan=OuterRef("pk"))),
        )
        .select_related("sequence", "style")
    )
    known = [_known(row) for row in rows]
    return sorted(known, key=_order)


def _known(row: Any) -> KnownPlan:
    return KnownPlan(
        plan_id=row.pk,
        sequence_id=row.sequence.code,
        plan=row.code,
        uid=row.storyboard_uid,
        label=row.label,
        dialogue=row.dialogue,
        action=row.action,
        notes=row.notes,
        position=row.position,
        style=row.style.code if row.style else "",
        panel_sha256=row.panel_sha256 or "",
        is_omitted=row.production_status == PlanStatus.OMITTED,
        is_in_render=row.is_in_render,
        is_approved=row.is_approved,
    )


def _order(known: KnownPlan) -> tuple[bool, int, str, str]:
    return known.position is None, known.position or 0, known.sequence_id, known.plan
