"""Prompts that are refused, wholly or in part, or taken twice: §18.12 to 16."""

from typing import Any

from comfyui_preview.definitions import MODELS
from generation.services import servers
from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

REFUSED: dict[str, Any] = {
    "state": "error",
    "error": "graph_refused",
    "outcomes": ("error",),
    "renders": 0,
    "log": ("claimed", "failed"),
}
ELSEWHERE: dict[str, Any] = {
    "outcomes": ("refused", "done"),
    "log": ("claimed", "refused", "claimed", "posted", "published"),
}
CHECKPOINT = "RealVisXL_V5.0_fp16.safetensors"
CONFIG = ["INT", {"min": 1, "max": 10}]
WHY = {
    "required_input_missing": {"input_name": "image"},
    "bad_linked_input": {"input_name": "image", "input_config": ["IMAGE"], "received_value": [1]},
    "return_type_mismatch": {
        "input_name": "image",
        "input_config": ["IMAGE"],
        "received_type": "MASK",
        "linked_node": ["1", 1],
    },
    "invalid_input_type": {
        "input_name": "steps",
        "input_config": CONFIG,
        "received_value": "many",
        "exception_message": "invalid literal for int()",
    },
    "value_smaller_than_min": {
        "input_name": "steps",
        "input_config": CONFIG,
        "received_value": 0,
    },
    "value_bigger_than_max": {
        "input_name": "steps",
        "input_config": None,
        "received_value": 99,
    },
    "custom_validation_failed": {"input_name": "mask", "received_value": "odd.png"},
    "exception_during_validation": {"exception_type": "KeyError", "traceback": ["line 1"]},
    "exception_during_inner_validation": {
        "input_name": "image",
        "exception_type": "IndexError",
        "exception_message": "list index out of range",
        "linked_node": ["1", 7],
        "traceback": [],
    },
    "dependency_cycle": {},
}


def refusal(kind: str, node_errors: dict[str, Any] | None = None) -> Any:
    error = {"type": kind, "message": f"The words for {kind}", "details": "", "extra_info": {}}
    return strike("refuse_prompt", error=error, node_errors=node_errors or {})


def node_error(kind: str) -> dict[str, Any]:
    error: dict[str, object] = {"type": kind, "message": f"The words for {kind}", "details": ""}
    error["extra_info"] = WHY[kind]
    return {"2": {"class_type": "ImageInvert", "errors": [error], "dependent_outputs": ["3"]}}


def learn_models(scene: Scene) -> None:
    """Have it on record what each server has; then the first loses its checkpoint."""
    servers.look_at(scene.servers)
    scene.comfy.faults.set("missing_model", match=CHECKPOINT)


def learn_spelling(scene: Scene) -> None:
    servers.look_at(scene.servers)


def post_again(scene: Scene) -> bool:
    """Post the very prompt of ours a second time, as soon as the server has it."""
    if not scene.is_on_server() or scene.happened("accepted", 2):
        return scene.happened("deleted")
    attempt = scene.attempt
    body = {"prompt": attempt.graph, "prompt_id": scene.prompt_id, "client_id": "a second driver"}
    scene.post("/prompt", body).raise_for_status()
    return False


def takes_back_slashes() -> dict[str, Any]:
    return {"models": MODELS | {"checkpoints": [f"XL\\{CHECKPOINT}"]}}


def in_folder() -> dict[str, Any]:
    graph = dict(flying.SAMPLED)
    graph["1"] = {**graph["1"], "inputs": {"ckpt_name": f"XL/{CHECKPOINT}"}}
    return graph


CASES = (
    *(
        Case(12, f"400 `{kind}`", f"`refuse_prompt` with `{kind}`", (refusal(kind),), **REFUSED)
        for kind in ("no_prompt", "invalid_prompt", "missing_node_type", "prompt_no_outputs")
    ),
    Case(
        12,
        "400 with neither details nor node errors",
        "`refuse_prompt`, as of a cycle on 0.3.64",
        (refusal("prompt_outputs_failed_validation"),),
        **REFUSED,
    ),
    *(
        Case(
            12,
            f"400 with the node error `{kind}`",
            f"`refuse_prompt` with `{kind}`",
            (refusal("prompt_outputs_failed_validation", node_error(kind)),),
            **REFUSED,
        )
        for kind in WHY
    ),
    Case(
        13,
        "200, but some outputs are dropped",
        "`partial_node_errors`, the server taking a minute a plan",
        (strike("partial_node_errors", node_errors=node_error("required_input_missing")),),
        plays={"seconds_per_plan": 60},
        graph=flying.SAMPLED,
        state="error",
        error="partly_refused",
        outcomes=("error",),
        renders=0,
        log=("claimed", "failed"),
    ),
    Case(
        14,
        "a model is missing on this server only",
        "`missing_model` after its lists were read; another server has it",
        before=learn_models,
        graph=flying.SAMPLED,
        n_servers=2,
        **ELSEWHERE,
    ),
    Case(
        14,
        "a model is spelled with a back-slash on this server",
        "a preview server with `XL\\…`, a workflow with `XL/…`",
        before=learn_spelling,
        graph=in_folder(),
        plays=takes_back_slashes(),
    ),
    Case(
        15,
        "only lowercase UUIDs are taken as ids",
        "a preview server that plays ComfyUI 0.38.1",
        plays={"generation": "jobs"},
    ),
    Case(
        16,
        "the same id is taken twice",
        "a second driver posts our prompt again, as if thawed; the double is deleted",
        meanwhile=post_again,
        log=("claimed", "posted", "doubled", "published"),
        graph=flying.SAMPLED,
        plays={"seconds_per_plan": 3.0},
    ),
)
