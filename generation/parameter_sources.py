"""Where the value of a parameter came from: each later one lies over those before it."""

from collections.abc import Mapping
from enum import StrEnum

from wording import Sentence, in_turn, to_say


class ValueSource(StrEnum):
    """Who decided a value, in the order of precedence; a seed that nobody gives is drawn."""

    WORKFLOW = "workflow"
    PRESET = "preset"
    STYLE = "style"
    VARIANT = "variant"
    REQUEST = "request"
    SEQUENCE = "sequence"
    PLAN = "plan"
    RETRY = "retry"
    DRAWN = "drawn"


#: Each parameter's source, by its name. What stands in none is the workflow's own.
Sources = Mapping[str, str]
#: Longer texts are cut where values are told in a sentence.
_TOLD_MAX = 60


def from_one(names: Mapping[str, object], source: ValueSource) -> dict[str, str]:
    """Return the sources of values that all came from the same place."""
    return dict.fromkeys(names, source.value)


#: How a value is told with each source.
_TOLD: Mapping[str, str] = {
    ValueSource.WORKFLOW: to_say("{name} {value} (workflow)"),
    ValueSource.PRESET: to_say("{name} {value} (preset)"),
    ValueSource.STYLE: to_say("{name} {value} (style)"),
    ValueSource.VARIANT: to_say("{name} {value} (light variant)"),
    ValueSource.REQUEST: to_say("{name} {value} (request)"),
    ValueSource.SEQUENCE: to_say("{name} {value} (sequence)"),
    ValueSource.PLAN: to_say("{name} {value} (plan)"),
    ValueSource.RETRY: to_say("{name} {value} (retry)"),
    ValueSource.DRAWN: to_say("{name} {value} (drawn)"),
}
_ALONE = "{name} {value}"


def values_with_sources(values: Mapping[str, object], sources: Sources) -> Sentence:
    """Return values with their sources for a sentence, by name: `cfg 7.5 (style), steps 30`."""
    return in_turn(
        (
            Sentence(_TOLD.get(sources.get(name, ""), _ALONE), {"name": name, "value": _short(of)})
            for name, of in sorted(values.items())
        ),
        ", ",
    )


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _TOLD_MAX else f"{text[:_TOLD_MAX]}…"
