"""The rows of the storyboards: what came in, its boards as a draft, and how a project numbers."""

from storyboards.models.convention import Convention
from storyboards.models.draft_board import DraftBoard
from storyboards.models.storyboard_import import StoryboardImport

__all__ = ["Convention", "DraftBoard", "StoryboardImport"]
