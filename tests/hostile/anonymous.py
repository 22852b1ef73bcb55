"""Whoever is not signed in: costs nothing, and is told so."""

from collections.abc import Iterator

import requests

from tests.hostile.fact import Fact
from tests.hostile.ground import Ground


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield what must be true of a web process that strangers ask."""
    base = ground.site().web()
    yield _stranger(base)


def _stranger(base: str) -> Fact:
    answer = requests.get(f"{base}/api/batches", timeout=30)
    return Fact(
        "Without a token nothing is read", f"{answer.status_code}", answer.status_code == 401
    )
