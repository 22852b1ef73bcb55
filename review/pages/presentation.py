"""How the light table shows things: words and signs of states, addresses of pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from generation import signed_urls
from generation.models import Episode, Version
from generation.selectors import findings
from generation.states import ReviewState
from review.models import Review, ReviewLink
from review.selectors.light_table import Picture, TableQuery, Tile
from review.selectors.links import Card
from review.selectors.state_words import DECISIONS, FILTERS, NONE, WORDS
from review.states import ADVICE, TO, Decision

__all__ = ["DECISIONS", "FILTERS", "WORDS"]

#: The widths that are shown: in the grid, and large. Both are made when a version is published.
SMALL_PX, LARGE_PX = 320, 1280
#: Beside its colour each state has a sign, for whoever does not tell colours apart.
SIGNS = {
    ReviewState.TO_REVIEW: "●",
    ReviewState.APPROVED: "✓",
    ReviewState.RETAKE: "↻",
    ReviewState.SUPERSEDED: "–",
    NONE: "∅",
}


@dataclass(frozen=True)
class ShownTile:
    """A tile with its words and its pictures' addresses; empty where it has none."""

    tile: Tile
    sign: str
    word: str
    small_url: str = ""
    large_url: str = ""

    @property
    def name(self) -> str:
        """What is said of it aloud."""
        version = f" v{self.tile.picture.number:04d}" if self.tile.picture else ""
        more = [*self.doubts, *([self.advice.sentence] if self.advice else [])]
        return ", ".join([f"{self.tile.code}{version}", self.word, *more])

    @property
    def advice(self) -> "ShownAdvice | None":
        """What somebody advised who may not decide, while nobody has."""
        return shown_advice(self.tile.advice)

    @property
    def doubts(self) -> list[str]:
        """What the checks have found in its picture, in words."""
        return [finding["detail"] for finding in self.tile.findings]


@dataclass(frozen=True)
class ShownAdvice:
    """Advice in words; `decision` is what it becomes when it is taken over."""

    review: Review
    decision: str
    sign: str
    word: str

    @property
    def sentence(self) -> str:
        """Who advises what."""
        said = f": {self.review.comment}" if self.review.comment else ""
        return f"{self.review.author} {self.word}{said}"


def shown_advice(review: Review | None) -> ShownAdvice | None:
    """Return advice as it is shown, if there is any."""
    if review is None:
        return None
    given = Decision(review.decision)
    becomes = ADVICE[given]
    return ShownAdvice(review, becomes.value, SIGNS[TO[becomes]], str(DECISIONS[given]))


def shown_tile(tile: Tile) -> ShownTile:
    """Return a tile as it is shown."""
    sign, word = SIGNS[tile.state], str(WORDS[tile.state])
    if tile.picture is None:
        return ShownTile(tile, sign, word)
    return ShownTile(tile, sign, word, *(_url(tile.picture, px) for px in (SMALL_PX, LARGE_PX)))


def first_url(tiles: Sequence[ShownTile]) -> str:
    """Return the address of the large picture that is looked at first; empty where there is none.

    It is the one that the script chooses: of the first plan to review, else of the first.
    """
    open_ = [tile for tile in tiles if tile.tile.state == ReviewState.TO_REVIEW]
    return next((tile.large_url for tile in [*open_, *tiles]), "")


def _url(picture: Picture, width_px: int) -> str:
    return signed_urls.signed_url(picture.id, picture.filename, width_px=width_px)


@dataclass(frozen=True)
class ShownVersion:
    """A version of the strip, or a panel, with its pictures' addresses; `file_url` is the whole."""

    version: Version
    small_url: str
    large_url: str
    file_url: str
    sign: str = ""
    word: str = ""

    @property
    def doubts(self) -> list[str]:
        """What the checks have found in it, in words."""
        return [finding["detail"] for finding in findings.findings_of(self.version) or []]


def shown_version(of: Version) -> ShownVersion:
    """Return a version as it is shown."""
    small, large, whole = (
        signed_urls.signed_url(of.pk, str(of), width_px=px) for px in (SMALL_PX, LARGE_PX, None)
    )
    if not of.review_state:
        return ShownVersion(of, small, large, whole)
    return ShownVersion(
        of, small, large, whole, SIGNS[of.review_state], str(WORDS[of.review_state])
    )


@dataclass(frozen=True)
class ShownCard:
    """What a guest sees of a version, with addresses that end with the link."""

    card: Card
    large_url: str
    panel_url: str
    file_url: str
    sign: str
    word: str
    judgement: str

    @property
    def is_open(self) -> bool:
        """Whether it is still to be judged."""
        return self.card.version.review_state == ReviewState.TO_REVIEW


