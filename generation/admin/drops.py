"""Places of a page that files are dropped on: panels of a sequence, the image of one plan.

The page's script sends one file after another and says what became of each; without it the form
sends them together.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from generation.admin.actions import counted
from generation.admin.detail_pages import DropPlace
from generation.errors import Busy, MadseaError
from generation.models import Plan, PlanRun, Sequence, Version
from generation.selectors import admin_overviews
from generation.services import outside_images, panel_matching, permissions, plan_runs
from generation.states import RunState
from wording import say

if TYPE_CHECKING:
    _File = UploadedFile[Any]
else:
    _File = UploadedFile

#: What the script sends, to be told of one file alone.
HEADER = "X-Madsea-Drop"
#: Takes one file of a request, for a row; the last is its place among those that come together.
Take = Callable[[HttpRequest, Any, _File, int], Version]


def sequence_drop(sequence: Sequence) -> DropPlace:
    """Where panels of a sequence are dropped."""
    return DropPlace(
        reverse("admin:generation_sequence_panels", args=[sequence.pk]),
        say("Panels: drop images here, or choose them"),
        say(
            "PNG, JPEG or WebP. By name: E202_SQ0010-0010_extracted-raw.png, or "
            "0010.png. In order: the first image is the first plan's, and so on; "
            "images beyond the last plan make new plans."
        ),
        is_many=True,
    )


def panel_of(plan: Plan) -> DropPlace:
    """Where the panel of one plan is dropped."""
    return DropPlace(
        reverse("admin:generation_plan_panel", args=[plan.pk]),
        say("Its panel: drop an image here, or choose one"),
        say("PNG, JPEG or WebP. It becomes the next version of its panel."),
    )


def image_of(run: PlanRun) -> DropPlace:
    """Where an artist's image is dropped, of a plan that waits for one."""
    return DropPlace(
        reverse("admin:generation_planrun_upload", args=[run.pk]),
        say("It waits for an artist: drop the finished image here, or choose it"),
        say("PNG, JPEG or WebP. It becomes the plan's next version, and the plan is done."),
    )


def sequence_urls(admin: Any) -> list[URLPattern]:
    return [_url(admin, "panels", _panel_of_sequence)]


def plan_urls(admin: Any) -> list[URLPattern]:
    return [_url(admin, "panel", _panel_of_plan)]


def run_urls(admin: Any) -> list[URLPattern]:
    return [_url(admin, "upload", _upload)]


def waiting_run(plan: Any) -> PlanRun | None:
    """Return the run of a plan that waits for an artist's image, the newest of several."""
    waiting = admin_overviews.runs().filter(plan=plan, state=RunState.WAITING)
    return waiting.order_by("-pk").first()


def _url(admin: Any, name: str, take: Take) -> URLPattern:
    view = admin.admin_site.admin_view(require_POST(partial(_view, admin, take)))
    full_name = f"{admin.opts.app_label}_{admin.opts.model_name}_{name}"
    pattern: URLPattern = path(f"<path:object_id>/{name}/", view, name=full_name)
    return pattern


def may_give(request: HttpRequest) -> bool:
    """Tell whether somebody may give images: artists may, who change nothing else here."""
    return permissions.may(cast(User, request.user), permissions.UPLOAD)


def _view(admin: Any, take: Take, request: HttpRequest, object_id: str) -> HttpResponse:
    row = admin.get_object(request, unquote(object_id))
    if row is None or not may_give(request):
        raise PermissionDenied
    files = sorted(request.FILES.getlist("file"), key=lambda file: _natural(file.name))
    first = _first(request)
    told = [_take(take, request, row, file, first + at) for at, file in enumerate(files)]
    if HEADER in request.headers:
        return JsonResponse(
            {
                "said": [outcome.words for outcome in told],
                "ok": all(outcome.is_taken for outcome in told),
                "again": any(outcome.passes for outcome in told),
            }
        )
    _tell(request, told)
    return HttpResponseRedirect(admin.back(request))


@dataclass(frozen=True)
class _Told:
    """What became of a file, and the words for it; what `passes` may be sent again."""

    is_taken: bool
    words: str
    passes: bool = False


def _take(take: Take, request: HttpRequest, row: Any, file: _File, order: int) -> _Told:
    """Take one file, and return what became of it."""
    try:
        version = take(request, row, file, order)
    except MadseaError as error:
        return _Told(False, f"{file.name}: {error.detail}", isinstance(error, Busy))
    return _Told(True, str(version))


def _tell(request: HttpRequest, told: list[_Told]) -> None:
    n_taken = sum(outcome.is_taken for outcome in told)
    if not told:
        messages.error(request, say("Nothing was sent: choose a file, or drop one."))
    if n_taken:
        messages.success(
            request,
            say("{n_taken} published.", n_taken=counted(n_taken, (say("image"), say("images")))),
        )
    for outcome in told:
        if not outcome.is_taken:
            messages.error(request, outcome.words)


def _first(request: HttpRequest) -> int:
    """Return the place of the first file of a request among those that come together."""
    given = request.POST.get("at", "")
    return int(given) if re.fullmatch(r"[0-9]{1,4}", given) else 0


def _natural(name: str | None) -> list[tuple[int, str]]:
    pieces = re.split(r"([0-9]+)", (name or "").lower())
    return [(int(piece), "") if index % 2 else (-1, piece) for index, piece in enumerate(pieces)]


def _panel_of_sequence(
    request: HttpRequest, sequence: Sequence, file: _File, order: int
) -> Version:
    in_order = request.POST.get("placed") == "order"
    return panel_matching.take(
        sequence,
        file.read(),
        filename=file.name or "",
        order=order if in_order else None,
        actor=_actor(request),
    )


def _panel_of_plan(request: HttpRequest, plan: Plan, file: _File, _order: int) -> Version:
    return outside_images.import_panel(
        plan, file.read(), filename=file.name or "", actor=_actor(request)
    )


def _upload(request: HttpRequest, run: PlanRun, file: _File, _order: int) -> Version:
    return plan_runs.upload(run, file.read(), filename=file.name or "", actor=_actor(request))


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)
