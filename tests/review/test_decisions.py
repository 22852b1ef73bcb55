"""Decisions: allowed, refused, undone; each about a version and what was seen of it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from generation.errors import Conflicts, Forbidden, InvalidRequest
from generation.models import Act, Batch, EpisodeChange, Plan, Version
from generation.states import ReviewState, RunState
from review.models import Review
from review.services import decisions
from review.services.decisions import AskedDecision, Reviewer
from review.states import FROM, TO, Decision, Door
from tests import factories
from tests.review.deciding import NOBODY, approve, asked, concepts, decide, retake, state

pytestmark = pytest.mark.django_db
PAIRS = [(decision, seen) for decision in TO for seen in ReviewState]
ALLOWED = [(decision, seen) for decision, seen in PAIRS if seen in FROM[decision]]
REFUSED = [pair for pair in PAIRS if pair not in ALLOWED]


def in_state(plan: Plan, wanted: ReviewState) -> Version:
    """Return a version that decisions have brought to a state."""
    version, other = concepts(plan, 2)
    if wanted is ReviewState.APPROVED:
        approve(version)
    elif wanted is ReviewState.RETAKE:
        retake(version)
    elif wanted is ReviewState.SUPERSEDED:
        approve(other)
    return version


@pytest.mark.parametrize(("decision", "seen"), ALLOWED)
def test_a_decision_leads_from_where_it_may_to_where_it_says(
    plans: list[Plan], decision: Decision, seen: ReviewState
) -> None:
    version = in_state(plans[0], seen)

    made = decide(version, decision, "Because.")

    assert state(version) == made.became == TO[decision]
    assert made.seen == seen


@pytest.mark.parametrize(("decision", "seen"), REFUSED)
def test_a_decision_that_a_state_does_not_allow_is_refused_and_changes_nothing(
    plans: list[Plan], decision: Decision, seen: ReviewState
) -> None:
    version = in_state(plans[0], seen)
    n_before = Review.objects.count()

    with pytest.raises(Conflicts) as refused:
        decide(version, decision, "Because.")

    assert refused.value.code == "not_allowed_now"
    assert state(version) == seen
    assert Review.objects.count() == n_before


@pytest.mark.parametrize(("decision", "seen"), ALLOWED)
def test_an_undo_brings_back_whatever_was_before(
    plans: list[Plan], decision: Decision, seen: ReviewState
) -> None:
    version = in_state(plans[0], seen)
    before = dict(Version.objects.values_list("pk", "review_state"))
    made = decide(version, decision, "Because.")

    undone = decide(version, Decision.UNDO)

    assert dict(Version.objects.values_list("pk", "review_state")) == before
    assert undone.undoes == made


def test_an_approval_supersedes_all_that_was_open_of_the_plan_and_the_approved_one(
    plans: list[Plan],
) -> None:
    first, second, third, fourth = concepts(plans[0], 4)
    [other_plan] = concepts(plans[1], 1)
    retake(first)
    approve(second)

    made = approve(fourth)

    assert [state(each) for each in (first, second, third, fourth)] == [
        "superseded",
        "superseded",
        "superseded",
        "approved",
    ]
    assert made.changed == [{"version": second.pk, "was": "approved", "became": "superseded"}]
    assert state(other_plan) == "to_review"


def test_an_undo_restores_exactly_what_its_approval_superseded(plans: list[Plan]) -> None:
    first, second, third = concepts(plans[0], 3)
    retake(first)
    approve(second)
    approve(third)

    decide(third, Decision.UNDO)

    assert [state(each) for each in (first, second, third)] == [
        "superseded",
        "approved",
        "superseded",
    ]


def test_undo_after_undo_goes_back_further(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    retake(version)
    approve(version)

    decide(version, Decision.UNDO)
    decide(version, Decision.UNDO)

    assert state(version) == "to_review"


def test_there_is_no_undo_where_nothing_was_decided(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)

    with pytest.raises(Conflicts) as refused:
        decide(version, Decision.UNDO)

    assert refused.value.code == "nothing_to_undo"


def test_an_undo_is_refused_where_what_it_would_restore_has_changed_since(
    plans: list[Plan],
) -> None:
    first, second = concepts(plans[0], 2)
    approve(first)
    decide(first, Decision.REOPEN, "The director saw it again.")
    approve(second)

    with pytest.raises(Conflicts) as refused:
        decide(first, Decision.UNDO)

    assert refused.value.code == "nothing_to_undo"
    assert (state(first), state(second)) == ("superseded", "approved")


def test_taking_back_what_another_has_decided_needs_words(
    plans: list[Plan], supervisor: User
) -> None:
    [version] = concepts(plans[0], 1)
    approve(version, by=Reviewer(supervisor))

    with pytest.raises(InvalidRequest) as refused:
        decide(version, Decision.UNDO)
    decide(version, Decision.UNDO, "A wrong key.")

    assert refused.value.attr == "reviews.0.comment"
    assert "supervisor decided this" in refused.value.detail
    assert state(version) == "to_review"


@pytest.mark.parametrize("decision", [Decision.RETAKE, Decision.REOPEN, Decision.COMMENT])
def test_what_needs_words_is_refused_without(plans: list[Plan], decision: Decision) -> None:
    [version] = concepts(plans[0], 1)

    with pytest.raises(InvalidRequest) as refused:
        decide(version, decision, " ")

    assert (refused.value.code, refused.value.attr) == ("no_words", "reviews.0.comment")


def test_a_comment_changes_nothing_and_is_kept_with_its_place(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)

    made = decide(version, Decision.COMMENT, "The moon!", seen=None, pin=(0.7, 0.2))

    assert (made.seen, made.became, state(version)) == ("to_review",) * 3
    assert (made.pin_x, made.pin_y) == (0.7, 0.2)


def test_what_was_seen_otherwise_is_refused_with_who_changed_it_and_nothing_is_done(
    plans: list[Plan], supervisor: User
) -> None:
    [first], [second] = concepts(plans[0], 1), concepts(plans[1], 1)
    stale = [asked(first, Decision.APPROVE), asked(second, Decision.RETAKE, "Darker.")]
    approve(second, by=Reviewer(supervisor))

    with pytest.raises(Conflicts) as refused:
        decisions.decide(stale, by=NOBODY, door=Door.API)

    assert [(each.attr, each.code) for each in refused.value.problems] == [
        ("reviews.1.seen", "changed_meanwhile")
    ]
    assert "is approved now, not to review: supervisor decided “approve”" in refused.value.detail
    assert state(first) == "to_review"
    assert Review.objects.count() == 1


def test_who_superseded_a_version_is_told_of_too(plans: list[Plan], supervisor: User) -> None:
    first, second = concepts(plans[0], 2)
    stale = [asked(first, Decision.APPROVE)]
    approve(second, by=Reviewer(supervisor))

    with pytest.raises(Conflicts) as refused:
        decisions.decide(stale, by=NOBODY, door=Door.API)

    assert f"supervisor decided “approve” on {second}" in refused.value.detail


def test_a_version_stands_in_a_list_once(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    twice = [asked(version, Decision.APPROVE), asked(version, Decision.COMMENT, "Good.")]

    with pytest.raises(InvalidRequest) as refused:
        decisions.decide(twice, by=NOBODY, door=Door.API)

    assert (refused.value.attr, refused.value.code) == ("reviews.1.version", "duplicate_version")


def test_nobody_decides_about_a_panel_or_what_is_not_published(plans: list[Plan]) -> None:
    panel = factories.version(plans[0], task="extracted-raw")
    unpublished = factories.reserved(plans[0])
    seen = ReviewState.TO_REVIEW
    both = [AskedDecision(each.pk, Decision.APPROVE, seen) for each in (panel, unpublished)]

    with pytest.raises(InvalidRequest) as refused:
        decisions.decide(both, by=NOBODY, door=Door.API)

    assert [each.attr for each in refused.value.problems] == [
        "reviews.0.version",
        "reviews.1.version",
    ]


def test_who_may_not_decide_is_told_which_permission_it_takes(
    plans: list[Plan], artist: User, settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    [version] = concepts(plans[0], 1)

    with pytest.raises(Forbidden) as refused:
        approve(version, by=Reviewer(artist))

    assert "review.decide" in refused.value.detail
    assert state(version) == "to_review"


def test_a_decision_raises_the_revision_of_each_batch_that_it_changes(plans: list[Plan]) -> None:
    older = factories.batch([RunState.DONE], of=plans[:1])
    newer = factories.batch([RunState.DONE], of=plans[:1])
    first, second = Version.objects.filter(plan=plans[0]).order_by("number")
    before = dict(Batch.objects.values_list("pk", "revision"))

    approve(second)

    after = dict(Batch.objects.values_list("pk", "revision"))
    assert after == {older.pk: before[older.pk] + 1, newer.pk: before[newer.pk] + 1}
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.revision, second.revision) == (after[older.pk], after[newer.pk])


def test_hundreds_of_decisions_take_no_more_queries_than_a_few(
    plans: list[Plan], django_assert_max_num_queries: object
) -> None:
    versions = [concepts(plan, 2)[1] for plan in factories.many_plans(60)]
    many = [asked(version, Decision.APPROVE) for version in versions]

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        decisions.decide(many, by=NOBODY, door=Door.API)

    assert Version.objects.approved().count() == 60


def test_each_decision_that_changes_something_is_an_act(
    plans: list[Plan], supervisor: User
) -> None:
    [version] = concepts(plans[0], 1)
    by = Reviewer(supervisor)
    decide(version, Decision.COMMENT, "Good moon.", by=by)
    retake(version, "Darker.", by=by)

    act = Act.objects.get()
    assert (act.actor_name, act.verb, act.target) == ("supervisor", "retake", str(version))
    assert (act.before, act.after, act.reason) == (
        {"review_state": "to_review"},
        {"review_state": "retake"},
        "Darker.",
    )


def test_a_guest_s_decision_is_told_by_the_name_that_was_given(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)

    made = approve(version, by=Reviewer(guest="Nadia", link="a-link"))

    assert (made.author, made.link) == ("Nadia", "a-link")
    assert Act.objects.get().actor_name == "Nadia"


def test_whoever_follows_the_episode_hears_of_decisions_and_of_comments(plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    heard = EpisodeChange.objects.count()

    decide(version, Decision.COMMENT, "Good moon.")
    approve(version)

    told = EpisodeChange.objects.order_by("pk")[heard:]
    assert [each.touched["versions"] for each in told] == [[version.pk], [version.pk]]
