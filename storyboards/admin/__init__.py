"""The supervisors' door to storyboards: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from storyboards.admin import conventions, imports

GROUPS.add(
    (
        "Storyboards",
        (
            ("Storyboards", "view_carousel", "storyboards.storyboardimport"),
            ("Conventions", "rule", "storyboards.convention"),
        ),
    )
)

__all__ = ["conventions", "imports"]
