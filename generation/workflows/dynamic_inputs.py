"""Inputs that a node has only for some of its values, which newer nodes call dynamic.

A choice may bring inputs of its own: “resize_type”, and for one of its values
“resize_type.width”. A list of inputs grows as far as it is used: “images.image0” and on.
Source: what GET /object_info of ComfyUI 0.8.0 says of `ResizeImageMaskNode` and `BatchImagesNode`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from generation.comfyui.untrusted_json import Json, as_list, as_mapping

CHOICE, GROWING, SLOT = "COMFY_DYNAMICCOMBO_V3", "COMFY_AUTOGROW_V3", "COMFY_DYNAMICSLOT_V3"
_DYNAMIC = frozenset({CHOICE, GROWING, SLOT})
#: A list of inputs never grows beyond this, whatever a server says.
_GROWN_MOST = 100
_DEPTH_MAX = 8


class Input(NamedTuple):
    """One input of a node: its whole name, `[type, options]`, and whether it must be given."""

    name: str
    spec: object
    required: bool


def has_any(definition: object) -> bool:
    """Tell whether a class has inputs that depend on a node's values."""
    groups = as_mapping(as_mapping(definition).get("input"))
    specs = (
        spec
        for group in ("required", "optional")
        for spec in as_mapping(groups.get(group)).values()
    )
    return any(_kind(spec) in _DYNAMIC for spec in specs)


def inputs(definition: object, values: Mapping[str, object]) -> Iterator[Input]:
    """Yield the inputs that a node with these values has, in the order of its definition.

    `values` may be filled meanwhile: what a choice brings is looked up after it was yielded.
    """
    groups = as_mapping(definition)
    yield from _of_groups(
        "", as_mapping(groups.get("input")), as_mapping(groups.get("input_order")), values
    )


def _of_groups(
    prefix: str, groups: Json, order: Json, values: Mapping[str, object]
) -> Iterator[Input]:
    for group in ("required", "optional"):
        specs = as_mapping(groups.get(group))
        first = [str(name) for name in as_list(order.get(group)) if str(name) in specs]
        for name in dict.fromkeys([*first, *specs]):
            yield from _spread(Input(f"{prefix}{name}", specs[name], group == "required"), values)


def _spread(found: Input, values: Mapping[str, object]) -> Iterator[Input]:
    """Yield an input, or the inputs that it stands for."""
    kind = _kind(found.spec)
    if kind == CHOICE:
        yield from _chosen(found, values)
    elif kind == GROWING:
        yield from _grown(found, values)
    elif kind != SLOT:
        yield found


def _chosen(found: Input, values: Mapping[str, object]) -> Iterator[Input]:
    """Yield a choice, then the inputs that its value brings; without a value it is the first."""
    options = [as_mapping(option) for option in as_list(_options(found.spec).get("options"))]
    keys = [option.get("key") for option in options]
    yield Input(found.name, ["COMBO", {"options": keys}], found.required)
    value = values.get(found.name)
    chosen = keys[0] if value is None and keys else value
    for option in options:
        if option.get("key") == chosen and found.name.count(".") < _DEPTH_MAX:
            yield from _of_groups(f"{found.name}.", as_mapping(option.get("inputs")), {}, values)


def _grown(found: Input, values: Mapping[str, object]) -> Iterator[Input]:
    """Yield the inputs of a list that a node uses, and those that it must have."""
    template = as_mapping(_options(found.spec).get("template"))
    groups = as_mapping(template.get("input"))
    specs = {**as_mapping(groups.get("optional")), **as_mapping(groups.get("required"))}
    spec = next(iter(specs.values()), None)
    least = template.get("min")
    for number, own in enumerate(_names(template)):
        name = f"{found.name}.{own}"
        is_required = found.required and isinstance(least, int) and number < least
        if name in values or is_required:
            yield Input(name, spec, is_required)


def _names(template: Json) -> list[str]:
    own = [str(name) for name in as_list(template.get("names"))]
    most = template.get("max")
    n_most = min(most, _GROWN_MOST) if isinstance(most, int) else _GROWN_MOST
    return own[:_GROWN_MOST] or [f"{template.get('prefix', '')}{n}" for n in range(n_most)]


def _kind(spec: object) -> object:
    parts = as_list(spec)
    return parts[0] if parts and isinstance(parts[0], str) else ""


def _options(spec: object) -> Json:
    parts = as_list(spec)
    return as_mapping(parts[1]) if len(parts) > 1 else {}
