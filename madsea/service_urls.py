"""Addresses of the database and of Redis, checked before anything is sent to them.

None of them is told in an error: a password stands in it.
"""

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

_ESCAPES = "in a name or password write # as %23, / as %2F, ? as %3F, % as %25"


def database(name: str, url: str) -> dict[str, Any]:
    """Return what Django wants to know of a database; `name` is the setting's.

    Raises:
        ImproperlyConfigured: it is no address of SQLite or PostgreSQL.
    """
    expected = (
        f"{name} must be an address such as postgres://user:password@host:5432/name or"
        f" sqlite:////path/to/file; {_ESCAPES}."
    )
    scheme = url.partition(":")[0]
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with sqlite:/// or postgres://.")
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise ImproperlyConfigured(expected) from None
    is_lost = config["NAME"] == ":memory:" and not url.endswith(":memory:")
    if "#" in url or not config["NAME"] or is_lost:
        raise ImproperlyConfigured(expected)
    return config


def queue(name: str, url: str) -> str:
    """Return the address of a Redis if it is one; `name` is the setting's.

    Raises:
        ImproperlyConfigured: it is none.
    """
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must begin with redis://, rediss:// or unix://.")
    if "#" in url or not _is_redis(url):
        expected = f"{name} must be an address such as redis://:password@host:6379/0"
        raise ImproperlyConfigured(f"{expected}; {_ESCAPES}.")
    return url


def _is_redis(url: str) -> bool:
    redis: Any = import_module("redis")  # What has none starts without it.
    try:
        # Made, and not yet opened: that checks the options too.
        redis.ConnectionPool.from_url(url).make_connection()
        path = urlsplit(url).path.strip("/")
    except (ValueError, TypeError, redis.RedisError):
        return False
    return url.startswith("unix://") or not path or path.isdecimal()
