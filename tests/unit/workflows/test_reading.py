"""What is told is what a picture is made with: seeds, passes, sizes, texts, results, panels."""

from typing import Any

import pytest
from graphs import changed, corpus, node, read, targets

from generation.workflows import substitution
from generation.workflows.graph import Graph


def applied(loaded: Graph, **values: Any) -> Graph:
    return substitution.apply(loaded, values, read(loaded).parameters)


def inputs(loaded: Graph, node_id: str, *names: str) -> list[object]:
    return [loaded[node_id]["inputs"][name] for name in names]


def test_both_passes_draw_from_one_seed() -> None:
    assert targets(read(corpus("c01_hires_fix")), "seed") == ["3.seed", "14.seed"]


def test_the_seed_of_base_and_refiner_reaches_the_base() -> None:
    assert "17.noise_seed" in targets(read(corpus("c02_base_refiner")), "seed")


@pytest.mark.parametrize(
    ("sampler", "wanted"), [("euler", []), ("euler_ancestral", ["3.noise_seed"])]
)
def test_a_sampler_that_adds_no_noise_has_a_seed_only_if_it_draws_some(
    sampler: str, wanted: list[str]
) -> None:
    loaded = changed("c03_ksampler_advanced", n3={"add_noise": "disable", "sampler_name": sampler})

    assert targets(read(loaded), "seed") == wanted


def test_a_graph_without_noise_has_no_seed() -> None:
    loaded = changed("c04_flux_custom_advanced")
    loaded["25"] = node("DisableNoise")  # type: ignore[assignment]

    assert "seed" not in read(loaded).parameters


def test_a_seed_that_other_nodes_compute_is_neither_set_nor_told() -> None:
    loaded = changed("b_img2img", n3={"seed": ["60", 0]})
    loaded["60"] = node("IntMath", a=5, b=7)  # type: ignore[assignment]

    found = read(loaded)

    assert "seed" not in found.parameters
    assert [warning.code for warning in found.warnings] == ["seed_not_settable"]


@pytest.mark.parametrize("helper", [{"seed": 3, "mode": "randomize"}, {"seed": -1}])
def test_a_seed_node_of_an_extension_holds_the_seed(helper: dict[str, Any]) -> None:
    loaded = changed("b_img2img", n3={"seed": ["60", 0]})
    loaded["60"] = node("Seed (rgthree)", **helper)  # type: ignore[assignment]

    assert targets(read(loaded), "seed") == ["60.seed"]


def test_a_noise_on_the_way_that_is_no_sampler_gets_the_seed_too() -> None:
    loaded = changed("b_img2img", n6={"text": ["60", 0]})
    loaded["60"] = node("Wildcards", text="a {red|blue} coat", seed=4)  # type: ignore[assignment]

    assert targets(read(loaded), "seed") == ["60.seed", "3.seed"]


def test_more_steps_move_the_split_of_base_and_refiner() -> None:
    loaded = applied(corpus("c02_base_refiner"), steps=40)

    assert inputs(loaded, "17", "steps", "end_at_step") == [40, 30]
    assert inputs(loaded, "18", "steps", "start_at_step", "end_at_step") == [40, 30, 10000]


def test_a_second_size_keeps_its_ratio_to_the_first() -> None:
    loaded = corpus("c01_hires_fix")
    loaded["5"] = node("EmptyLatentImage", width=64, height=64, batch_size=1)  # type: ignore[assignment]

    wider = applied(loaded, width=128, height=32)

    assert inputs(wider, "5", "width", "height") == [128, 32]
    assert inputs(wider, "13", "width", "height") == [192, 48]


def test_what_differs_in_the_file_has_a_name_of_its_own_and_what_does_not_shares_one() -> None:
    found = read(corpus("c01_hires_fix"))

    assert targets(found, "steps") == ["3.steps", "14.steps"]
    assert (targets(found, "cfg"), targets(found, "cfg_2")) == (["3.cfg"], ["14.cfg"])


def test_the_pieces_of_a_prompt_have_names_in_their_order() -> None:
    found = read(corpus("c09_string_concatenate"))

    assert (targets(found, "prompt"), targets(found, "prompt_2")) == (
        ["60.string_a"],
        ["60.string_b"],
    )


def test_loras_are_counted_from_the_sampler() -> None:
    found = read(corpus("c07_two_loras"))

    assert (targets(found, "lora"), targets(found, "lora_2")) == (
        ["19.lora_name"],
        ["10.lora_name"],
    )


def test_strengths_that_differ_are_two_parameters() -> None:
    found = read(changed("b_img2img", n10={"strength_clip": 0.3}))

    assert targets(found, "lora_strength") == ["10.strength_model"]
    assert targets(found, "lora_strength_clip") == ["10.strength_clip"]


def test_a_guidance_is_no_cfg() -> None:
    found = read(corpus("c04_flux_custom_advanced"))

    assert (targets(found, "guidance"), targets(found, "cfg")) == (["26.guidance"], [])


def test_a_width_that_a_picture_gives_is_no_parameter() -> None:
    loaded = corpus("c10_no_loadimage")
    loaded["11"] = node("LoadImage", image="panel.png")  # type: ignore[assignment]
    loaded["12"] = node("GetImageSize", image=["11", 0])  # type: ignore[assignment]
    loaded["5"]["inputs"] |= {"width": ["12", 0], "height": ["12", 1]}

    assert not {"width", "height"} & read(loaded).parameters.keys()


def test_an_earlier_pass_that_is_saved_too_is_no_rival_and_is_told() -> None:
    loaded = corpus("c01_hires_fix")
    loaded["80"] = node("VAEDecode", samples=["3", 0], vae=["4", 2])  # type: ignore[assignment]
    loaded["81"] = node("SaveImage", images=["80", 0], filename_prefix="x")  # type: ignore[assignment]

    found = read(loaded)

    assert (found.result, found.questions) == ("9", ())
    assert [(warning.code, warning.node) for warning in found.warnings] == [("saved_beside", "81")]


