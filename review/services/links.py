"""Links by which guests judge pictures: made with a frozen scope, and revoked."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation.comfyui.untrusted_json import is_storable
from generation.errors import InvalidRequest, Problem
from generation.models import Episode, Version
from generation.models import Sequence as SequenceRow
from generation.services import acts, permissions
from generation.services.permissions import Needed
from review.models import LinkedVersion, ReviewLink
from review.models.review_link import LABEL_MAX
from review.selectors import light_table, links
from review.services.decisions import DECIDE
from wording import say

SHARE = "review.share"
TO_SHARE = Needed(SHARE, say("give links to guests"))
TO_REVOKE = Needed(SHARE, say("take links back"))
TO_SEE = Needed(SHARE, say("see links of guests"))
#: A link shows so many pictures at the most.
VERSIONS_MAX = 500
DAYS, DAYS_MAX = 14, 90
PASSWORD_MIN, PASSWORD_MAX = 6, 128
TOKEN_BYTES = 32
#: What a form that makes a link holds its fields against.
LIMITS = {
    "label": LABEL_MAX,
    "days": DAYS,
    "days_max": DAYS_MAX,
    "password_min": PASSWORD_MIN,
    "password_max": PASSWORD_MAX,
}


@dataclass(frozen=True)
class NewLink:
    """What a link is to show, and what its guests may do.

    `version_ids` None: the picture that stands for each plan of the sequence, or of the episode
    where none is named. Without a password whoever has the address comes in.
    """

    episode_id: int
    sequence: str = ""
    version_ids: Sequence[int] | None = None
    label: str = ""
    days: int = DAYS
    password: str = ""
    may_decide: bool = False
    may_download: bool = False


@dataclass(frozen=True)
class MadeLink:
    """A new link with its token, which nobody can be told again."""

    link: ReviewLink
    token: str


def create(asked: NewLink, *, by: User | None) -> MadeLink:
    """Make a link to what there is at this moment: what is published later is not in it.

    Raises:
        Forbidden: who makes it may give no links, or none that decide.
        InvalidRequest: it would show nothing, too much, or what is not of the episode.
    """
    permissions.require(by, *TO_SHARE)
    if asked.may_decide:
        permissions.require(by, DECIDE, say("decide about pictures, nor let a guest do so"))
    episode, sequence = _place(asked)
    versions = _versions(asked, episode)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = ReviewLink(
        token_hash=links.hash_of(token),
        label=asked.label,
        episode=episode,
        sequence=sequence,
        # Hashed before the transaction: it takes a good part of a second.
        password=make_password(asked.password) if asked.password else "",
        may_decide=asked.may_decide,
        may_download=asked.may_download,
        made_by=by,
        expires_at=timezone.now() + timedelta(days=asked.days),
    )
    with transaction.atomic():
        link.save()
        LinkedVersion.objects.bulk_create(_linked(link, versions))
        may = {"may_decide": link.may_decide, "may_download": link.may_download}
        acts.record("share", link, by=by, after={"pictures": len(versions), **may})
    return MadeLink(links.link_of_id(link.pk), token)


def _place(asked: NewLink) -> tuple[Episode, SequenceRow | None]:
    episode = Episode.objects.filter(pk=asked.episode_id).first()
    if episode is None:
        raise _problem(
            "episode_id", "unknown_episode", say("There is no episode {id}.", id=asked.episode_id)
        )
    if not is_storable(asked.label):
        raise _problem("label", "bad_text", say("It holds characters that are no text."))
    if not asked.sequence:
        return episode, None
    sequence = SequenceRow.objects.filter(episode=episode, code=asked.sequence).first()
    if sequence is None:
        detail = say("{episode} has no sequence {code}.", episode=str(episode), code=asked.sequence)
        raise _problem("sequence_id", "unknown_sequence", detail)
    return episode, sequence


def _versions(asked: NewLink, episode: Episode) -> list[int]:
    """Return the ids of what is shown, in the order of the story."""
    tiles = light_table.tiles(light_table.plans_of(episode, asked.sequence))
    if asked.version_ids is None:
        found = [tile.picture.id for tile in tiles if tile.picture]
    else:
        order = {tile.plan_id: place for place, tile in enumerate(tiles)}
        found = _chosen(asked.version_ids, order)
    if not found:
        detail = say("There is no picture to show yet: make the link when there is one.")
        raise _problem("versions", "nothing_to_show", detail)
    if len(found) > VERSIONS_MAX:
        detail = say(
            "A link shows {n} pictures at the most: name a sequence, or fewer.", n=VERSIONS_MAX
        )
        raise _problem("versions", "too_many", detail)
    return found


def _chosen(version_ids: Sequence[int], order: dict[int, int]) -> list[int]:
    rows = Version.objects.reviewed().filter(pk__in=version_ids, plan__in=order)
    known = {pk: (order[plan], number) for pk, plan, number in rows.values_list(*_PLACE)}
    for index, pk in enumerate(version_ids):
        if pk not in known:
            detail = say("There is no published version {id} here that is reviewed.", id=pk)
            raise _problem(f"versions.{index}", "unknown_version", detail)
    return sorted(known, key=lambda pk: known[pk])


_PLACE = ("pk", "plan_id", "number")


def _linked(link: ReviewLink, version_ids: Sequence[int]) -> list[LinkedVersion]:
    plans = dict(Version.objects.filter(pk__in=version_ids).values_list("pk", "plan_id"))
    panels: dict[int, int] = {}
    rows = Version.objects.panels().filter(plan__in=set(plans.values()))
    for plan_id, pk in rows.values_list("plan_id", "pk"):
        panels.setdefault(plan_id, pk)
    return [
        LinkedVersion(link=link, version_id=pk, panel_id=panels.get(plans[pk]))
        for pk in version_ids
    ]


def _problem(attr: str, code: str, detail: str) -> InvalidRequest:
    return InvalidRequest([Problem(attr, code, detail)])


def revoke(link_id: int, *, by: User | None) -> ReviewLink:
    """Have a link lead nowhere from now on, pictures included; one that does so already stays.

    Raises:
        Forbidden: who revokes it may give no links.
        NotFound: there is no such link.
    """
    permissions.require(by, *TO_REVOKE)
    link = links.link_of_id(link_id)
    with transaction.atomic():
        open_ = ReviewLink.objects.filter(pk=link_id, revoked_at=None)
        if open_.update(revoked_at=timezone.now()):
            acts.record("revoke", link, by=by)
    return links.link_of_id(link_id)
