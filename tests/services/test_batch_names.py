"""What batches are called that were given no name."""

from datetime import UTC, datetime
from typing import Any

import pytest

from generation.services import batch_names
from tests import factories

AT = datetime(2026, 3, 14, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sequences", "name"),
    [
        ({"SQ0020": ["0010"], "SQ0010": ["0010"], "SQ0030": ["0010"]}, "SQ0010–SQ0030"),
        ({"SQ0010": ["0010", "0020"]}, "SQ0010"),
        ({"SQ0010": ["0020"]}, "SQ0010-0020"),
    ],
)
def test_a_name_says_episode_places_style_and_time(
    sequences: dict[str, list[str]], name: str, db: None, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Paris"

    said = batch_names.default_name(factories.episode(), sequences, factories.style("labo"), AT)

    assert said == f"E202 · {name} · Labo · 14:05"
