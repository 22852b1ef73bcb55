"""Signed addresses are hidden in logs."""

import logging

import pytest
from django.utils.translation import override

from generation.errors import Refusal
from madsea.web.log_filters import EnglishLines, HideSignatures
from wording import say

SIGNED = "/files/7.320:1vNk5G:abc-DEF_1/E202_SQ0010-0010_AI-concept_v0001.png"
HIDDEN = "/files/(signed)/E202_SQ0010-0010_AI-concept_v0001.png"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (f"Not Found: {SIGNED}", ()),
        ("Not Found: %s", (SIGNED,)),
        ('%s - "%s %s HTTP/%s" %d', ("127.0.0.1:1", "GET", f"{SIGNED}?w=320", "1.1", 200)),
        (f'GET "https://madsea.studio{SIGNED}" 404', ()),
    ],
)
def test_a_signature_is_in_no_log(words: str, arguments: tuple[object, ...]) -> None:
    record = logging.LogRecord("any", logging.INFO, "", 0, words, arguments, None)

    assert HideSignatures().filter(record)

    assert HIDDEN in record.getMessage()
    assert "abc-DEF_1" not in record.getMessage()


@pytest.mark.parametrize("after", ["", "?utm=1", '" 404'])
def test_the_token_of_a_review_link_is_in_no_log(after: str) -> None:
    line = f"GET /madsea/r/Zk3b0m1T5a8yq2VJb7cR4n6wXoHfLe9sUdPiGtKaM1E{after}"
    record = logging.LogRecord("any", logging.INFO, "", 0, line, (), None)

    HideSignatures().filter(record)

    assert record.getMessage() == f"GET /madsea/r/(token){after}"


def test_the_number_of_a_file_stays() -> None:
    record = logging.LogRecord("any", logging.INFO, "", 0, "GET /files/7/a.png", (), None)

    HideSignatures().filter(record)

    assert record.getMessage() == "GET /files/7/a.png"


def test_a_log_is_written_in_english_whoever_s_request_it_is_about() -> None:
    sentence = say("The image is damaged or cut off.")
    record = logging.LogRecord("any", logging.INFO, "", 0, "%s", (Refusal(sentence),), None)

    with override("fr"):
        line = EnglishLines("%(message)s").format(record)

    assert line == "The image is damaged or cut off."
