"""The numbers of versions: the next ones of a plan's task, and where their files lie."""

from django.db.models import Count, Max, Q, QuerySet

from generation.errors import Conflict
from generation.models import Plan, Version
from generation.selectors.prepared_queries import PreparedTuples
from generation.states import VersionState
from nomenclature import paths
from nomenclature.name import FileName
from wording import say

LAST_NUMBER = 9999
_IS_OPEN = Q(state=VersionState.OPEN)


def _numbers(plan_id: int, task: str) -> QuerySet[Version, tuple[int, int]]:
    """Return the last number of a plan's task, and how many were left open."""
    of_task = Version.objects.filter(plan=plan_id, task=task).order_by().values("plan_id")
    n_open = Count("pk", filter=_IS_OPEN)
    return of_task.annotate(last=Max("number"), n_open=n_open).values_list("last", "n_open")


_NUMBERS = PreparedTuples(_numbers)


def take_numbers(plan: Plan, task: str, n_wanted: int) -> list[int]:
    """Return the next numbers of a locked plan: those left open, then what follows the last.

    Raises:
        Conflict: version 9999 is taken.
    """
    last, n_open = next(iter(_NUMBERS.rows(plan.pk, task)), (0, 0))
    numbers: list[int] = []
    if n_open:
        left_open = plan.versions.filter(_IS_OPEN, task=task).order_by("number")
        numbers += left_open.values_list("number", flat=True)[:n_wanted]
        left_open.filter(number__in=numbers).delete()
    first = last + 1
    numbers += range(first, first + n_wanted - len(numbers))
    if numbers[-1] > LAST_NUMBER:
        raise Conflict(
            say(
                "Plan {plan} has version {first} of {task}, and {last} is the last "
                "number there is.",
                plan=plan.code,
                first=first - 1,
                task=task,
                last=LAST_NUMBER,
            ),
            code="versions_exhausted",
        )
    return numbers


def folder_of(plan_id: int, task: str) -> str:
    """Return the folder of a plan's files of a task, relative to the projects root."""
    ((plan, sequence, episode, project),) = _PLACES.rows(plan_id)
    name = FileName(episode, sequence, plan, task, 1, "png")
    return str(paths.path(project, name).parent)


def _places(plan_id: int) -> QuerySet[Plan, tuple[str, str, str, str]]:
    episode = "sequence__episode"
    codes = ("code", "sequence__code", f"{episode}__code", f"{episode}__project__code")
    return Plan.objects.filter(pk=plan_id).values_list(*codes)


#: Asked for every picture.
_PLACES = PreparedTuples(_places)


def path_of(plan: Plan, task: str, number: int, extension: str) -> str:
    """Return the path of a version's file, relative to the projects root."""
    sequence = plan.sequence
    episode = sequence.episode
    name = FileName(episode.code, sequence.code, plan.code, task, number, extension)
    return str(paths.path(episode.project.code, name))
