"""The checks of one input of a node, and the words in which a real server refuses it."""

import math
from typing import Any, Protocol

from comfyui_preview.definitions import IMAGE_LOADERS, choices_of, options_of
from comfyui_preview.folders import Escape, Folders

NodeError = dict[str, Any]
# a longer list of choices is told by its length only
LISTED_CHOICES = 20
NUMBERS = ("INT", "FLOAT")


class Server(Protocol):
    """What the checks need to know of the server."""

    @property
    def generation(self) -> str:
        """Which era of the protocol it speaks."""


def _node_error(kind: str, message: str, details: str, **extra: Any) -> NodeError:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def missing_input(name: str) -> NodeError:
    """A required input is not there."""
    return _node_error("required_input_missing", "Required input is missing", name, input_name=name)


def bad_link(name: str, spec: list[Any], link: object) -> NodeError:
    """A list that is no link."""
    message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
    about = {"input_name": name, "input_config": spec, "received_value": link}
    return _node_error("bad_linked_input", message, name, **about)


def type_mismatch(name: str, spec: list[Any], link: object, received: str) -> NodeError:
    """A link from an output of another type."""
    details = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
    message = "Return type mismatch between linked nodes"
    about = {"input_name": name, "input_config": spec, "received_type": received}
    return _node_error("return_type_mismatch", message, details, **about, linked_node=link)


def failed_check(kind: str, name: str, trip: Exception, spec: list[Any] | None = None) -> NodeError:
    """A check that fell over a broken graph; an inner one names the input that led to it."""
    type_name = type(trip).__name__
    if spec is None:
        message = "Exception when validating node"
        return _node_error(kind, message, str(trip), exception_type=type_name)
    about = {"input_name": name, "input_config": spec, "exception_message": str(trip)}
    message = "Exception when validating inner node"
    return _node_error(kind, message, str(trip), **about, exception_type=type_name)


def types_fit(received: str, wanted: object) -> bool:
    """Whether an output's type may be linked to an input's; both may be unions or `*`."""
    if received == wanted or "*" in (received, wanted):
        return True
    if not isinstance(wanted, str):
        return False
    return set(received.split(",")) <= set(wanted.split(","))


def check_literal(
    given: dict[str, Any], name: str, spec: list[Any], server: Server
) -> list[NodeError]:
    """The errors of a literal input, which is rewritten to the type wanted (in place)."""
    if spec[0] in ("INT", "FLOAT", "STRING", "BOOLEAN"):
        try:
            given[name] = _converted(given[name], spec[0])
        except (TypeError, ValueError, OverflowError) as failure:
            return [_unconvertible(given, name, spec, failure)]
    return _check_range(given[name], name, spec) or _check_choice(given, name, spec, server)


def _converted(value: Any, kind: str) -> object:
    if isinstance(value, dict) and "__value__" in value:
        value = value["__value__"]
    match kind:
        case "INT":
            return int(value)
        case "FLOAT":
            return float(value)
        case "BOOLEAN":
            return bool(value)
        case _:
            return str(value)


def _unconvertible(
    given: dict[str, Any], name: str, spec: list[Any], failure: Exception
) -> NodeError:
    message = f"Failed to convert an input value to a {spec[0]} value"
    details = f"{name}, {given[name]}, {failure}"
    about = {"input_name": name, "input_config": spec, "received_value": given[name]}
    return _node_error(
        "invalid_input_type", message, details, **about, exception_message=str(failure)
    )


def _check_range(value: Any, name: str, spec: list[Any]) -> list[NodeError]:
    if spec[0] not in NUMBERS:
        return []
    bounds = options_of(spec)
    about = {"input_name": name, "input_config": spec, "received_value": value}
    if value < bounds.get("min", -math.inf):
        message = f"Value {value} smaller than min of {bounds['min']}"
        return [_node_error("value_smaller_than_min", message, name, **about)]
    if value > bounds.get("max", math.inf):
        message = f"Value {value} bigger than max of {bounds['max']}"
        return [_node_error("value_bigger_than_max", message, name, **about)]
    return []


def _check_choice(
    given: dict[str, Any], name: str, spec: list[Any], server: Server
) -> list[NodeError]:
    choices = choices_of(spec)
    is_new_form = spec[0] == "COMBO"
    unchecked = options_of(spec).get("image_upload") or (
        is_new_form and server.generation != "jobs"
    )
    if choices is None or unchecked or given[name] in choices:
        return []
    config: list[Any] | None = spec
    listed = str(choices)
    if len(choices) > LISTED_CHOICES:
        config, listed = None, f"(list of length {len(choices)})"
    about = {"input_name": name, "input_config": config, "received_value": given[name]}
    details = f"{name}: '{given[name]}' not in {listed}"
    return [_node_error("value_not_in_list", "Value not in list", details, **about)]


def check_image(kind: str, given: dict[str, Any], folders: Folders) -> list[NodeError]:
    """The own check of the image loaders: the file must be there."""
    name = given.get("image")
    if kind not in IMAGE_LOADERS or name is None or isinstance(name, list):
        return []
    try:
        is_file = folders.annotated(str(name)).is_file()
    except (Escape, OSError):
        is_file = False
    if is_file:
        return []
    message = "Custom validation failed for node"
    details = f"image - Invalid image file: {name}"
    return [_node_error("custom_validation_failed", message, details, input_name="image")]
