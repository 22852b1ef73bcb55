"""What a parameter of a workflow may be, and whether a value that was asked for fits."""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from generation.workflows.limits import DEFAULT
from wording import any_of, say

Kind: TypeAlias = Literal["INT", "FLOAT", "STRING", "COMBO", "IMAGE", "SEED", "BOOLEAN"]
#: How a parameter was found: by what the graph means, or by a title that names it.
Origin: TypeAlias = Literal["graph", "title"]
_SEED = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True)
class Scaled:
    """An input `(node id, input)` that moves in proportion with a parameter.

    The split of steps between two samplers, say, or the size of a second pass. `base` is the
    parameter's value in the file, beside which the input's own was chosen.
    """

    target: tuple[str, str]
    base: float


@dataclass(frozen=True)
class Parameter:
    """One thing about a workflow that can be changed.

    `targets` are the inputs `(node id, input)` that hold it, `scaled` those that follow it in
    proportion; `default` is what the graph says, or the preset that was chosen instead
    (`default_source`). Bounds include themselves, None where there is none. `options` is None when
    any text goes, which has at most `max_characters`. What is not offered cannot be asked for.
    """

    name: str
    type: Kind
    targets: tuple[tuple[str, str], ...]
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    default: object = None
    options: tuple[object, ...] | None = None
    scaled: tuple[Scaled, ...] = ()
    max_characters: int = DEFAULT.text_characters
    source: Origin = "graph"
    default_source: Literal["workflow", "preset"] = "workflow"
    label: str = ""
    order: int | None = None
    is_offered: bool = True


@dataclass(frozen=True)
class ParameterProblem:
    """Why one value cannot be used: stable `code`, and a sentence that names the bound."""

    name: str
    code: str
    detail: str


def check(
    params: Mapping[str, object], parameters: Mapping[str, Parameter]
) -> list[ParameterProblem]:
    """Return what is wrong with the values asked for: at most one problem each, none if all fit.

    Nothing is coerced: `"30"` and `true` are no numbers; an int is fine where a float is wanted,
    and the text of its digits where a seed is. Images are not given as values: Madsea
    uploads them. Source: protocol.md §3.4.
    """
    problems = [_problem(name, value, parameters) for name, value in params.items()]
    return [problem for problem in problems if problem]


def _problem(
    name: str, value: object, parameters: Mapping[str, Parameter]
) -> ParameterProblem | None:
    parameter = parameters.get(name)
    if parameter is None:
        return ParameterProblem(name, "unknown_parameter", _unknown(name, parameters))
    if not parameter.is_offered:
        detail = say(
            "{name} is not offered: whoever keeps the workflow has set it.", name=shown(name)
        )
        return ParameterProblem(name, "not_offered", detail)
    fault = _CHECKS[parameter.type](value, parameter)
    return ParameterProblem(name, fault[0], f"{name} {fault[1]}") if fault else None


Fault: TypeAlias = tuple[str, str] | None


def _unknown(name: str, parameters: Mapping[str, Parameter]) -> str:
    offered = [other for other, parameter in parameters.items() if parameter.is_offered]
    close = difflib.get_close_matches(name[:100], offered, n=3)
    hint = (
        say("did you mean {close}?", close=any_of(close))
        if close
        else say("it has {offered}.", offered=", ".join(sorted(offered)) or "none")
    )
    return say("The workflow has no parameter {name}; {hint}", name=shown(name), hint=hint)


def _check_int(value: object, parameter: Parameter) -> Fault:
    if isinstance(value, bool) or not isinstance(value, int):
        return _wrong_type(value, say("a whole number"))
    return _check_bounds(value, parameter)


def _check_seed(value: object, parameter: Parameter) -> Fault:
    """A seed may be a text as well, as it is given out: JavaScript counts no further than 2^53."""
    if isinstance(value, str):
        if not _SEED.fullmatch(value):
            return _wrong_type(value, say("a whole number, or a text of its digits"))
        value = int(value)
    return _check_int(value, parameter)


def _check_float(value: object, parameter: Parameter) -> Fault:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _wrong_type(value, "a number")
    if isinstance(value, float) and not math.isfinite(value):
        return ("not_finite", say("must be a finite number, not {value}.", value=value))
    return _check_bounds(value, parameter)


def _check_bounds(value: float, parameter: Parameter) -> Fault:
    low, high = parameter.minimum, parameter.maximum
    is_huge = isinstance(value, int) and value.bit_length() > 1023
    if (low is not None and value < low) or (high is not None and value > high) or is_huge:
        return (
            "out_of_bounds",
            say("must be {range}, not {value}.", range=_range(low, high), value=shown(value)),
        )
    return None


def _check_text(value: object, parameter: Parameter) -> Fault:
    if not isinstance(value, str):
        return _wrong_type(value, "a text")
    if len(value) > parameter.max_characters:
        size = f"{len(value):,}"
        return (
            "too_long",
            say(
                "has {size} characters; {max_characters:,} are allowed.",
                size=size,
                max_characters=parameter.max_characters,
            ),
        )
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return ("bad_text", say("holds characters that are no text (NUL or half of a pair)."))
    return None


def _check_option(value: object, parameter: Parameter) -> Fault:
    options = parameter.options
    fault = None if _has_numbers(options) else _check_text(value, parameter)
    if fault or options is None or any(_is_same(value, option) for option in options):
        return fault
    return (
        "not_in_list",
        say("must be one of {list}, not {value}.", list=_list(options), value=shown(value)),
    )


def _check_boolean(value: object, _: Parameter) -> Fault:
    return None if isinstance(value, bool) else _wrong_type(value, say("true or false"))


def _check_image(_: object, __: Parameter) -> Fault:
    return (
        "not_settable",
        say("is an image that Madsea uploads itself; it cannot be given by name."),
    )


_CHECKS = {
    "INT": _check_int,
    "SEED": _check_seed,
    "FLOAT": _check_float,
    "STRING": _check_text,
    "COMBO": _check_option,
    "BOOLEAN": _check_boolean,
    "IMAGE": _check_image,
}


def _wrong_type(value: object, wanted: str) -> Fault:
    return ("wrong_type", say("must be {wanted}, not {value}.", wanted=wanted, value=shown(value)))


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"between {low} and {high}"
    if low is not None:
        return say("at least {low}", low=low)
    return (
        say("at most {high}", high=high) if high is not None else say("a number of reasonable size")
    )


def _has_numbers(options: tuple[object, ...] | None) -> bool:
    return any(not isinstance(option, str) for option in options or ())


def _is_same(value: object, option: object) -> bool:
    """Compare a value with a choice: 2 is 2.0, but true is not 1, and "2" is a text."""
    return isinstance(value, bool) is isinstance(option, bool) and value == option


def _list(options: tuple[object, ...]) -> str:
    listed = ", ".join(str(option) for option in options[:50])
    return listed + (", …" if len(options) > 50 else "") if options else "nothing"


def shown(value: object) -> str:
    """Return the value for a message: as JSON writes it, and short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 200:
        return say("a number of more than sixty digits")
    text = repr(value) if isinstance(value, str | int | float) else f"a {_json_kind(value)}"
    return text if len(text) <= 80 else f"{text[:80]}…"


def _json_kind(value: object) -> str:
    return "list" if isinstance(value, list) else say("nested object")
