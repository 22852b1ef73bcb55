"""The supervisors' door to the review: every page, registered when this is imported."""

from generation.admin import act_words
from generation.admin.navigation import GROUPS
from review.admin import light_table_links, links, reasons, reviews
from wording import say

act_words.WORDS.add(
    {
        "approve": say("approved"),
        "retake": say("retake asked for"),
        "reopen": say("reopened"),
        "undo": say("undone"),
        "comment": say("comment"),
        "advise_approve": say("advice: approve"),
        "advise_retake": say("advice: retake"),
        "make_again": say("retakes started"),
        "share": say("link given"),
        "revoke": say("link revoked"),
        "reviewlink": say("link for guests"),
        "pictures": say("pictures"),
        "may_decide": say("guests decide"),
        "may_download": say("guests download"),
        "review_state": say("review"),
        "table": say("the light table"),
        "link": say("a guest's link"),
        "command": say("a command"),
        "file": say("a table that was read in"),
    }
)
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
