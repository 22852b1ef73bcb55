"""The supervisors' door to storyboards: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from storyboards.admin import conventions, imports
from wording import say

GROUPS.add(
    (
        say("Storyboards"),
        (
            (say("Storyboards"), "view_carousel", "storyboards.storyboardimport"),
            (say("Conventions"), "rule", "storyboards.convention"),
        ),
    )
)

__all__ = ["conventions", "imports"]
