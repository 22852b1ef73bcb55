"""Keys of the client's own choice: what differs, how long they are kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.errors import Conflict, InvalidRequest
from generation.models import Batch, IdempotencyKey
from generation.services import idempotency, tick
from tests.api.calls import EXAMPLE
from tests.services.racing import errors, race


def ask(requester: User, key: str | None = "key-1", **change: Any) -> idempotency.Created:
    return idempotency.create_once(EXAMPLE | change, key=key, requester=requester)


def age(**by: float) -> None:
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(**by))


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"params": {"steps": 20}}, ["params.steps: 30 → 20"]),
        ({"params": {}}, ["params.steps: 30 → absent"]),
        ({"params": {"steps": 30, "cfg": 7.5}}, ["params.cfg: absent → 7.5"]),
        ({"params": {"steps": 30.0}}, ["params.steps: 30 → 30.0"]),
        ({"params": {"steps": True}}, ["params.steps: 30 → true"]),
        ({"params": None}, ["params: a nested object → null"]),
        ({"sequences": [1, {"plans": ["0010"]}]}, []),
        (
            {"sequences": [1, {"plans": ["0020", "0030"]}]},
            ["sequences.1.plans.0: '0010' → '0020'", "sequences.1.plans.1: absent → '0030'"],
        ),
        ({"sequences": []}, ["sequences.0: 1 → absent", "sequences.1: a nested object → absent"]),
    ],
)
def test_a_difference_is_told_with_its_place(second: dict[str, Any], told: list[str]) -> None:
    first = {"params": {"steps": 30}, "sequences": [1, {"plans": ["0010"]}]}

    assert list(idempotency.differences(first, first | second)) == told


def test_another_kind_of_body_is_a_difference_too() -> None:
    assert list(idempotency.differences({}, [])) == ["the body: a nested object → a list"]


def test_the_order_of_keys_makes_no_other_fingerprint() -> None:
    turned = dict(reversed(EXAMPLE.items()))

    assert list(turned) != list(EXAMPLE)
    assert idempotency.fingerprint(turned) == idempotency.fingerprint(EXAMPLE)


def test_the_order_of_plans_does(artist: User) -> None:
    turned = [{"sequence_id": "SQ0010", "plans": ["0030", "0020", "0010"]}]

    assert idempotency.fingerprint(EXAMPLE | {"sequences": turned}) != idempotency.fingerprint(
        EXAMPLE
    )


def test_at_most_five_differences_are_told(artist: User) -> None:
    ask(artist)
    others = [{"sequence_id": "SQ0010", "plans": [f"{n:04d}" for n in range(900)]}]

    with pytest.raises(Conflict) as refused:
        ask(artist, sequences=others)

    assert refused.value.detail.count(" → ") == 5
    assert "; …)" in refused.value.detail


def test_a_number_written_in_another_way_is_another_request(artist: User) -> None:
    ask(artist, params={"cfg": 7})

    with pytest.raises(Conflict, match=r"params\.cfg: 7 → 7\.0"):
        ask(artist, params={"cfg": 7.0})


def test_a_refused_request_leaves_no_key(artist: User) -> None:
    with pytest.raises(InvalidRequest):
        ask(artist, style="aquarelle")

    assert not IdempotencyKey.objects.exists()


def test_what_is_refused_while_the_batch_is_written_leaves_none_either(artist: User) -> None:
    ask(artist, key=None)

    with pytest.raises(InvalidRequest, match="differ in case alone"):
        ask(artist, project_id="MADSEA-2025-ep202")

    assert not IdempotencyKey.objects.exists()


def test_a_replay_outlives_the_style_that_it_asked_for(artist: User) -> None:
    first = ask(artist)
    first.batch.style.is_active = False
    first.batch.style.save()

    again = ask(artist)

    assert (again.batch, again.replayed) == (first.batch, True)


def test_a_replay_costs_one_query(artist: User) -> None:
    ask(artist)

    with CaptureQueriesContext(connection) as captured:
        ask(artist)

    assert len(captured) == 1


def test_a_key_is_good_until_its_time_is_over(artist: User) -> None:
    first = ask(artist)
    age(hours=23.9)

    assert ask(artist).batch == first.batch


def test_a_key_whose_time_is_over_is_as_new(artist: User) -> None:
    first = ask(artist)
    age(hours=24.1)

    again = ask(artist, style="labo", workflow_json="Labo.json", params={})

    assert again.batch != first.batch
    assert not again.replayed
    assert IdempotencyKey.objects.get().batch == again.batch


def test_how_long_is_a_setting(artist: User, settings: Any) -> None:
    settings.MADSEA_IDEMPOTENCY_H = 48
    first = ask(artist)
    age(hours=47.9)

    assert ask(artist).batch == first.batch


def test_the_tick_deletes_old_keys_and_leaves_their_batches(artist: User) -> None:
    ask(artist)
    age(hours=24.5)
    ask(artist, "key-2")

    tick.tick()

    assert [row.key for row in IdempotencyKey.objects.all()] == ["key-2"]
    assert Batch.objects.count() == 2


def test_the_tick_lets_keys_gather_before_it_deletes(artist: User) -> None:
    ask(artist)
    age(hours=24, minutes=5)

    assert idempotency.forget_old() == 0
    assert IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one_batch(artist: User) -> None:
    made = race(*[lambda: ask(artist)] * 20)

    assert errors(made) == []
    assert Batch.objects.count() == IdempotencyKey.objects.count() == 1
    assert {one.batch.pk for one in made} == {Batch.objects.get().pk}
    assert [one.replayed for one in made].count(False) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_different_requests_at_once_one_is_a_conflict(artist: User) -> None:
    made = race(lambda: ask(artist), lambda: ask(artist, mode="manuel"))

    assert errors(made) == ["idempotency_mismatch"]
    assert Batch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_at_once_after_the_time_is_over_one_makes_a_batch(artist: User) -> None:
    ask(artist)
    age(hours=25)

    made = race(*[lambda: ask(artist)] * 4)

    assert errors(made) == []
    assert Batch.objects.count() == 2
    assert len({one.batch.pk for one in made}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_users_with_one_key_do_not_meet(artist: User, supervisor: User) -> None:
    made = race(lambda: ask(artist), lambda: ask(supervisor))

    assert [one.replayed for one in made] == [False, False]
    assert Batch.objects.count() == 2
