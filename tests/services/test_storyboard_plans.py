"""A storyboard becomes plans: all or none, repeatable, and finished when it was cut off."""

from pathlib import Path
from typing import Any

import pytest

from generation.errors import Conflict, InvalidRequest
from generation.models import Episode, Plan, PlanTextChange, Project, Version
from generation.services import plan_attributes, publication, storyboard_plans
from generation.services.storyboard_plans import MadePlans, NewPlan
from generation.states import RunState, VersionState, WaitReason
from tests import factories

pytestmark = pytest.mark.django_db

PLACE = (factories.PROJECT_ID, "S02", "E202")
PANEL = "extracted-raw"


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of a storyboard."""
    files = [tmp_path / f"{color}.png" for color in ("red", "green", "blue")]
    for file in files:
        file.write_bytes(factories.png(color=file.stem))
    return files


@pytest.fixture
def boards(pictures: list[Path]) -> list[NewPlan]:
    """Three plans in two sequences, each with a picture."""
    keys = [("SQ0010", "0010"), ("SQ0010", "0020"), ("SQ0020", "0010")]
    return [
        NewPlan(*key, {"label": f"{n}A", "position": n, "action": "LABO\nGP\nune clé"}, picture)
        for n, (key, picture) in enumerate(zip(keys, pictures, strict=True), start=1)
    ]


def make(plans: list[NewPlan]) -> MadePlans:
    return storyboard_plans.make_plans(*PLACE, plans, by=None)


def staged(projects_root: Path) -> list[Path]:
    return [file for file in projects_root.rglob(".staging/*") if file.is_file()]


def test_a_storyboard_becomes_plans_with_texts_and_panels(
    boards: list[NewPlan], pictures: list[Path], projects_root: Path
) -> None:
    made = make(boards)

    plan = Plan.objects.get(sequence__code="SQ0020")
    [panel] = plan.versions.all()
    assert (plan.label, plan.position, plan.place, plan.camera) == ("3A", 3, "LABO", "GP")
    assert (panel.state, str(panel)) == (
        VersionState.PUBLISHED,
        "E202_SQ0020-0010_extracted-raw_v0001.png",
    )
    assert (projects_root / panel.path).read_bytes() == pictures[2].read_bytes()
    assert len(made.new) == len(made.changed) == len(made.panels) == 3
    assert made.n_left == 0
    assert staged(projects_root) == []


def test_repeating_it_changes_nothing(boards: list[NewPlan]) -> None:
    make(boards)

    made = make(boards)

    assert (made.new, made.changed, made.panels) == (frozenset(), frozenset(), [])
    assert Version.objects.count() == PlanTextChange.objects.count() == 3


def test_a_changed_picture_is_the_panel_s_next_version(
    boards: list[NewPlan], pictures: list[Path]
) -> None:
    make(boards)
    pictures[1].write_bytes(factories.png(color="white"))

    [panel] = make(boards).panels

    assert str(panel) == "E202_SQ0010-0020_extracted-raw_v0002.png"


def test_a_plan_without_a_picture_keeps_its_panel(boards: list[NewPlan]) -> None:
    make(boards)

    made = make([NewPlan("SQ0010", "0010", {"notes": "plus sombre"})])

    plan = made.plans[boards[0].key]
    assert (plan.pk in made.changed, plan.versions.count()) == (True, 1)


def test_the_same_picture_on_several_boards_is_the_panel_of_each(
    boards: list[NewPlan], pictures: list[Path]
) -> None:
    make([NewPlan(each.sequence_id, each.plan, panel=pictures[0]) for each in boards])

    assert Version.objects.published().count() == 3


def test_a_run_that_waited_for_its_panel_goes_on(boards: list[NewPlan]) -> None:
    [plan] = factories.plans({"SQ0010": ["0010"]})
    run = factories.batch([RunState.QUEUED], of=[plan], needs_panel=True).runs.get()
    type(run).objects.update(wait_reason=WaitReason.PANEL)

    make(boards)

    run.refresh_from_db()
    assert run.wait_reason == WaitReason.TURN


def test_an_open_number_is_taken_first(boards: list[NewPlan], projects_root: Path) -> None:
    [plan] = factories.plans({"SQ0010": ["0010"]})
    lost = factories.version(plan, task=PANEL)
    (projects_root / lost.path).unlink()
    factories.version(plan, task=PANEL, content=factories.png(color="pink"))
    Version.objects.filter(number=1).update(state=VersionState.OPEN, published_at=None)

    make(boards[:1])

    assert sorted(plan.versions.values_list("number", "state")) == [
        (1, VersionState.PUBLISHED),
        (2, VersionState.PUBLISHED),
    ]


def test_what_fails_within_leaves_no_row_and_no_file(
    boards: list[NewPlan], projects_root: Path
) -> None:
    [plan] = factories.plans({"SQ0010": ["0020"]})
    factories.version(plan, task=PANEL, number=9999, content=factories.png(color="pink"))

    with pytest.raises(Conflict):
        make(boards)

    assert (Plan.objects.count(), Version.objects.count()) == (1, 1)
    assert PlanTextChange.objects.count() == 0
    assert staged(projects_root) == []


def test_whoever_is_stopped_before_the_commit_leaves_nothing(
    boards: list[NewPlan], projects_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_attributes, "write_all", stopped)

    with pytest.raises(SystemExit):
        make(boards)

    assert not Project.objects.exists()
    assert staged(projects_root) == []


def test_whoever_is_killed_after_the_commit_is_finished_by_the_tick(
    boards: list[NewPlan], projects_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(publication, "finish", stopped)
        make(boards)
    assert Version.objects.reserved().count() == len(staged(projects_root)) == 3

    publication.finish_reserved(older_than_s=0)

    assert Version.objects.published().count() == 3
    assert staged(projects_root) == []
    assert make(boards).panels == []


def stopped(*_: Any, **__: Any) -> None:
    raise SystemExit


def test_all_that_is_wrong_is_told_at_its_place(boards: list[NewPlan], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    wrong = [
        NewPlan("SQ10", "0010"),
        NewPlan("SQ0010", "0010", {"label": "x" * 99, "style": "cubiste"}),
        NewPlan("SQ0010", "0010"),
    ]

    assert refusals(wrong) == [
        ("plans.0.sequence_id", "invalid_sequence_id"),
        ("plans.1.label", "too_long"),
        ("plans.1.style", "unknown_style"),
        ("plans.2", "duplicate_plan"),
    ]
    assert refusals([*boards, NewPlan("SQ0030", "0010", panel=broken)]) == [
        ("plans.3.panel", "not_an_image")
    ]
    assert not Episode.objects.exists()


def test_a_storyboard_of_too_many_plans_is_refused() -> None:
    many = [NewPlan("SQ0010", "0010")] * 5001

    assert refusals(many) == [("plans", "too_many_plans")]


def test_names_of_the_tree_are_checked(boards: list[NewPlan]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        storyboard_plans.make_plans(factories.PROJECT_ID, "S03", "E202", boards, by=None)

    assert [each.attr for each in refused.value.problems] == ["episode"]


def refusals(plans: list[NewPlan]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        make(plans)
    return [(each.attr, each.code) for each in refused.value.problems]


def test_as_many_queries_write_ten_plans_as_three(
    django_assert_num_queries: Any,
) -> None:
    texts = {"action": "GP\nune clé"}
    ten = [NewPlan("SQ0010", f"{n:04d}", texts) for n in range(10)]
    make([NewPlan("SQ0010", "9000", texts)])

    with django_assert_num_queries(21):
        make(ten[:3])
    with django_assert_num_queries(21):
        make(ten[3:])
