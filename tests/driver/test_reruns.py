"""A picture that is made again by its recipe is pixel for pixel the same."""

import copy
import json
from typing import Any

import pytest

from generation import storage
from generation.errors import Conflict, InvalidRequest, NotFound
from generation.models import Attempt, Batch, PlanRun, Server, Version
from generation.selectors.recipes import differences
from generation.services import batches, outside_images, recipe_lookup, recipe_reruns
from generation.states import RunState, WaitReason
from tests import factories, pictures
from tests.driver import flying

pytestmark = pytest.mark.django_db


@pytest.fixture
def sampled(server: Server) -> Version:
    """A picture that a sampler made of a seed."""
    batch = flying.sampled(params={"steps": 4}, sources={"steps": "request"})
    batch.runs.update(seed="1234")
    flying.finish(server, batch)
    return batch.versions.get()


@pytest.fixture
def inverted(server: Server) -> Version:
    """A picture that was made of a panel."""
    batch = flying.inverted()
    flying.finish(server, batch)
    return batch.versions.get()


def again(server: Server, version: Version, **asked: Any) -> Batch:
    """Make a picture again; return the batch that did."""
    batch = batches.create(recipe_reruns.read(version.pk, **asked), requester=None)
    flying.finish(server, batch)
    return batch


def graph_of(batch: Batch) -> str:
    """Return the graph that was posted, but for the output's prefix."""
    attempt = Attempt.objects.get(run__batch=batch)
    return json.dumps(attempt.graph).replace(str(attempt.prompt_id), "PREFIX")


def hash_of_pixels(batch: Batch) -> str:
    return batch.versions.get().pixels_sha256


def test_a_rerun_posts_the_same_graph_and_gives_the_same_pixels(
    server: Server, sampled: Version
) -> None:
    batch = again(server, sampled)

    made = batch.versions.get()
    assert sampled.batch is not None
    assert graph_of(batch) == graph_of(sampled.batch)
    assert (made.number, made.pixels_sha256) == (2, sampled.pixels_sha256)
    assert made.sha256 != sampled.sha256
    first, second = (pictures.opened(storage.read(v.path)) for v in (sampled, made))
    assert first.tobytes() == second.tobytes()


def test_a_rerun_starts_from_the_panel_that_was(server: Server, inverted: Version) -> None:
    outside_images.import_panel(
        inverted.plan, factories.png(color="red"), filename="a.png", actor=None
    )

    batch = again(server, inverted)

    assert hash_of_pixels(batch) == inverted.pixels_sha256
    assert Attempt.objects.get(run__batch=batch).panel == inverted.attempt.panel  # type: ignore[union-attr]


def test_a_rerun_of_a_changed_workflow_is_the_one_that_was(
    server: Server, sampled: Version
) -> None:
    changed = copy.deepcopy(flying.SAMPLED)
    changed["2"]["inputs"]["text"] = "a street"
    flying.workflow(changed)

    assert hash_of_pixels(again(server, sampled)) == sampled.pixels_sha256


@pytest.mark.parametrize("seed", [77, "77", "new"])
def test_another_seed_changes_the_seed_alone(seed: Any, server: Server, sampled: Version) -> None:
    batch = again(server, sampled, seed=seed)

    made, first = recipe_lookup.read(batch.versions.get().pk), recipe_lookup.read(sampled.pk)
    assert [difference.what for difference in differences(first, made)] == ["seed"]
    assert made["seed"] == batch.runs.get().seed
    assert hash_of_pixels(batch) != sampled.pixels_sha256


def test_several_variations_have_a_new_seed_each(server: Server, sampled: Version) -> None:
    batch = again(server, sampled, seed="new", variations=3)

    assert len(set(batch.runs.values_list("seed", flat=True))) == 3
    assert batch.versions.count() == 3


def test_a_recipe_on_other_plans_starts_from_their_panels(
    server: Server, inverted: Version
) -> None:
    other = factories.plans({"SQ0010": ["0020"]})[0]
    flying.panel(other, color="red")

    batch = again(server, inverted, plans=[("SQ0010", "0020")])

    made = batch.versions.get()
    assert (made.plan, made.number) == (other, 1)
    assert made.pixels_sha256 != inverted.pixels_sha256


def test_a_recipe_on_a_plan_without_a_panel_waits_for_it(inverted: Version) -> None:
    request = recipe_reruns.read(inverted.pk, plans=[("SQ0020", "0010")])

    batch = batches.create(request, requester=None)

    assert batch.runs.get().wait_reason == WaitReason.PANEL


def test_a_retry_with_other_values_is_no_rerun_any_more(server: Server, sampled: Version) -> None:
    batch = batches.create(recipe_reruns.read(sampled.pk), requester=None)
    PlanRun.objects.filter(batch=batch).update(params={"steps": 6})

    flying.finish(server, batch)

    assert recipe_lookup.read(batch.versions.get().pk)["parameters"]["steps"]["value"] == 6


