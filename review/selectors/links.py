"""Links for guests as the studio reads them, and what a link shows to who has it."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.db.models import QuerySet
from django.utils import timezone

from generation.errors import NotFound
from generation.models import Plan, Version
from review.models import LinkedVersion, Review, ReviewLink
from review.states import ADVICE, Decision
from wording import say


class LinkDocument(TypedDict):
    """A link, without its token: that is shown once. `state`: `open`, `expired` or `revoked`.

    `sequence_id` is None for a link of a whole episode, or of versions that were chosen one by one.
    """

    id: int
    label: str
    project_id: str
    episode_id: int
    episode: str
    sequence_id: str | None
    versions: list[int]
    may_decide: bool
    may_download: bool
    has_password: bool
    guests: list[str]
    state: str
    made_by: str | None
    made_at: str
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None


def listed() -> QuerySet[ReviewLink]:
    """Return all links, the newest first, with what their documents tell."""
    rows = ReviewLink.objects.select_related("episode__project", "sequence", "made_by")
    return rows.prefetch_related("linked").order_by("-pk")


def link_of_id(link_id: int) -> ReviewLink:
    """Return a link.

    Raises:
        NotFound: there is none.
    """
    link = listed().filter(pk=link_id).first()
    if link is None:
        raise NotFound(say("There is no link {id}.", id=link_id), code="unknown_link")
    return link


def document(link: ReviewLink) -> LinkDocument:
    """Return a link of `listed`."""
    return {
        "id": link.pk,
        "label": link.label,
        "project_id": link.episode.project.code,
        "episode_id": link.episode_id,
        "episode": link.episode.code,
        "sequence_id": link.sequence.code if link.sequence else None,
        "versions": [linked.version_id for linked in link.linked.all()],
        "may_decide": link.may_decide,
        "may_download": link.may_download,
        "has_password": bool(link.password),
        "guests": list(link.guests),
        "state": link.state,
        "made_by": link.made_by.get_username() if link.made_by else None,
        "made_at": link.made_at.isoformat(),
        "expires_at": link.expires_at.isoformat(),
        "revoked_at": link.revoked_at.isoformat() if link.revoked_at else None,
        "last_used_at": link.last_used_at.isoformat() if link.last_used_at else None,
    }


# For who has it ----------------------------------------------------------------------------------


def hash_of(token: str) -> str:
    """Return what is kept of a token. Its 32 random bytes need no salt, and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def of_token(token: str) -> ReviewLink | None:
    """Return the link that a token opens; None: it is unknown, expired or revoked.

    All three take the same one query.
    """
    wanted = hash_of(token)
    link = ReviewLink.objects.valid(timezone.now()).filter(token_hash=wanted).first()
    if link is None or not hmac.compare_digest(link.token_hash, wanted):
        return None
    return link


def valid_link(link_id: int) -> ReviewLink | None:
    """Return a link that leads somewhere at this moment, by its id."""
    rows = ReviewLink.objects.valid(timezone.now()).filter(pk=link_id)
    return rows.select_related("episode__project", "sequence").first()


@dataclass(frozen=True)
class Card:
    """What a guest sees of a version: the picture, its panel and plan, what guests have said.

    `judged` is the newest judgement that was given by this link, if it still means something.
    """

    version: Version
    plan: Plan
    panel: Version | None
    said: Sequence[Review]
    judged: Review | None

    @property
    def judgement(self) -> str:
        """What was judged by this link: `approve`, `retake`, or nothing."""
        if self.judged is None:
            return ""
        decision = Decision(self.judged.decision)
        return ADVICE.get(decision, decision).value


def cards(link: ReviewLink) -> list[Card]:
    """Return all that a link shows, in the order of the story, in two queries."""
    return _cards(link, _linked(link))


def card(link: ReviewLink, version_id: int) -> Card:
    """Return one version of those that a link shows.

    Raises:
        NotFound: it shows no such version.
    """
    found = _cards(link, _linked(link).filter(version=version_id))
    if not found:
        raise NotFound(say("This link shows no such picture."), code="unknown_version")
    return found[0]


def shown_version(link: ReviewLink, version_id: int) -> Version:
    """Return a version that a link shows, or the panel of one.

    Raises:
        NotFound: it shows no such picture.
    """
    ids = LinkedVersion.objects.filter(link=link).values_list("version_id", "panel_id")
    if version_id not in {pk for pair in ids for pk in pair}:
        raise NotFound(say("This link shows no such picture."), code="unknown_version")
    return Version.objects.published().select_related("plan").get(pk=version_id)


def _linked(link: ReviewLink) -> QuerySet[LinkedVersion]:
    related = ("version__plan__sequence", "panel")
    rows = LinkedVersion.objects.filter(link=link, version__in=Version.objects.published())
    return rows.select_related(*related).order_by("pk")


def _cards(link: ReviewLink, rows: QuerySet[LinkedVersion]) -> list[Card]:
    linked = list(rows)
    said = Review.objects.filter(link=link.key, version__in=[each.version_id for each in linked])
    by_version: dict[int, list[Review]] = {}
    for review in said.select_related("by", "undone_by").order_by("pk"):
        by_version.setdefault(review.version_id, []).append(review)
    return [_card(each, by_version.get(each.version_id, [])) for each in linked]


def _card(linked: LinkedVersion, said: Sequence[Review]) -> Card:
    kinds = (Decision.APPROVE, Decision.RETAKE, *ADVICE)
    judged = [each for each in said if each.decision in kinds and not hasattr(each, "undone_by")]
    version = linked.version
    return Card(version, version.plan, linked.panel, said, judged[-1] if judged else None)
