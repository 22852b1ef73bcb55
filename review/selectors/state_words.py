"""What states, decisions and filters are called on pages, papers and in tables."""

from django.utils.translation import gettext_lazy as _

from generation.states import ReviewState
from review.selectors.light_table import Show
from review.states import Decision

NONE = "none"
WORDS = {
    ReviewState.TO_REVIEW: _("to review"),
    ReviewState.APPROVED: _("approved"),
    ReviewState.RETAKE: _("retake"),
    ReviewState.SUPERSEDED: _("superseded"),
    NONE: _("no picture"),
}
#: What was decided, where it is told who did.
DECISIONS = {
    Decision.APPROVE: _("approved"),
    Decision.RETAKE: _("retake"),
    Decision.REOPEN: _("reopened"),
    Decision.UNDO: _("taken back"),
    Decision.COMMENT: _("comment"),
    Decision.ADVISE_APPROVE: _("would approve it"),
    Decision.ADVISE_RETAKE: _("would have it made again"),
}
FILTERS = {
    Show.ALL: _("All"),
    Show.TO_REVIEW: _("To review"),
    Show.RETAKES: _("Retakes"),
    Show.APPROVED: _("Approved"),
    Show.NONE: _("No picture yet"),
    Show.FAILED: _("Failed"),
    Show.FLAGGED: _("Doubtful"),
    Show.ADVISED: _("Advised"),
    Show.MINE: _("Mine"),
    Show.RECENT: _("Since yesterday evening"),
}