def guest_card(link: ReviewLink, card: Card) -> ShownCard:
    """Return a version as a guest of a link sees it."""
    version = card.version

    def picture(of: Version) -> str:
        return reverse("guest-picture", args=[link.pk, of.pk, LARGE_PX])

    return ShownCard(
        card=card,
        large_url=picture(version),
        panel_url=picture(card.panel) if card.panel else "",
        file_url=reverse("guest-file", args=[link.pk, version.pk, str(version)])
        if link.may_download
        else "",
        sign=SIGNS[version.review_state],
        word=str(WORDS[version.review_state]),
        judgement=card.judgement,
    )


#: What may be taken away: in words, where, and with which other parameters.
_EXPORTS: Sequence[tuple[object, str, dict[str, str]]] = (
    (_("Pictures (zip)"), "export-zip", {}),
    (_("Contact sheet, 20 a page (PDF)"), "export-sheet", {"per_page": "20"}),
    (_("Contact sheet, 6 a page (PDF)"), "export-sheet", {"per_page": "6"}),
    (_("Decisions (CSV)"), "export-csv", {}),
)


def export_links(of: Episode, sequence: str, asked: TableQuery) -> list[tuple[object, str]]:
    """Return what may be taken away of all that a filter shows, and where."""
    chosen = {"sequence_id": sequence, "show": asked.show.value, "style": asked.style}
    scope = {name: value for name, value in chosen.items() if value} | {"episode_id": str(of.pk)}
    return [
        (words, f"{reverse(name)}?{urlencode({**scope, **more})}") for words, name, more in _EXPORTS
    ]


_SCRIPT_SENTENCES: Mapping[str, object] = {
    "now": _("{plan}: {state}."),
    "nothing_left": _("Nothing more is to review here."),
    "confirm_approve": _("Approve {n} pictures?"),
    "confirm_retake": _("Ask for {n} retakes, all with the same words?"),
    "confirm_undo": _("Take back {n} decisions?"),
    "confirm_comment": _("Say the same about {n} pictures?"),
    "left_out": _("{n} left out: their state does not allow it."),
    "is_approved": _("It is approved already. U takes that back."),
    "is_superseded": _("Another version of the plan took its place."),
    "no_picture": _("There is no picture to decide on yet."),
    "no_words": _("No retake was asked for yet: press R and say what is to be better."),
    "nothing_to_undo": _("There is nothing of yours to take back."),
    "retake": _("Retake: what is to be better?"),
    "comment": _("Comment"),
    "why": _("Why do you take it back?"),
    "selected": _("{n} selected"),
    "unsent": _("Decisions not sent yet: {n}. They are kept on this computer."),
    "signed_out": _("You are signed out: sign in in another tab, and they are sent."),
    "refused": _("{plan}: {detail}"),
    "again": _("Send again"),
    "drop": _("Drop it"),
    "news": _("New versions: {n}. Show them"),
    "gone_wrong": _("It could not be read: {detail}"),
    "pending": _("The picture is being made …"),
    "undone": _("Taken back."),
    "pin": _("Click on the picture to say where."),
    "board": _("Board"),
    "reading": _("Reading …"),
    "no_retakes": _("Nothing is to be made again."),
    "in_render": _("It is being made again."),
    "not_rendered": _("No batch made it: ask for its plan on the page Generate."),
    "look_below": _("Nothing was started: see below what is wrong."),
    "start": _("Make {n} again"),
    "link_shown": _("It shows the {n} pictures that the table shows now."),
    "link_selected": _("It shows the {n} pictures that are selected."),
    "link_unnamed": _("Link {id}"),
    "link_pictures": _("pictures: {n}"),
    "link_decides": _("decides"),
    "link_advises": _("advises"),
    "link_downloads": _("downloads"),
    "link_password": _("password"),
    "link_open": _("until {day}"),
    "link_expired": _("expired on {day}"),
    "link_revoked": _("revoked"),
    "link_guests": _("Used by {names}, last on {day}"),
    "link_unused": _("Nobody has used it yet."),
    "link_revoke": _("Revoke “{name}”? Its page and its pictures end at once."),
    "link_copied": _("Copied."),
    "no_advice": _("Nobody has advised anything here that is still open."),
    "confirm_follow": _("Take over the advice on {n} pictures?"),
    "started": _("Retakes asked for: {n}; batches: {batches}."),
}


def script_sentences() -> dict[str, object]:
    """Return the sentences that the page's script says, in the language of who reads it."""
    told = {name: str(sentence) for name, sentence in _SCRIPT_SENTENCES.items()}
    states = {state: str(word) for state, word in WORDS.items()}
    return {"signs": SIGNS, "states": states, **told}
