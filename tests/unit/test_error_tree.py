"""The tree of errors: default words, codes and places."""

import pytest

from generation.comfyui.errors import ComfyError
from generation.errors import (
    BadImage,
    Conflict,
    Fenced,
    InvalidRequest,
    MadseaError,
    NotFound,
    Problem,
    Refusal,
)
from generation.failures import FAILURES, failure
from generation.services.publication import CancelledMeanwhile
from generation.storage import NameTaken, StorageError
from generation.workflows.errors import GraphError

TREE = [BadImage, CancelledMeanwhile, Conflict, Fenced, NameTaken, NotFound, Refusal, StorageError]


@pytest.mark.parametrize("kind", TREE)
def test_the_docstring_is_the_default_message(kind: type[MadseaError]) -> None:
    error = kind()

    assert str(error) == error.detail == (kind.__doc__ or "").splitlines()[0]
    assert error.code == kind.code != MadseaError.code


def test_codes_are_told_apart() -> None:
    assert len({kind.code for kind in TREE}) == len(TREE)


def test_a_place_and_a_code_can_be_given() -> None:
    error = NotFound("There is no plan.", code="unknown_plan", attr="plan")

    assert (error.detail, error.code, error.attr) == ("There is no plan.", "unknown_plan", "plan")


def test_an_invalid_request_speaks_with_its_first_problem() -> None:
    problems = [Problem("season", "invalid_season", "S2?"), Problem("style", "unknown", "x?")]

    error = InvalidRequest(problems)

    assert (error.attr, error.code, error.detail) == ("season", "invalid_season", "S2?")
    assert error.problems == problems


@pytest.mark.parametrize("code", FAILURES)
def test_every_failure_says_what_to_do(code: str) -> None:
    found = failure(code, "It broke.\n")

    assert (found.code, found.message) == (code, "It broke.")
    assert found.remedy.endswith(".")
    assert len(code) <= 48


def test_a_failure_without_words_says_what_it_means() -> None:
    assert failure("no_panel", " ").message == "The plan has no panel."


def test_a_graph_that_is_wrong_is_no_trouble_with_a_server() -> None:
    assert not issubclass(GraphError, ComfyError)
    assert str(GraphError("empty", "It has no nodes.")) == "It has no nodes."


def test_the_words_of_a_failure_end() -> None:
    assert len(failure("node_error", "x" * 1_000_000).message) == 2000
