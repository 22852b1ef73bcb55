"""Addresses of the database and of Redis: refused before anything is sent, and never told."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from madsea import service_urls

NAME = "THE_URL"


@pytest.mark.parametrize(
    ("url", "password"),
    [("postgres://u:a%23b@h:5432/db", "a#b"), ("postgresql://u:a@b@h/db", "a@b")],
)
def test_a_password_is_read_as_it_was_meant(url: str, password: str) -> None:
    assert service_urls.database(NAME, url)["PASSWORD"] == password


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:s3cret#x@h/db",
        "postgres://u:#s3cret@h/db",
        "postgres://u:s3cret/x@h/db",
        "postgres://u:s3cret?x@h/db",
        "postgres://u:s3cret@h:99999/db",
        "postgres://u:s3cret@h",
        "sqlite:///",
        "mysql://u:s3cret@h/db",
        "s3cret",
    ],
)
def test_what_is_no_database_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=NAME) as refused:
        service_urls.database(NAME, url)

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://:a%23b@h:6379/3", "rediss://h/0?db=1", "unix:///run/redis.sock"]
)
def test_a_redis_is_taken(url: str) -> None:
    assert service_urls.queue(NAME, url) == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret#x@h/0",
        "redis://:s3cret@h:port/0",
        "redis://:s3cret@h/three",
        "redis://:s3cret@h/0?nonsense=1",
        "http://s3cret",
    ],
)
def test_what_is_no_redis_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=NAME) as refused:
        service_urls.queue(NAME, url)

    assert "s3cret" not in str(refused.value)
