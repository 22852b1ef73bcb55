"""What the nodes of a server take, read from its definitions (GET /object_info) or from ours.

Shape: `{class: {"input": {"required": {name: [type, options]}, "optional": …}, "output": […]}}`.
Source: protocol.md §13.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from generation.comfyui.untrusted_json import Json, as_list, as_mapping, number, strings
from generation.workflows import dynamic_inputs

Definitions: TypeAlias = Mapping[str, object]
WIDGETS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"})
#: What takes or gives the type of whatever a node is linked to.
MATCHED = "COMFY_MATCHTYPE_V3"
#: Types that fit all others: what they are is told by neither end of a link.
ANY = frozenset({"*", "ANY", "", MATCHED})
#: Of a node that is not known.
_NO_VALUES: Mapping[str, object] = {}
_SHIPPED = Path(__file__).parent / "core.json"


@dataclass(frozen=True)
class InputSpec:
    """What one input of a class takes.

    `kind` is `INT`, `FLOAT`, `STRING`, `BOOLEAN`, `COMBO` or the type of a link (`MODEL`).
    `options` is None when any value may be given: no COMBO, or one whose list is not known,
    such as the model files in the definitions that Madsea ships.
    """

    kind: str
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: tuple[object, ...] | None = None
    is_upload: bool = False
    is_seed: bool = False


@cache
def shipped_definitions() -> Definitions:
    """Return the definitions that Madsea ships, for when no server can be asked.

    Their lists of model files carry `open_list`: what a studio's servers have is not known.
    """
    return as_mapping(json.loads(_SHIPPED.read_text(encoding="utf-8")))


def inputs_of(
    definitions: Definitions, class_type: str, values: Mapping[str, object] = _NO_VALUES
) -> dict[str, InputSpec] | None:
    """Return what each input of the class takes; None when the class is not defined.

    `values` are the inputs of a node, on which dynamic ones depend.
    """
    if class_type not in definitions:
        return None
    inputs = dynamic_inputs.inputs(definitions[class_type], values)
    return {name: _spec(spec, required=required) for name, spec, required in inputs}


def has_dynamic_inputs(definitions: Definitions, class_type: str) -> bool:
    """Tell whether the inputs of a class depend on a node's values."""
    return dynamic_inputs.has_any(definitions.get(class_type))


def input_spec(
    definitions: Definitions,
    class_type: str,
    name: str,
    values: Mapping[str, object] = _NO_VALUES,
) -> InputSpec | None:
    """Return what the input takes; None when the class, or its input, is not defined."""
    return (inputs_of(definitions, class_type, values) or {}).get(name)


def is_choice(definitions: Definitions, class_type: str, name: str) -> bool:
    """Tell whether the input takes one of a list that does not grow with what is uploaded."""
    spec = input_spec(definitions, class_type, name)
    return spec is not None and spec.kind == "COMBO" and not spec.is_upload


def output_types(definitions: Definitions, class_type: str) -> tuple[str, ...]:
    """Return the types of what the class gives, in the order of its slots."""
    given = as_list(as_mapping(definitions.get(class_type)).get("output"))
    # A list of choices is the type of a COMBO, in the older form.
    return tuple(kind if isinstance(kind, str) else "COMBO" for kind in given)


def tells_outputs(definitions: Definitions, class_type: str) -> bool:
    """Tell whether the definitions say what the class gives, be it nothing."""
    return isinstance(as_mapping(definitions.get(class_type)).get("output"), list)


def output_names(definitions: Definitions, class_type: str) -> tuple[str, ...]:
    """Return what the slots of what the class gives are called, in their order."""
    return strings(as_mapping(definitions.get(class_type)).get("output_name"))


def is_output(definitions: Definitions, class_type: str) -> bool:
    """Tell whether a server executes a node of this class for its own sake."""
    return as_mapping(definitions.get(class_type)).get("output_node") is True


def without_uploads(definitions: Definitions) -> Json:
    """Return the definitions without the inputs whose lists grow with each file that is uploaded.

    What is left changes only with what is installed on a server.
    """
    return {name: _without_uploads(as_mapping(node)) for name, node in definitions.items()}


def _without_uploads(node: Json) -> Json:
    groups = {
        group: {name: spec for name, spec in as_mapping(specs).items() if not _takes_uploads(spec)}
        for group, specs in as_mapping(node.get("input")).items()
    }
    return node | {"input": groups}


def _takes_uploads(spec: object) -> bool:
    options = as_mapping((as_list(spec) or [None])[-1])
    return any(name.endswith("_upload") and value for name, value in options.items())


def _spec(spec: object, *, required: bool) -> InputSpec:
    """Read `[type, options]`, where the type may be the list of a COMBO itself."""
    parts = as_list(spec)
    kind = parts[0] if parts else ""
    options = as_mapping(parts[1]) if len(parts) > 1 else {}
    return InputSpec(
        kind="COMBO" if isinstance(kind, list) else str(kind),
        required=required,
        minimum=_bound(options.get("min")),
        maximum=_bound(options.get("max")),
        step=_bound(options.get("step")),
        options=_combo(kind, options),
        is_upload=bool(options.get("image_upload")),
        is_seed=bool(options.get("control_after_generate")),
    )


def _combo(kind: object, options: Json) -> tuple[object, ...] | None:
    """Return the choices of either form of COMBO; None for an open list and for other types.

    Choices may be numbers; whatever is neither text nor number is told as its text.
    """
    choices = kind if isinstance(kind, list) else options.get("options")
    is_combo = isinstance(kind, list) or kind == "COMBO"
    if not is_combo or not isinstance(choices, list) or options.get("open_list") is True:
        return None
    return tuple(c if isinstance(c, str | int | float) else str(c) for c in choices)


def _bound(value: object) -> float | None:
    """Return a finite number as it is: the bound of a seed, 2**64 - 1, is no exact float."""
    return value if isinstance(value, int | float) and number(value) is not None else None