def test_two_ways_of_finishing_one_picture_are_a_question() -> None:
    loaded = corpus("b_img2img")
    loaded["80"] = node("ImageInvert", image=["8", 0])  # type: ignore[assignment]
    loaded["81"] = node("SaveImage", images=["80", 0], filename_prefix="x")  # type: ignore[assignment]
    loaded["82"] = node("ImageBlur", image=["8", 0], blur_radius=1, sigma=1.0)  # type: ignore[assignment]
    loaded["9"]["inputs"]["images"] = ["82", 0]

    assert [question.code for question in read(loaded).questions] == ["which_result"]


def test_a_saver_that_only_a_server_knows_is_the_result() -> None:
    takes = {"images": ["IMAGE"], "filename_prefix": ["STRING"]}
    definition = {"input": {"required": takes}, "output": [], "output_node": True}
    loaded = corpus("b_img2img")
    loaded["9"] = node("Keep", images=["8", 0], filename_prefix="a")  # type: ignore[assignment]

    assert read(loaded, Keep=definition).result == "9"


def test_a_saver_of_an_extension_that_no_server_told_is_known_by_its_name() -> None:
    loaded = corpus("b_img2img")
    loaded["9"] = node("Image Save", images=["8", 0], filename_prefix="a")  # type: ignore[assignment]

    assert read(loaded).result == "9"


def test_pictures_of_a_batch_are_counted() -> None:
    loaded = corpus("c17_batch4")
    loaded["5b"] = node("RepeatLatentBatch", samples=["5", 0], amount=3)  # type: ignore[assignment]
    loaded["3"]["inputs"]["latent_image"] = ["5b", 0]

    found = read(loaded)

    assert found.images == 12
    assert [warning.code for warning in found.warnings] == ["several_images"]


def test_a_style_reference_is_not_the_panel() -> None:
    loaded = corpus("c10_no_loadimage")
    loaded["50"] = node("LoadImage", "House look", image="look.png")  # type: ignore[assignment]
    loaded["51"] = node("IPAdapterAdvanced", model=["4", 0], image=["50", 0])  # type: ignore[assignment]
    loaded["3"]["inputs"]["model"] = ["51", 0]

    assert read(loaded).panel is None


def test_two_pictures_of_equal_rank_are_a_question() -> None:
    loaded = corpus("c11_two_loadimages")
    loaded["70"]["_meta"]["title"] = "Load Image"

    (question,) = read(loaded).questions

    assert (question.code, sorted(question.options)) == ("which_panel", ["11", "70"])


def test_a_picture_that_is_only_a_mask_is_not_the_panel() -> None:
    loaded = corpus("b_img2img")
    loaded["60"] = node("LoadImage", image="hole.png")  # type: ignore[assignment]
    loaded["61"] = node("ImageToMask", image=["60", 0], channel="red")  # type: ignore[assignment]
    loaded["62"] = node("SetLatentNoiseMask", samples=["5", 0], mask=["61", 0])  # type: ignore[assignment]
    loaded["3"]["inputs"]["latent_image"] = ["62", 0]

    found = read(loaded)

    assert (found.panel, found.questions) == (("11", "image"), ())


def test_a_choice_of_numbers_is_given_as_a_number() -> None:
    kind = {
        "input": {"required": {"image": ["IMAGE"], "factor": [[2, 4], {}]}},
        "output": ["IMAGE"],
    }
    loaded = corpus("b_img2img")
    loaded["40"] = node("Enlarge", "@factor.factor", image=["8", 0], factor=2)  # type: ignore[assignment]
    loaded["9"]["inputs"]["images"] = ["40", 0]
    known = read(loaded, Enlarge=kind).parameters

    assert [problem.code for problem in substitution.check({"factor": 4}, known)] == []
    assert [problem.code for problem in substitution.check({"factor": 3}, known)] == ["not_in_list"]


@pytest.mark.parametrize("title", ["@", "@Steps", "@sampler-x", "@sampler", "@sampler.nothing"])
def test_a_title_that_names_no_parameter_is_a_warning(title: str) -> None:
    loaded = corpus("b_img2img")
    loaded["3"]["_meta"]["title"] = title

    found = read(loaded)

    assert [warning.code for warning in found.warnings] == ["bad_title"]
    assert targets(found, "steps") == ["3.steps"]


def test_one_title_on_values_of_two_types_is_a_warning_and_no_parameter() -> None:
    loaded = corpus("b_img2img")
    loaded["3"]["_meta"]["title"] = "@strange.scheduler"
    loaded["12"]["_meta"]["title"] = "@strange.width"

    found = read(loaded)

    assert "strange" not in found.parameters
    assert [warning.code for warning in found.warnings] == ["mixed_types"]


def test_a_seed_that_is_no_whole_number_is_a_warning_and_no_seed() -> None:
    loaded = corpus("b_img2img")
    loaded["11"]["_meta"]["title"] = "@seed"

    found = read(loaded)

    assert "seed" not in found.parameters
    assert [warning.code for warning in found.warnings] == ["bad_seed"]


def test_a_long_chain_is_read() -> None:
    loaded = corpus("b_img2img")
    for number in range(3000):
        source = "8" if number == 0 else f"x{number - 1}"
        loaded[f"x{number}"] = node("ImageInvert", image=[source, 0])  # type: ignore[assignment]
    loaded["9"]["inputs"]["images"] = ["x2999", 0]

    assert targets(read(loaded), "prompt") == ["6.text"]
