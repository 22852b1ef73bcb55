"""The light table over HTTP: the page, and what its script fetches. Decisions go to the API."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from generation.errors import NotFound
from generation.models import Episode, Plan, Version
from generation.services import permissions, recipe_lookup
from generation.state_words import source_in_words
from review.pages import presentation
from review.selectors import light_table as tables
from review.selectors import plan_details
from review.selectors.light_table import Show, TableQuery
from review.services import decisions, links
from review.states import Decision

View = Callable[..., HttpResponse]
#: So many tiles are fetched anew at once.
FETCHED_MAX = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def _page(view: View) -> View:
    """Only for who is signed in, only to look at, of an episode that there is; never kept."""

    @require_safe
    @login_required
    @wraps(view)
    def checked(request: HttpRequest, project_id: str, episode: str, **more: Any) -> HttpResponse:
        try:
            response = view(request, tables.episode(project_id, episode), **more)
        except NotFound as error:
            raise Http404(error.detail) from error
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return checked


@_page
def table(request: HttpRequest, of: Episode) -> HttpResponse:
    """The page."""
    found = tables.table(of, _asked(request))
    place = [of.project.code, of.code]
    groups = [
        (code, [presentation.shown_tile(tile) for tile in tiles]) for code, tiles in found.groups
    ]
    context = {
        "table": found,
        "show": _show(request),
        "style": request.GET.get("style", ""),
        "filters": [
            (show.value, words, found.counts[show.value])
            for show, words in presentation.FILTERS.items()
        ],
        "groups": groups,
        "first_url": presentation.first_url([tile for _, tiles in groups for tile in tiles]),
        "may_decide": _may(request, decisions.DECIDE),
        "may_comment": _may(request, decisions.COMMENT),
        "may_share": _may(request, links.SHARE),
        "link_limits": links.LIMITS,
        "links_url": f"{reverse('review-links')}?episode_id={of.pk}",
        "words": presentation.script_sentences()
        | {"reasons": list(found.reasons), "vocabulary": list(found.vocabulary)},
        "scope": f"{of.pk}.{request.user.pk}",
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "reviews_url": reverse("reviews"),
        "states_url": reverse("review-states", args=place),
        "n_retakes": found.counts[Show.RETAKES.value],
        "retakes_url": f"{reverse('retakes')}?episode_id={of.pk}",
        "events_url": f"{reverse('events')}?episode_id={of.pk}",
        "tiles_url": reverse("review-tiles", args=place),
        "plan_url": reverse("review-plan", args=[*place, 0]),
        "exports": presentation.export_links(of, found.sequence, _asked(request)),
    }
    if settings.CSRF_COOKIE_NAME not in request.COOKIES:
        # Whoever signs in has it. The page itself never holds it, and so can be compressed.
        get_token(request)
    return render(request, "review/table.html", context)


@_page
def states(request: HttpRequest, of: Episode) -> HttpResponse:
    """How things are now, by plan: what the page asks every few seconds. 304 when it knows."""
    rows = [
        [
            tile.plan_id,
            tile.picture.id if tile.picture else None,
            tile.state,
            tile.newest_id,
            tile.n_open,
            tile.said.n,
            tile.advice.pk if tile.advice else None,
            tile.run_state if tile.in_render or tile.has_failed else None,
        ]
        for tile in tables.tiles(tables.plans_of(of, request.GET.get("sequence", "")))
    ]
    answer = JsonResponse({"plans": rows})
    answer["ETag"] = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=answer["ETag"], response=answer) or answer


@_page
def tiles(request: HttpRequest, of: Episode) -> HttpResponse:
    """Some tiles anew, as HTML."""
    wanted = request.GET.get("plans", "").split(",")[:FETCHED_MAX]
    ids = [number for number in map(_number, wanted) if number]
    plans = Plan.objects.filter(sequence__episode=of, pk__in=ids)
    shown = [presentation.shown_tile(tile) for tile in tables.tiles(plans)]
    return render(request, "review/tiles.html", {"tiles": shown})


@_page
def plan(request: HttpRequest, of: Episode, plan_id: int) -> HttpResponse:
    """What is known of a plan, and of the version that is looked at, as HTML."""
    found = plan_details.details(of, plan_id, _number(request.GET.get("version", "")))
    context = {
        "found": found,
        "versions": [presentation.shown_version(version) for version in found.versions],
        "shown": presentation.shown_version(found.shown) if found.shown else None,
        "panel": presentation.shown_version(found.panel) if found.panel else None,
        "reviews": [
            (review, presentation.DECISIONS[Decision(review.decision)]) for review in found.reviews
        ],
        "advice": presentation.shown_advice(found.advice),
        "may_decide": _may(request, decisions.DECIDE),
        **_recipe(found.shown),
    }
    return render(request, "review/plan.html", context)


def _recipe(version: Version | None) -> dict[str, Any]:
    """Return what made a version, where a prompt did: its seed, its values and whose each is."""
    if version is None or version.attempt_id is None:
        return {}
    recipe = recipe_lookup.read(version.pk)
    values = [
        (name, told["value"], source_in_words(told["source"]))
        for name, told in recipe["parameters"].items()
    ]
    return {"seed": recipe["seed"], "values": values}


def _may(request: HttpRequest, permission: str) -> bool:
    return permissions.may(cast(User, request.user), permission)


def _asked(request: HttpRequest) -> TableQuery:
    return TableQuery(
        user_id=request.user.pk,
        sequence=request.GET.get("sequence", ""),
        show=_show(request),
        style=request.GET.get("style", ""),
        page=_number(request.GET.get("page", "")) or 1,
    )


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _show(request: HttpRequest) -> Show:
    try:
        return Show(request.GET.get("show", Show.ALL))
    except ValueError:
        return Show.ALL
