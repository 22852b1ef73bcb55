"""What guests do by a link: come in, say who they are, and judge what it shows."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generation.comfyui.untrusted_json import is_storable
from generation.errors import Forbidden, Refusal
from generation.services import login_throttle
from review.models import Review, ReviewLink
from review.models.review import GUEST_MAX
from review.models.review_link import GUESTS_MAX
from review.selectors import links
from review.services import decisions
from review.services.decisions import AskedDecision, Reviewer
from review.states import ADVICE, Decision, Door
from wording import say

#: What guests may do; what decides is advice where the link lets them not decide.
OFFERED = frozenset({Decision.APPROVE, Decision.RETAKE, Decision.UNDO, Decision.COMMENT})
_ADVISED = {decision: advice for advice, decision in ADVICE.items()}
#: When a link was last used is written so seldom.
_USE_EVERY = timedelta(minutes=1)
#: No user can have names like these: what is counted for guests slows down no user.
_TOKENS, _PASSWORDS = "review-link:", "review-link:{}"


@dataclass(frozen=True)
class Guest:
    """Who came in by a link, and has said a name."""

    link: ReviewLink
    name: str


def enter(token: str, *, place: str) -> ReviewLink | None:
    """Return the link that a token opens; None where it is unknown, expired or revoked.

    Raises:
        TooSoon: too many wrong tokens came from this place.
    """
    login_throttle.count(_TOKENS, place)
    link = links.of_token(token)
    if link is not None:
        login_throttle.forgive(_TOKENS, place)
        _note_use(link)
    return link


def _note_use(link: ReviewLink) -> None:
    now = timezone.now()
    is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_EVERY)
    ReviewLink.objects.filter(is_due, pk=link.pk).update(last_used_at=now)


def unlock(link: ReviewLink, password: str, *, place: str) -> bool:
    """Tell whether a password is the link's.

    Raises:
        TooSoon: this place tries too often, or too many passwords are checked at this moment.
    """
    name = _PASSWORDS.format(link.pk)
    login_throttle.count(name, place)
    is_right = check_password(password, link.password)
    if is_right:
        login_throttle.forgive(name, place)
    return is_right


def introduce(link: ReviewLink, name: str) -> Guest:
    """Have a guest say a name, which stands at what they say from now on.

    Raises:
        Refusal: it is no name, or the link has too many guests.
    """
    plain = " ".join(name.split())
    if not plain or len(plain) > GUEST_MAX or not is_storable(plain) or not plain.isprintable():
        raise Refusal(
            say("A name has 1 to {n} characters.", n=GUEST_MAX), code="no_name", attr="name"
        )
    with transaction.atomic():
        row = ReviewLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        if plain not in row.guests:
            if len(row.guests) >= GUESTS_MAX:
                detail = say("{n} guests have used this link: ask for another one.", n=GUESTS_MAX)
                raise Refusal(detail, code="too_many_guests", attr="name")
            row.guests = [*row.guests, plain]
            row.save(update_fields=["guests"])
    return Guest(link, plain)


def judge(guest: Guest, asked: AskedDecision) -> Review:
    """Take what a guest says of a version: a decision if the link lets them, else advice.

    Raises:
        Forbidden: guests do not do this.
        NotFound: the link does not show this version.
        InvalidRequest, Conflicts: see `decisions.decide`.
    """
    link = guest.link
    links.card(link, asked.version_id)
    if asked.decision not in OFFERED or (asked.decision is Decision.UNDO and not link.may_decide):
        raise Forbidden(say("Guests do not do this: ask the studio."))
    decision = asked.decision if link.may_decide else _ADVISED.get(asked.decision, asked.decision)
    one = AskedDecision(asked.version_id, decision, asked.seen, asked.comment, asked.pin)
    [made] = decisions.decide([one], by=Reviewer(guest=guest.name, link=link.key), door=Door.LINK)
    _note_use(link)
    return made
