"""The node definitions as faults leave them: what a server lacks, how oddly it tells the rest."""

import copy
from typing import Any

from comfyui_preview.definitions import Definition, Definitions, choices_of, inputs_of
from comfyui_preview.faults import Faults

#: so many definitions like those of a server with very many extensions: some 5 MB
HUGE_CLASSES = 1500


def installed_definitions(faults: Faults, known: Definitions) -> Definitions:
    """The definitions that graphs are checked against: without what the server lacks."""
    models, classes = _named(faults, "missing_model"), _named(faults, "missing_class")
    if not models and not classes:
        return known
    left = {name: copy.deepcopy(each) for name, each in known.items() if name not in classes}
    for definition in left.values():
        for spec in definition["input"].get("required", {}).values():
            if isinstance(spec[0], list):
                spec[0] = [choice for choice in spec[0] if choice not in models]
    return left


def _named(faults: Faults, kind: str) -> set[str]:
    return {str(fault["match"]) for fault in faults.active() if fault["name"] == kind}


def shown_definitions(faults: Faults, known: Definitions) -> Definitions:
    """What GET /object_info answers: what is present, told as a fault wants it."""
    left = installed_definitions(faults, known)
    fault = faults.take("odd_object_info")
    if fault is None:
        return left
    how = fault.text("how", "huge")
    if how == "huge":
        return left | _many(left)
    return {name: _retold(definition, how) for name, definition in left.items()}


def _many(known: Definitions) -> Definitions:
    like = known.get("KSampler") or next(iter(known.values()))
    words = {"description": "Long words about what this node of an extension does. " * 40}
    names = [f"Extension{number}" for number in range(HUGE_CLASSES)]
    return {name: {**like, **words, "name": name} for name in names}


def _retold(definition: Definition, how: str) -> Definition:
    retold = copy.deepcopy(definition)
    for spec in inputs_of(retold).values():
        choices = choices_of(spec)
        if how == "bad_ranges":
            _spoil_range(spec)
        elif choices is not None:
            spec[:] = ["COMBO", _combo(choices, how)]
    return retold


def _spoil_range(spec: list[Any]) -> None:
    if spec[0] in ("INT", "FLOAT"):
        odd = {"default": 10**20, "min": float("nan"), "max": "many", "step": 0}
        spec[:] = [spec[0], odd]


def _combo(choices: list[Any], how: str) -> dict[str, Any]:
    if how == "remote_combos":
        return {"remote": {"route": "/internal/files/output", "refresh_button": True}}
    return {"options": choices, "multiselect": False}
