"""What the page of a version shows of its recipe, and how it differs from the plan's first."""

from typing import Any

from django.utils.html import format_html

from generation.admin import html
from generation.admin.detail_pages import Cell, Table
from generation.models import Version
from generation.selectors.recipes import Recipe, differences
from generation.services import recipe_lookup
from wording import say

FIRST = "v0001"


def facts(version: Version, recipe: Recipe) -> list[tuple[str, Cell]]:
    """Return what is told of a version's making in a word each; nothing if no prompt made it."""
    workflow = recipe["workflow"]
    if workflow is None:
        return []
    panel = version.attempt.panel if version.attempt else None
    return [
        (say("Workflow"), f"{workflow['workflow_json']} ({workflow['sha256'][:8]})"),
        (say("Seed"), _seed(recipe)),
        (say("Panel"), html.link_to(panel)),
        (say("Models"), ", ".join(recipe["models"]) or "–"),
        (
            say("Server"),
            say(
                "{server}, ComfyUI {comfyui_version}",
                server=recipe["server"],
                comfyui_version=recipe["comfyui_version"] or "unknown",
            ),
        ),
        (say("Picture"), say("{image} of its prompt", image=version.image)),
        (say("Follows"), html.link_to(version.batch.rerun_of if version.batch else None)),
    ]


def _seed(recipe: Recipe) -> Cell:
    if recipe["seed"] is None:
        return say("none: the picture depends on none")
    return format_html("{} ({})", html.code(recipe["seed"]), recipe["seed_source"])


def tables(version: Version, recipe: Recipe) -> list[Table]:
    """Return the parameters of a version, and what differs from the plan's first."""
    if recipe["workflow"] is None:
        return []
    rows = [
        (name, _shown(told["value"]), told["source"]) for name, told in recipe["parameters"].items()
    ]
    return [
        Table(say("Parameters"), (say("Parameter"), say("Value"), say("Source")), rows),
        *_since_first(version, recipe),
    ]


def _since_first(version: Version, recipe: Recipe) -> list[Table]:
    first = version.plan.versions.published().filter(task=version.task, number=1).first()
    if first is None or first.pk == version.pk:
        return []
    differing = differences(recipe_lookup.read(first.pk), recipe)
    rows = [
        (difference.what, _shown(difference.first), _shown(difference.second))
        for difference in differing
    ]
    empty = say("Nothing: it was made as {first} was.", first=FIRST)
    return [
        Table(
            say("What differs from {first}", first=FIRST),
            ("", FIRST, say("This version")),
            rows,
            empty=empty,
        )
    ]


def _shown(value: Any) -> Cell:
    return html.NOTHING if value is None else html.shortened(str(value))
