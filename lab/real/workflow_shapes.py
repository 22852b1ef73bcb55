"""The shapes of graphs that a real server is held against: the tests' own graphs, small."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.real.graphs import Graph

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "workflows"
#: A document of the editor, and what ComfyUI's own page exports of it.
DOCUMENT, EXPORT = (DATA / "editor" / f"h01_plain.{kind}.json" for kind in ("ui", "api"))
#: Other values than those of the files.
ASKED = {"steps": 4, "prompt": "a fox of paper", "cfg": 5.0}


@dataclass(frozen=True)
class Shape:
    """One workflow: its name, its file, and what is asked of it.

    `reached` are the inputs that each parameter must reach at least, `executed` inputs that must
    have these values; `asks` is the question that the graph leaves open, with its answer; `images`
    how many pictures a prompt saves; `classes` those that older servers do not have.
    """

    name: str
    content: bytes
    params: Mapping[str, Any]
    reached: Mapping[str, Sequence[str]]
    executed: Mapping[str, object] = field(default_factory=dict)
    asks: tuple[str, str] | None = None
    images: int = 1
    classes: tuple[str, ...] = ()

    @property
    def workflow(self) -> str:
        """The name under which it is given."""
        return f"{self.name.replace(' ', '_')}.json"


def shapes() -> list[Shape]:
    """Return the shapes that are given as files."""
    without_cfg = {name: value for name, value in ASKED.items() if name != "cfg"}
    return [
        _of_tests(
            "two loaders",
            "c11_two_loadimages",
            ASKED,
            asks=("which_panel", "11"),
            executed={"70.image": "styleref.png"},
        ),
        _of_tests("batch of four", "c17_batch4", ASKED, images=4),
        # The file has 4 steps, of which the refiner does the last: twice as many move the split.
        _of_tests(
            "base and refiner",
            "c02_base_refiner",
            {**ASKED, "steps": 8},
            executed={"17.end_at_step": 6, "18.start_at_step": 6},
        ),
        _of_tests("hires fix", "c01_hires_fix", ASKED),
        _of_tests("custom advanced sampler", "c04_flux_custom_advanced", without_cfg),
        Shape(
            "editor's document",
            DOCUMENT.read_bytes(),
            {**ASKED, "steps": 2},
            {"seed": ["8.seed"], "steps": ["8.steps"], "prompt": ["3.text"]},
        ),
        Shape(
            "newer nodes",
            json.dumps(_newer()).encode(),
            ASKED,
            {"seed": ["3.seed"], "steps": ["31.value"], "lora": ["10.lora_name"]},
            executed={"32.value": 3},
            classes=("ComfySwitchNode", "ResizeImageMaskNode"),
        ),
    ]


def graph(name: str) -> Graph:
    """Return one of the tests' own graphs."""
    found: Graph = json.loads((DATA / "graphs" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _newer() -> Graph:
    """Return a graph with a choice that brings inputs, and switches for its model and steps."""
    on_true = {"switch": True, "on_true": ["31", 0], "on_false": ["32", 0]}
    resized = {"input": ["11", 0], "resize_type": "scale dimensions", "scale_method": "area"}
    size = {"resize_type.width": 64, "resize_type.height": 64, "resize_type.crop": "center"}
    found = graph("b_img2img") | {
        "12": _node("ResizeImageMaskNode", **resized, **size),
        "30": _node("ComfySwitchNode", **{**on_true, "on_true": ["10", 0], "on_false": ["4", 0]}),
        "31": _node("PrimitiveInt", value=2),
        "32": _node("PrimitiveInt", value=3),
        "33": _node("ComfySwitchNode", **on_true),
    }
    found["3"]["inputs"] |= {"model": ["30", 0], "steps": ["33", 0]}
    return found


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _of_tests(name: str, file: str, params: Mapping[str, Any], **more: Any) -> Shape:
    expected = json.loads((DATA / "graphs" / "expected.json").read_text(encoding="utf-8"))[file]
    content = json.dumps(_CHANGED.get(file, deepcopy)(graph(file))).encode()
    return Shape(name, content, params, expected["expect"], **more)


def _untitled(found: Graph) -> Graph:
    """Take away the title by which the second loader is known not to be the panel's."""
    found["70"]["_meta"]["title"] = "Load Image"
    return found


def _refined(found: Graph) -> Graph:
    """Let the refiner be another checkpoint than the base."""
    found["20"]["inputs"]["ckpt_name"] = "tiny_refiner.safetensors"
    return found


_CHANGED = {"c11_two_loadimages": _untitled, "c02_base_refiner": _refined}
