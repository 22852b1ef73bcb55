"""Clients that follow one batch get the same bytes, and never old ones."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, current_thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from generation import selectors
from generation.api.response_cache import AnswerCache
from generation.models import Batch, Server
from generation.services import batches
from generation.states import RunState, ServerHealth
from tests import factories
from tests.api.calls import queries_of, status
from tests.api.test_changes import touch
from tests.conftest import client_of
from tests.processes import wait_for

DONE, QUEUED = RunState.DONE, RunState.QUEUED


@pytest.mark.parametrize("query", ["", "&since=0"])
def test_who_asks_the_same_gets_the_same_after_one_query_beside_the_token(
    api: APIClient, supervisor: User, batch: Batch, query: str
) -> None:
    factories.server()
    first = status(api, batch, query)

    another = client_of(supervisor)

    assert queries_of(another, batch, query) == 2
    assert status(another, batch, query).content == first.content


def test_an_answer_is_never_older_than_the_last_transition(api: APIClient, batch: Batch) -> None:
    before = status(api, batch, "&since=0").json()
    batches.cancel(batch, actor=None)

    after = status(api, batch, "&since=0").json()

    assert {plan["status"] for plan in before["plans"]} == {"queued"}
    assert {plan["status"] for plan in after["plans"]} == {"cancelled"}
    assert after["revision"] > before["revision"]


def test_rows_read_late_are_no_answer_to_who_asks_later(api: APIClient, batch: Batch) -> None:
    head = selectors.heading(batch.public_id)
    touch(batch, batch.runs.first())
    late = selectors.document(head, since=head.batch.revision)

    document = status(api, batch, f"&since={head.batch.revision}").json()

    assert late["revision"] == head.batch.revision
    assert document["revision"] == head.batch.revision + 1
    assert document["plans"] == late["plans"] != []


def test_what_servers_can_do_is_told_anew(api: APIClient, batch: Batch) -> None:
    factories.server()
    waits = status(api, batch).json()["plans"][0]["waits"]["code"]
    Server.objects.update(health=ServerHealth.DOWN)

    assert waits == "turn"
    assert status(api, batch).json()["plans"][0]["waits"]["code"] == "servers_down"


def test_a_reset_is_kept_apart(api: APIClient, batch: Batch) -> None:
    query = f"&since={batch.revision}"
    status(api, batch, query)
    old = f'W/"{batch.public_id}.{batch.revision}.0"'

    assert status(api, batch, query, if_none_match=old).json()["reset"] is True
    assert "reset" not in status(api, batch, query).json()


def test_addresses_are_those_of_the_host_that_was_asked(
    api: APIClient, batch: Batch, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]

    urls = [status(api, batch, host=host).json()["logs_url"] for host in settings.ALLOWED_HOSTS]

    assert [url.split("/")[2] for url in urls] == ["one.example", "two.example"]


def test_each_batch_has_its_own(api: APIClient) -> None:
    one, other = factories.batch([DONE]), factories.batch([QUEUED])

    found = [status(api, each).json()["batch_id"] for each in (one, other)]

    assert found == [one.public_id, other.public_id]


def test_what_is_kept_opens_no_door(
    api: APIClient, anonymous: APIClient, stranger: User, batch: Batch
) -> None:
    assert status(api, batch).status_code == 200

    assert status(anonymous, batch).status_code == 401
    assert status(client_of(stranger), batch).status_code == 401


def test_a_token_that_is_taken_away_is_good_for_nothing_at_once(
    api: APIClient, artist: User, batch: Batch
) -> None:
    assert status(api, batch).status_code == 200
    Token.objects.filter(user=artist).delete()

    answer = status(api, batch)

    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_failed"


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    kept = AnswerCache(max_bytes=10)
    kept.body("a", lambda: b"aaaa")
    kept.body("b", lambda: b"bbbb")
    kept.body("a", lambda: b"never made")

    kept.body("c", lambda: b"cccc")

    assert kept.n_bytes == 8
    assert kept.body("a", lambda: b"anew") == b"aaaa"
    assert kept.body("b", lambda: b"anew") == b"anew"


def test_what_is_larger_than_the_room_is_answered_and_not_kept() -> None:
    kept = AnswerCache(max_bytes=3)

    assert kept.body("a", lambda: b"aaaa") == b"aaaa"
    assert kept.n_bytes == 0


class Watched:
    """A key that counts how often it was looked up."""

    def __init__(self) -> None:
        self.n_looked_up = 0

    def __hash__(self) -> int:
        self.n_looked_up += 1
        return 1

    def wait_for_others(self, n: int) -> None:
        """Wait until whoever has come first and `n` others have found that the body is made."""
        wait_for(lambda: self.n_looked_up >= 3 + 2 * n)


def test_of_threads_that_miss_the_same_one_makes_it() -> None:
    kept, key, made, begun = (
        AnswerCache(max_bytes=10),
        Watched(),
        list[str](),
        Barrier(2, timeout=60),
    )

    def make() -> bytes:
        begun.wait()
        key.wait_for_others(2)
        made.append(current_thread().name)
        return b"body"

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(kept.body, key, make)
        begun.wait()
        others = [threads.submit(kept.body, key, make) for _ in range(2)]

    assert [each.result() for each in (first, *others)] == [b"body"] * 3
    assert len(made) == 1


def test_who_waited_for_a_body_that_failed_makes_its_own() -> None:
    kept, key, begun = AnswerCache(max_bytes=10), Watched(), Barrier(2, timeout=60)

    def fail() -> bytes:
        begun.wait()
        key.wait_for_others(1)
        raise RuntimeError("This is meant.")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(kept.body, key, fail)
        begun.wait()
        other = threads.submit(kept.body, key, lambda: b"own")

    assert isinstance(first.exception(), RuntimeError)
    assert other.result() == b"own"
    assert kept.body(key, lambda: b"anew") == b"anew"
