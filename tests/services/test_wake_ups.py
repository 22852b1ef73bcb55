"""A Redis that is out of order refuses nobody: the tick rings again."""

import logging
from typing import Any

import pytest
from django_q.conf import Conf

from generation import queueing
from generation.models import Batch
from madsea.environment import with_options
from tests import factories

pytestmark = pytest.mark.django_db

CALL_SOON = queueing.call_soon


@pytest.fixture
def dead_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker is a Redis that refuses connections."""
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:1/0")


def test_a_request_is_not_refused_for_a_dead_redis(
    batch: Batch, dead_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    factories.server("gpu-1")
    factories.server("gpu-2")

    with caplog.at_level(logging.WARNING):
        asked = queueing.wake()

    assert asked == 0
    assert caplog.text.count("no driver can be called") == 1


def test_a_bell_that_a_dead_redis_did_not_take_rings_once_it_is_back(
    batch: Batch, dead_redis: None, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = factories.server()
    with monkeypatch.context() as undone:
        undone.setattr(queueing, "call_soon", CALL_SOON)
        queueing.wake()

    queueing.wake()

    assert calls == [server.pk]


def test_requests_of_a_dead_cluster_are_made_again(batch: Batch, monkeypatch: Any) -> None:
    factories.server()
    rung: list[str] = []
    monkeypatch.setattr(queueing, "call_soon", lambda function, *_: rung.append(function))
    queueing.wake()
    queueing.wake()

    queueing.forget_requests()
    queueing.wake()

    assert rung == [queueing.DRIVE] * 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:p%40w@host:6379/7", "redis://:p%40w@host:6379/7?socket_timeout=5"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?socket_timeout=5&db=2"),
        ("redis://host/0?socket_timeout=9", "redis://host/0?socket_timeout=9"),
    ],
)
def test_an_address_gets_the_options_it_lacks(url: str, expected: str) -> None:
    assert with_options(url, socket_timeout=5) == expected
