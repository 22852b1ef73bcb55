"""The supervisors' door to the review: every page, registered when this is imported."""

from generation.admin.navigation import GROUPS
from review.admin import light_table_links, links, reasons, reviews
from wording import say

GROUPS.add(
    (
        say("Review"),
        (
            (say("To review"), "rule", "review.review:tables"),
            (say("Since yesterday evening"), "wb_twilight", "review.review:summary"),
            (say("Decisions"), "gavel", "review.review"),
            (say("Decisions from a table"), "table_view", "review.review:read_table"),
            (say("Links for guests"), "link", "review.reviewlink"),
            (say("Reasons for retakes"), "list_alt", "review.retakereasons"),
        ),
    )
)

__all__ = ["light_table_links", "links", "reasons", "reviews"]
