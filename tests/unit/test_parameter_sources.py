"""Whose a value is, in words: of every source."""

import pytest

from generation.parameter_sources import ValueSource, values_with_sources
from generation.state_words import source_in_words


@pytest.mark.parametrize("source", ValueSource)
def test_each_source_is_told_with_its_value(source: ValueSource) -> None:
    told = str(values_with_sources({"cfg": 7.5}, {"cfg": source}))

    assert told.startswith("cfg 7.5 (")


@pytest.mark.parametrize("source", [source for source in ValueSource if source != "drawn"])
def test_each_source_has_words_of_its_own(source: ValueSource) -> None:
    assert source_in_words(source) != source
