"""Deciding about versions: many at once, all of them or none, each against what was seen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.contrib.auth.models import User

from generation.comfyui.untrusted_json import is_storable
from generation.errors import Conflicts, InvalidRequest, Problem
from generation.models import Act, Version
from generation.services import acts, episode_changes, permissions, transitions
from generation.services.permissions import Needed
from generation.services.transitions import UnderReview
from generation.states import ReviewState
from review.models import Review
from review.models.review import COMMENT_MAX
from review.selectors import reviews
from review.states import ADVICE, FROM, TO, UNMOVING, WORDED, Decision, Door
from wording import say

#: At most so many are decided at once.
DECISIONS_MAX = 1_000
DECIDE, COMMENT = "review.decide", "review.comment"
TO_DECIDE = Needed(DECIDE, say("decide about pictures"))
TO_COMMENT = Needed(COMMENT, say("comment on pictures"))
#: Where a decision stands in a request.
_PLACE = "reviews.{}"


@dataclass(frozen=True)
class Reviewer:
    """Who decides: a user, or a guest by a link; neither is whoever works on the console."""

    user: User | None = None
    guest: str = ""
    link: str = ""

    def made(self, review: Review) -> bool:
        """Tell whether a decision is one's own."""
        mine = (self.user.pk if self.user else None, self.guest, self.link)
        return (review.by_id, review.guest, review.link) == mine


@dataclass(frozen=True)
class AskedDecision:
    """One decision that somebody takes; `seen` is the state that was shown: None for a comment.

    `pin` is a place on the picture, from its left and its upper edge, each 0 to 1. `follows` is the
    id of the advice that is taken over; where nothing else is said, so are its words and its pin.
    """

    version_id: int
    decision: Decision
    seen: ReviewState | None = None
    comment: str = ""
    pin: tuple[float, float] | None = None
    follows: int | None = None


def decide(asked: Sequence[AskedDecision], *, by: Reviewer, door: Door) -> list[Review]:
    """Take decisions about versions, all of them or none; return them as they are kept.

    Each counts for what was seen: where a version is in another state by now, nothing is done.

    Raises:
        Forbidden: who decides may not.
        InvalidRequest: one is about no version that is reviewed, twice about the same, lacks the
            words that it needs, or follows what is no such advice.
        Conflicts: a version is in another state than was seen, or one that does not allow it.
    """
    _require(asked, by)
    asked, problems = _with_advice(asked)
    problems += _problems(asked)
    if problems:
        raise InvalidRequest(problems)
    with transitions.review([each.version_id for each in asked], actor=by.user) as under_review:
        _refuse_unknown(asked, under_review)
        taken = _Taking(under_review, by, door).all(asked)
        kept = Review.objects.bulk_create(taken)
        Act.objects.bulk_create(_act(review) for review in kept if review.changes_something)
        # What changes a state, the engine tells of by itself.
        episode_changes.record_versions([r.version_id for r in kept if not r.changes_something])
        return kept


def _act(review: Review) -> Act:
    """Return the act that a decision was; its other versions are told by the decision."""
    return acts.unsaved_act(
        review.decision,
        review.version,
        by=review.by,
        guest=review.guest,
        before={"review_state": review.seen},
        after={"review_state": review.became},
        reason=review.comment,
    )


def _require(asked: Sequence[AskedDecision], by: Reviewer) -> None:
    """Ask for permission; a guest's is in the link."""
    if by.guest:
        return
    if any(each.decision not in UNMOVING for each in asked):
        permissions.require(by.user, *TO_DECIDE)
    else:
        permissions.require(by.user, *TO_COMMENT)


def _with_advice(asked: Sequence[AskedDecision]) -> tuple[list[AskedDecision], list[Problem]]:
    """Return decisions with what they take over from the advice that they follow."""
    wanted = [each.follows for each in asked if each.follows is not None]
    known = Review.objects.advice().in_bulk(wanted) if wanted else {}
    problems = [
        Problem(
            f"{_PLACE.format(index)}.follows",
            "unknown_advice",
            say("There is no advice {review} of this version to that.", review=each.follows),
        )
        for index, each in enumerate(asked)
        if each.follows is not None and not _is_advised(each, known)
    ]
    return [_like_advised(each, known.get(each.follows or 0)) for each in asked], problems


def _is_advised(each: AskedDecision, known: Mapping[int, Review]) -> bool:
    advice = known.get(each.follows or 0)
    if advice is None:
        return False
    advised = advice.version_id, ADVICE[Decision(advice.decision)]
    return advised == (each.version_id, each.decision)


def _like_advised(each: AskedDecision, advice: Review | None) -> AskedDecision:
    if advice is None:
        return each
    is_pinned = advice.pin_x is not None and advice.pin_y is not None
    pin = (advice.pin_x or 0.0, advice.pin_y or 0.0) if is_pinned else None
    return replace(each, comment=each.comment or advice.comment, pin=each.pin or pin)


