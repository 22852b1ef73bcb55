"""Workflows as people make them, one difficulty each, and what a person expects of them."""

from typing import Any

import pytest
from graphs import DATA, corpus, expectations, read, targets

from generation.workflows import graph
from generation.workflows.contract import faults
from generation.workflows.definitions import shipped_definitions
from generation.workflows.errors import GraphError

EXPECTED = expectations("graphs")
BROKEN = expectations("broken")
#: Refused by which server has what, not by the graph itself.
ASKED_OF_SERVERS = ("d01", "d02", "f01")


@pytest.mark.parametrize("name", EXPECTED)
def test_each_parameter_reaches_what_a_person_expects(name: str) -> None:
    found = read(corpus(name))

    missed = {
        parameter: sorted(set(wanted) - set(targets(found, parameter)))
        for parameter, wanted in EXPECTED[name]["expect"].items()
        if not set(wanted) <= set(targets(found, parameter))
    }
    assert missed == {}


@pytest.mark.parametrize("name", EXPECTED)
def test_result_and_panel_are_the_ones_meant(name: str) -> None:
    found = read(corpus(name))

    panel = ".".join(found.panel) if found.panel else None
    assert (found.result, panel) == (EXPECTED[name]["result"], EXPECTED[name]["panel"])


@pytest.mark.parametrize("name", [name for name in EXPECTED if "refuse" not in EXPECTED[name]])
def test_a_workflow_that_can_be_used_is_not_refused(name: str) -> None:
    found = faults(corpus(name), shipped_definitions())

    assert found == []
    assert read(corpus(name)).images == EXPECTED[name].get("images", 1)


@pytest.mark.parametrize(
    "name", [name for name in EXPECTED if EXPECTED[name].get("refuse", "").startswith("saves_")]
)
def test_a_workflow_that_leaves_no_picture_is_refused_in_its_own_words(name: str) -> None:
    (refusal,) = faults(corpus(name), shipped_definitions())

    assert refusal.code == EXPECTED[name]["refuse"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("c14e_control_image_and_apng", ["which_result"]),
        ("c18c_mask_editor_small", ["painted_mask"]),
        ("c11_two_loadimages", []),
        ("c11c_panel_title", []),
        ("c12d_result_title", []),
    ],
)
def test_only_what_the_graph_does_not_tell_is_asked(name: str, asked: list[str]) -> None:
    assert [question.code for question in read(corpus(name)).questions] == asked


def usable(name: str) -> tuple[bool, list[str]]:
    """Whether a broken file can be used, and what is warned of."""
    try:
        loaded = graph.load((DATA / "broken" / name).read_bytes())
    except GraphError:
        return False, []
    found = read(loaded)
    warned = [warning.code for warning in found.warnings]
    return not faults(loaded, shipped_definitions()) and not found.questions, warned


def told(verdict: str) -> bool:
    return verdict.startswith("accepted")


@pytest.mark.parametrize("name", [name for name in BROKEN if not name.startswith(ASKED_OF_SERVERS)])
def test_a_broken_workflow_is_refused_and_an_odd_one_is_not(name: str) -> None:
    assert usable(name)[0] == told(BROKEN[name])


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("d11_title_bad.json", ["bad_title"]),
        ("d11b_title_ambig.json", ["bad_title"]),
        ("d11c_title_nonascii.json", ["bad_title"]),
        ("f03_unfinished_branch.json", ["unfinished_branch"]),
    ],
)
def test_what_is_odd_is_warned_of(name: str, warned: list[str]) -> None:
    assert usable(name) == (True, warned)


def test_a_fault_names_the_node_its_title_and_the_bound() -> None:
    loaded: dict[str, Any] = corpus("b_img2img")
    loaded["3"]["inputs"]["steps"] = 0
    loaded["3"]["_meta"]["title"] = "Main"

    (fault,) = faults(loaded, shipped_definitions())

    assert fault.detail == "steps of node 3 “Main” (KSampler) must be between 1 and 10000, not 0."
