"""Definitions are kept and parsed once, however often they are read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.models import Server, ServerDefinitions
from generation.services import node_definitions
from tests import factories

pytestmark = pytest.mark.django_db

SAID = {
    "KSampler": {"input": {"required": {"steps": ["INT", {}]}}},
    "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}},
}


def read(server: Server, said: dict[str, object]) -> ServerDefinitions:
    node_definitions.keep(server, said, node_definitions.sha256_of(said))
    return ServerDefinitions.objects.get(server=server)


def parsed(kept: node_definitions.DefinitionsCache, row: ServerDefinitions) -> tuple[object, int]:
    """Return a row's definitions, and how often the database was asked."""
    with CaptureQueriesContext(connection) as seen:
        found = kept.of(row.pk, row.sha256, row.n_bytes)
    return found, len(seen)


def test_definitions_that_are_read_again_unchanged_are_parsed_once() -> None:
    server, kept = factories.server(), node_definitions.DefinitionsCache()
    first, n_first = parsed(kept, read(server, SAID))

    again, n_again = parsed(kept, read(server, SAID))

    assert again is first
    assert (n_first, n_again) == (1, 0)


def test_reading_again_counts_as_reading() -> None:
    server = factories.server()
    before = read(server, SAID).read_at
    assert read(server, SAID).read_at > before


def test_servers_with_the_same_share_what_is_parsed() -> None:
    kept = node_definitions.DefinitionsCache()
    first, _ = parsed(kept, read(factories.server("gpu-1"), SAID))
    second, n_asked = parsed(kept, read(factories.server("gpu-2"), SAID))
    assert (second is first, n_asked) == (True, 0)


def test_a_picture_that_was_uploaded_there_is_no_change() -> None:
    other = SAID | {
        "LoadImage": {"input": {"required": {"image": [["b.png"], {"image_upload": True}]}}}
    }
    assert node_definitions.sha256_of(other) == node_definitions.sha256_of(SAID)


def test_what_is_installed_since_is_read() -> None:
    server, kept = factories.server(), node_definitions.DefinitionsCache()
    parsed(kept, read(server, SAID))
    found, _ = parsed(kept, read(server, SAID | {"New": {}}))
    assert "New" in str(found)


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = node_definitions.DefinitionsCache()
    first = read(factories.server("gpu-1"), SAID)
    second = read(factories.server("gpu-2"), SAID | {"New": {}})
    monkeypatch.setattr(node_definitions, "KEPT_BYTES", second.n_bytes)

    asked = [parsed(kept, row)[1] for row in (first, second, first, second)]

    assert asked == [1, 1, 1, 1]
