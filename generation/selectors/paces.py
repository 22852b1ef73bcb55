"""What each server has loaded last, and how long a plan of each workflow takes there."""

from dataclasses import dataclass
from statistics import median

from django.db.models.functions import Coalesce

from generation.models import Attempt
from generation.workflows.definitions import shipped_definitions
from generation.workflows.named_files import EMBEDDINGS, models

#: How many of a server's last attempts are looked at, and how many of one workflow are counted.
LOOKED_AT, COUNTED = 500, 25


@dataclass(frozen=True)
class Pace:
    """How long plans of a workflow took on a server, from when it began with them."""

    workflow: str
    n_plans: int
    median_s: float

    @property
    def per_hour(self) -> float:
        """How many it renders in an hour."""
        return 3600 / self.median_s if self.median_s else 0.0


def loaded(server_id: int) -> list[str]:
    """Return the model files of the prompt that a server took last."""
    taken = Attempt.objects.filter(server=server_id, acknowledged_at__isnull=False)
    graph = taken.order_by("-pk").values_list("graph", flat=True).first() or {}
    files = models(graph, shipped_definitions())
    return sorted({name for class_type, _, name in files if class_type != EMBEDDINGS})


def paces(server_id: int) -> list[Pace]:
    """Return how long plans took lately on a server, by workflow."""
    last = Attempt.objects.filter(server=server_id).order_by("-pk").values("pk")[:LOOKED_AT]
    timed = Attempt.objects.filter(
        pk__in=list(last.values_list("pk", flat=True)), render_s__isnull=False
    )
    times: dict[str, list[float]] = {}
    name = Coalesce("run__own_workflow__name", "run__batch__workflow__name")
    rows = timed.order_by("-pk").values_list(name, "render_s")
    for workflow, render_s in rows:
        if workflow is not None and render_s is not None:
            times.setdefault(workflow, []).append(render_s)
    counted = {workflow: found[:COUNTED] for workflow, found in sorted(times.items())}
    return [Pace(name, len(found), median(found)) for name, found in counted.items()]
