"""What surrounds every page: the icon, the style sheet and the sidebar."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from generation.extension_points import Registry
from wording import say

#: Title, icon, and the model that is listed, or its page of that name (none: the home page).
Link = tuple[str, str, str]
#: A title, and the links below it.
Group = tuple[str, tuple[Link, ...]]
_WORK: tuple[Group, ...] = (
    ("", ((say("Overview"), "space_dashboard", ""),)),
    (
        say("Generation"),
        (
            (say("Batches"), "stacks", "generation.batch"),
            (say("Queue"), "low_priority", "generation.planrun:queue"),
            (say("Plan runs"), "movie_filter", "generation.planrun"),
            (say("Log"), "receipt_long", "generation.logentry"),
        ),
    ),
    (
        say("Production"),
        (
            (say("Projects"), "folder_open", "generation.project"),
            (say("Episodes"), "tv", "generation.episode"),
            (say("Sequences"), "view_column", "generation.sequence"),
            (say("Plans"), "crop_original", "generation.plan"),
            (say("Versions"), "photo_library", "generation.version"),
        ),
    ),
)
#: The groups that apps above the engine add, between the work and its means.
GROUPS: Registry[Group] = Registry()
_MEANS: tuple[Group, ...] = (
    (
        say("Machines"),
        (
            (say("Servers"), "dns", "generation.server"),
            (say("Styles"), "palette", "generation.style"),
            (say("Workflows"), "account_tree", "generation.namedworkflow"),
            (say("Frozen workflows"), "ac_unit", "generation.workflow"),
        ),
    ),
    (
        say("Access"),
        (
            (say("Acts"), "history", "generation.act"),
            (say("Users"), "person", "auth.user"),
            (say("Groups"), "group", "auth.group"),
            (say("API tokens"), "key", "authtoken.tokenproxy"),
        ),
    ),
)
_GUIDES = ((say("Guide to the API"), "menu_book", "guide"), (say("Reference"), "api", "docs"))
_QUEUE: tuple[Link, ...] = (
    (say("Done"), "task_alt", "django_q.success"),
    (say("Failed"), "error", "django_q.failure"),
    (say("Schedules"), "schedule", "django_q.schedule"),
)


def icon(_request: HttpRequest) -> str:
    return static("generation/icon.svg")


def stylesheet(_request: HttpRequest) -> str:
    return static("generation/admin.css")


def events_script(_request: HttpRequest) -> str:
    return static("generation/events.js")


def live_script(_request: HttpRequest) -> str:
    return static("generation/live.js")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of links, of which a user sees those that lead somewhere for him."""
    shown = [_group(request, title, links) for title, links in (*_WORK, *GROUPS, *_MEANS)]
    if request.user.is_superuser:
        shown.append(_group(request, say("Background tasks"), _QUEUE) | {"collapsible": True})
    shown.append(_guides())
    _mark_here(request, [entry for group in shown for entry in group["items"]])
    return shown


def _guides() -> dict[str, Any]:
    links = [
        {"title": title, "icon": icon_name, "link": reverse(name)}
        for title, icon_name, name in _GUIDES
    ]
    return {"title": say("Frontends"), "separator": True, "items": links}


def _mark_here(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """Mark the link whose address is the longest beginning of the page's: one at the most."""
    home = reverse("admin:index")
    fits = [
        entry["link"]
        for entry in items
        if request.path == entry["link"]
        or (entry["link"] != home and request.path.startswith(entry["link"]))
    ]
    for entry in items:
        entry["active"] = bool(fits) and entry["link"] == max(fits, key=len)


def _group(request: HttpRequest, title: str, links: tuple[Link, ...]) -> dict[str, Any]:
    return {
        "title": title,
        "separator": bool(title),
        "items": [
            _item(name, icon_name, model)
            for name, icon_name, model in links
            if _may_view(request, model)
        ],
    }


def _item(title: str, icon_name: str, model: str) -> dict[str, Any]:
    name, _, page = model.partition(":")
    view = f"{name.replace('.', '_')}_{page or 'changelist'}" if model else "index"
    return {"title": title, "icon": icon_name, "link": reverse(f"admin:{view}")}


def _may_view(request: HttpRequest, model: str) -> bool:
    if not model:
        return True
    app, _, name = model.partition(":")[0].partition(".")
    user = request.user
    # A proxy model has permissions of its own name.
    return any(user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))