def _problems(asked: Sequence[AskedDecision]) -> list[Problem]:
    problems: list[Problem] = []
    first: dict[int, int] = {}
    for index, each in enumerate(asked):
        place = _PLACE.format(index)
        if first.setdefault(each.version_id, index) != index:
            detail = say(
                "Version {version_id} stands at reviews.{first} already",
                version_id=each.version_id,
                first=first[each.version_id],
            )
            problems.append(Problem(f"{place}.version", "duplicate_version", f"{detail}."))
        if each.seen is None and each.decision is not Decision.COMMENT:
            detail = say("Say in which state the version was shown when this was decided.")
            problems.append(Problem(f"{place}.seen", "required", detail))
        if each.decision in WORDED and not each.comment.strip():
            problems.append(Problem(f"{place}.comment", "no_words", _LACKING[each.decision]))
        if len(each.comment) > COMMENT_MAX:
            detail = say(
                "At most {comment_max:,} characters; it has {n:,}.",
                comment_max=COMMENT_MAX,
                n=len(each.comment),
            )
            problems.append(Problem(f"{place}.comment", "too_long", detail))
        if not is_storable(each.comment):
            detail = say("It holds characters that are no text.")
            problems.append(Problem(f"{place}.comment", "bad_text", detail))
    return problems


_LACKING = {
    Decision.RETAKE: say("Say what is to be better: whoever makes it again needs words."),
    Decision.REOPEN: say("Say why: what was approved is locked, and others count on it."),
    Decision.COMMENT: say("A comment says something."),
    Decision.ADVISE_RETAKE: say("Say what is to be better: whoever makes it again needs words."),
}


def _refuse_unknown(asked: Sequence[AskedDecision], under_review: UnderReview) -> None:
    problems = [
        Problem(
            f"{_PLACE.format(index)}.version",
            "unknown_version",
            say(
                "There is no published version {version_id} that is reviewed.",
                version_id=each.version_id,
            ),
        )
        for index, each in enumerate(asked)
        if each.version_id not in under_review.versions
    ]
    if problems:
        raise InvalidRequest(problems)


@dataclass
class _Taking:
    """Takes decisions one after the other about versions that are locked."""

    under_review: UnderReview
    by: Reviewer
    door: Door
    conflicts: list[Problem] = field(default_factory=list)
    lacking: list[Problem] = field(default_factory=list)

    def all(self, asked: Sequence[AskedDecision]) -> list[Review]:
        """Return the decisions, not stored yet.

        Raises:
            InvalidRequest: the undo of another's decision lacks its reason.
            Conflicts: a version's state is another, or does not allow one.
        """
        undone = _undoable([each.version_id for each in asked if each.decision is Decision.UNDO])
        told = _Changed(asked, self.under_review)
        reviews = [
            self._take(each, _PLACE.format(index), undone.get(each.version_id), told)
            for index, each in enumerate(asked)
        ]
        if self.conflicts:
            raise Conflicts(self.conflicts)
        if self.lacking:
            raise InvalidRequest(self.lacking)
        return reviews

    def _take(
        self, each: AskedDecision, place: str, undone: Review | None, told: "_Changed"
    ) -> Review:
        version = self.under_review.versions[each.version_id]
        before = ReviewState(version.review_state)
        changed: list[dict[str, object]] = []
        if each.seen not in (None, before):
            self._conflict(place, "seen", "changed_meanwhile", told.detail(version, each.seen))
        elif each.decision is Decision.UNDO:
            changed = self._undo(version, each, place, undone)
        elif each.decision in FROM:
            changed = self._move(version, each.decision, place)
        return Review(
            version=version,
            decision=each.decision.value,
            comment=each.comment,
            seen=before.value,
            became=version.review_state,
            changed=changed,
            undoes=undone if each.decision is Decision.UNDO else None,
            follows_id=each.follows,
            pin_x=each.pin[0] if each.pin else None,
            pin_y=each.pin[1] if each.pin else None,
            by=self.by.user,
            guest=self.by.guest,
            link=self.by.link,
            door=self.door.value,
        )

    def _conflict(self, place: str, name: str, code: str, detail: str) -> None:
        self.conflicts.append(Problem(f"{place}.{name}", code, detail))

    def _move(self, version: Version, decision: Decision, place: str) -> list[dict[str, object]]:
        refused = self._refused(version, decision)
        if refused:
            self._conflict(place, "decision", "not_allowed_now", refused)
        if refused or decision in ADVICE:
            return []
        self.under_review.move(version, TO[decision])
        if decision is not Decision.APPROVE:
            return []
        others = self.under_review.of_plan(version.plan_id)
        return [
            self._moved(other, ReviewState.SUPERSEDED)
            for other in others
            if other.pk != version.pk and other.review_state != ReviewState.SUPERSEDED
        ]

    def _refused(self, version: Version, decision: Decision) -> str:
        """Return why a version's state does not allow a decision; nothing where it does."""
        state = ReviewState(version.review_state)
        if state not in FROM[decision]:
            return _REFUSED.get((decision, state), _DECIDED)
        if not self.by.guest:
            return ""
        others = self.under_review.of_plan(version.plan_id)
        if state is not ReviewState.TO_REVIEW:
            return _DECIDED
        return _OF_THE_STUDIO if any(_is_approved(other) for other in others) else ""

    def _moved(self, version: Version, target: ReviewState) -> dict[str, object]:
        was = version.review_state
        self.under_review.move(version, target)
        return {"version": version.pk, "was": was, "became": target.value}

    def _undo(
        self, version: Version, each: AskedDecision, place: str, undone: Review | None
    ) -> list[dict[str, object]]:
        if undone is None or undone.became != version.review_state:
            detail = say(
                "No decision has made {version} {review_state}: there is none to undo",
                version=version,
                review_state=version.review_state,
            )
            self._conflict(place, "decision", "nothing_to_undo", f"{detail}.")
            return []
        if self.by.guest and not self.by.made(undone):
            detail = say("{who} decided this: only the studio takes it back.", who=undone.author)
            self._conflict(place, "decision", "not_allowed_now", detail)
            return []
        if not self.by.made(undone) and not each.comment.strip():
            detail = say("{author} decided this: say why you take it back.", author=undone.author)
            self.lacking.append(Problem(f"{place}.comment", "no_words", detail))
            return []
        others = [(self.under_review.versions[one["version"]], one) for one in undone.changed]
        moved = [other for other, one in others if other.review_state != one["became"]]
        if moved:
            detail = say(
                "{moved} is {said} by now: it was changed since.",
                moved=moved[0],
                said=_said(moved[0].review_state),
            )
            self._conflict(place, "decision", "changed_since", detail)
            return []
        self.under_review.move(version, ReviewState(undone.seen))
        return [self._moved(other, ReviewState(one["was"])) for other, one in others]