def test_a_rerun_says_whose_recipe_it_follows(sampled: Version) -> None:
    batch = batches.create(recipe_reruns.read(sampled.pk), requester=None)

    events = list(batch.logs.values_list("event", flat=True))
    assert (batch.rerun_of, "rerun" in events) == (sampled, True)


@pytest.mark.parametrize(
    ("asked", "attr", "code"),
    [
        ({"seed": -1}, "seed", "out_of_bounds"),
        ({"seed": "random"}, "seed", "wrong_type"),
        ({"seed": 2**64}, "seed", "out_of_bounds"),
        ({"plans": [("SQ0010", "0010")] * 2}, "plans.1", "duplicate_plan"),
        ({"seed": 5, "variations": 2}, "seed", "seed_of_variations"),
    ],
)
def test_what_cannot_be_made_again_is_refused_with_its_place(
    asked: dict[str, Any], attr: str, code: str, sampled: Version
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        recipe_reruns.read(sampled.pk, **asked)

    assert [(p.attr, p.code) for p in refused.value.problems] == [(attr, code)]


def test_a_seed_for_a_picture_that_depends_on_none_is_refused(inverted: Version) -> None:
    with pytest.raises(InvalidRequest, match=r"No picture of Test\.json depends on a seed"):
        recipe_reruns.read(inverted.pk, seed="new")


def test_what_no_prompt_made_cannot_be_made_again(plans: Any) -> None:
    version = factories.version(plans[0], origin=Version.Origin.UPLOAD)

    with pytest.raises(Conflict) as refused:
        recipe_reruns.read(version.pk)

    assert refused.value.code == "not_rendered"


# The recipe itself --------------------------------------------------------------------------------


def test_a_recipe_tells_all_that_made_a_picture(server: Server, sampled: Version) -> None:
    recipe = recipe_lookup.read(sampled.pk)

    assert recipe["parameters"]["steps"] == {"value": 4, "source": "request"}
    assert recipe["parameters"]["cfg"] == {"value": 7.0, "source": "workflow"}
    assert recipe["models"] == ["RealVisXL_V5.0_fp16.safetensors"]
    assert (recipe["seed"], recipe["server"], recipe["attempt"]) == ("1234", server.name, 1)
    assert recipe["graph"] == Attempt.objects.get().graph
    assert [attempt["outcome"] for attempt in recipe["attempts"]] == ["done"]


def test_a_recipe_names_the_panel_and_the_comfyui_of_its_time(
    server: Server, inverted: Version
) -> None:
    Server.objects.update(version="9.9.9")

    recipe = recipe_lookup.read(inverted.pk)

    assert recipe["panel"] is not None
    assert recipe["panel"]["sha256"] == inverted.plan.versions.get(task="extracted-raw").sha256
    assert inverted.attempt is not None
    assert recipe["comfyui_version"] == (inverted.attempt.server_version or None)
    assert recipe["comfyui_version"] != "9.9.9"


@pytest.mark.parametrize("name", ["sha256", "pixels_sha256", "served_sha256"])
def test_a_recipe_is_found_by_each_of_its_hashes(name: str, sampled: Version) -> None:
    found = recipe_lookup.find(getattr(sampled, name).upper())

    assert (found["id"], found["also"]) == (sampled.pk, [])


def test_a_recipe_is_found_by_a_file_that_lost_its_metadata(sampled: Version) -> None:
    whole = pictures.opened(storage.read(sampled.path))
    stripped = pictures.encoded(whole, "WEBP", lossless=True)

    found = recipe_lookup.look_up(stripped)

    assert (found["id"], found["matched_by"]) == (sampled.pk, "pixels_sha256")


def test_of_several_with_the_same_pixels_the_first_one_is_told(
    server: Server, sampled: Version
) -> None:
    second = again(server, sampled).versions.get()

    found = recipe_lookup.find(sampled.pixels_sha256)

    assert (found["id"], found["also"]) == (sampled.pk, [second.pk])


def test_a_picture_that_nobody_made_here_has_no_recipe(sampled: Version) -> None:
    with pytest.raises(NotFound) as refused:
        recipe_lookup.look_up(factories.png(color="pink"))

    assert refused.value.code == "unknown_picture"


def test_recipes_differ_in_what_was_another(server: Server, sampled: Version) -> None:
    other = flying.sampled(params={"steps": 5, "cfg": 6.0})
    other.runs.update(seed="1234")
    flying.finish(server, other)

    first, second = recipe_lookup.read(sampled.pk), recipe_lookup.read(other.versions.get().pk)

    assert [tuple(each) for each in differences(first, second)] == [
        ("steps", 4, 5),
        ("cfg", 7.0, 6.0),
    ]


def test_a_recipe_of_a_plan_that_is_queued_again_is_the_one_that_was(sampled: Version) -> None:
    assert sampled.run is not None
    assert sampled.run.state == RunState.DONE
    assert recipe_lookup.read(sampled.pk)["origin"] == "render"