def _undoable(version_ids: Collection[int]) -> dict[int, Review]:
    """Return the newest decision about each version that is not undone."""
    found: dict[int, Review] = {}
    if version_ids:
        rows = Review.objects.undoable().filter(version__in=version_ids).select_related("by")
        for review in rows:
            found.setdefault(review.version_id, review)
    return found


_OPEN_FIRST = say("It is approved, and its plan is locked: reopen it first, and say why.")
_REFUSED: Mapping[tuple[Decision, ReviewState], str] = {
    (Decision.APPROVE, ReviewState.APPROVED): say("It is approved already."),
    (Decision.RETAKE, ReviewState.APPROVED): _OPEN_FIRST,
    (Decision.RETAKE, ReviewState.RETAKE): say(
        "It is a retake already: comment on it to add to that."
    ),
    (Decision.RETAKE, ReviewState.SUPERSEDED): say("Another version of the plan took its place."),
    (Decision.REOPEN, ReviewState.TO_REVIEW): say("It is open: nobody has approved it."),
    (Decision.REOPEN, ReviewState.RETAKE): say("It is not approved: undo the retake instead."),
    (Decision.REOPEN, ReviewState.SUPERSEDED): say("It is not approved: another took its place."),
}


_DECIDED = say("It is decided on by now: comment on it instead.")
_OF_THE_STUDIO = say("Another version of this plan is approved: only the studio reopens that.")


def _is_approved(version: Version) -> bool:
    return version.review_state == ReviewState.APPROVED


class _Changed:
    """Tells of versions that are in another state than was seen who changed them, and when."""

    def __init__(self, asked: Sequence[AskedDecision], under_review: UnderReview) -> None:
        now = {pk: each.review_state for pk, each in under_review.versions.items()}
        moved = [each.version_id for each in asked if each.seen not in (None, now[each.version_id])]
        self._last = reviews.last_changes(moved) if moved else {}

    def detail(self, version: Version, seen: ReviewState | None) -> str:
        """Return the sentence about a version."""
        now = say(
            "{version} is {state} now, not {seen}",
            version=version,
            state=_said(version.review_state),
            seen=_said(seen or ""),
        )
        last = self._last.get(version.pk)
        if last is None or version.review_state not in _made(last, version.pk):
            return say(
                "{now}: a newer version was published, or this list has changed it.", now=now
            )
        at = last.made_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return say(
            "{now}: {author} decided “{decision}” on {version} at {at}.",
            now=now,
            author=last.author,
            decision=last.decision,
            version=last.version,
            at=at,
        )


def _made(review: Review, version_id: int) -> set[str]:
    """Return what a decision has made of a version."""
    others = {each["became"] for each in review.changed if each["version"] == version_id}
    return others | ({review.became} if review.version_id == version_id else set())


def _said(state: str) -> str:
    return state.replace("_", " ")
