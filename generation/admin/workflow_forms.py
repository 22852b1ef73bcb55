"""The forms of a workflow's page: its contract, a file of it, and one plan to try it on."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.models import Plan, Style, Version
from generation.services import workflow_descriptions
from generation.services.contract_editing import LABEL_MAX, ORDER_MAX
from generation.workflows import graph as graphs
from generation.workflows.contract import Contract
from generation.workflows.contract_choices import (
    NONE_OF_THEM,
    PAINTED_MASK,
    WHICH_PANEL,
    WHICH_RESULT,
)
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter
from wording import say

_CHOICES = {
    "offered": say("offered"),
    "label": say("label"),
    "order": say("order"),
    "min": say("min"),
    "max": say("max"),
    "preset": say("preset"),
}
FIELDS = tuple(_CHOICES)
#: Stands for “as the graph tells it”, and for “none of them”, in a list of nodes.
_UNANSWERED, _NONE = "", "none"
PLANS_SHOWN = 200


class ContractForm(forms.Form):
    """What is answered and chosen; fields are named `<parameter>:<choice>` and by questions."""

    def __init__(self, graph: Graph, contract: Contract, chosen: Mapping[str, Any], *args: Any):
        super().__init__(*args)
        self._graph = graph
        self.parameters = workflow_descriptions.parameters(contract)
        self._add_questions(contract, dict(chosen.get("answers", {})))
        for parameter in self.parameters:
            held = dict(chosen.get("parameters", {})).get(parameter.name, {})
            self._add_parameter(parameter, held)

    def _add_questions(self, contract: Contract, answered: Mapping[str, Any]) -> None:
        savers = [saver.node_id for saver in contract.savers if saver.is_picture]
        if len(savers) > 1:
            self._add_question(WHICH_RESULT, say("The plan's picture"), savers, answered)
        if contract.loaders:
            self._add_question(WHICH_PANEL, say("Takes the panel"), contract.loaders, answered)
        asked = {question.code for question in contract.questions}
        if PAINTED_MASK in asked or PAINTED_MASK in answered:
            self.fields[PAINTED_MASK] = forms.BooleanField(
                label=_("The mask painted on the panel may be lost"),
                required=False,
                initial=PAINTED_MASK in answered,
            )
            self._panel = contract.panel[0] if contract.panel else None

    def _add_question(
        self, code: str, label: str, nodes: Iterable[str], answered: Mapping[str, Any]
    ) -> None:
        choices = [
            (_UNANSWERED, say("as the graph tells it")),
            *((n, self._called(n)) for n in nodes),
        ]
        if code == WHICH_PANEL:
            choices.append((_NONE, say("none of them")))
        node_id = dict(answered.get(code, {})).get("node")
        initial = _UNANSWERED if node_id is None else _NONE if node_id == NONE_OF_THEM else node_id
        self.fields[code] = forms.ChoiceField(
            label=label, choices=choices, required=False, initial=initial
        )

    def _called(self, node_id: str) -> str:
        node = self._graph[node_id]
        return say(
            "{node_id} · {title}", node_id=node_id, title=graphs.title(node) or node["class_type"]
        )

    def _add_parameter(self, parameter: Parameter, chosen: Mapping[str, Any]) -> None:
        node_id, held = parameter.targets[0]
        of_file = self._graph[node_id]["inputs"][held]
        number = forms.FloatField if parameter.type == "FLOAT" else forms.IntegerField
        is_number = parameter.type in {"INT", "FLOAT", "SEED"}
        fields: dict[str, forms.Field] = {
            "offered": forms.BooleanField(required=False, initial=parameter.is_offered),
            "label": forms.CharField(required=False, max_length=LABEL_MAX),
            "order": forms.IntegerField(required=False, min_value=0, max_value=ORDER_MAX),
            "preset": _preset_field(parameter, say("as in the file: {of_file}", of_file=of_file)),
        }
        if is_number:
            fields |= {"min": number(required=False), "max": number(required=False)}
        hints = {
            "label": say("label"),
            "order": say("order"),
            "min": parameter.minimum,
            "max": parameter.maximum,
            "preset": of_file,
        }
        for name, field in fields.items():
            hint = hints.get(name)
            field.widget.attrs["placeholder"] = "" if hint is None else str(hint)
            if name in chosen and name != "offered":
                field.initial = chosen[name]
            field.widget.attrs |= {
                "aria-label": say("{label}: {value}", label=parameter.name, value=_CHOICES[name]),
                "class": "madsea-input",
            }
            self.fields[f"{parameter.name}:{name}"] = field

    def questions(self) -> list[forms.BoundField]:
        """Return the fields that answer questions."""
        return [
            self[code] for code in (WHICH_RESULT, WHICH_PANEL, PAINTED_MASK) if code in self.fields
        ]

    def rows(self) -> list[tuple[Parameter, dict[str, Any]]]:
        """Return each parameter with its fields, by what they choose."""
        return [
            (
                of,
                {n: self[f"{of.name}:{n}"] for n in FIELDS if f"{of.name}:{n}" in self.fields},
            )
            for of in self.parameters
        ]

    def wanted(self) -> dict[str, Any]:
        """Return the change of the contract that was filled in: what is empty is taken back."""
        return {
            "answers": self._answers(),
            "parameters": {of.name: self._choices(of.name) for of in self.parameters},
        }

    def _answers(self) -> dict[str, str | None]:
        answers: dict[str, str | None] = {}
        for code in (WHICH_RESULT, WHICH_PANEL):
            if code in self.fields:
                given = self.cleaned_data[code]
                answers[code] = {_UNANSWERED: None, _NONE: NONE_OF_THEM}.get(given, given)
        if PAINTED_MASK in self.fields:
            answers[PAINTED_MASK] = self._panel if self.cleaned_data[PAINTED_MASK] else None
        return answers

    def _choices(self, name: str) -> dict[str, Any]:
        given = {field: self.cleaned_data.get(f"{name}:{field}") for field in FIELDS}
        if isinstance(given["preset"], str):
            # Browsers end lines in their own way.
            given["preset"] = given["preset"].replace("\r\n", "\n")
        return {field: None if value == "" else value for field, value in given.items()}

    def refuse(self, problems: Iterable[Any]) -> None:
        """Say what is wrong beside the field that it is about, or above all of them."""
        for problem in problems:
            _, _, place = problem.attr.partition(".")
            field = ":".join(place.rsplit(".", 1))
            self.add_error(field if field in self.fields else None, problem.detail)


def _preset_field(parameter: Parameter, nothing: str) -> forms.Field:
    if parameter.type in {"INT", "SEED"}:
        return forms.IntegerField(required=False)
    if parameter.type == "FLOAT":
        return forms.FloatField(required=False)
    if parameter.type == "BOOLEAN":
        choices = [("", nothing), ("true", say("yes")), ("false", say("no"))]
        return forms.TypedChoiceField(
            required=False, choices=choices, coerce=lambda given: given == "true", empty_value=None
        )
    if parameter.options:
        known = {str(option): option for option in parameter.options}
        return forms.TypedChoiceField(
            required=False,
            choices=[("", nothing), *((text, text) for text in known)],
            coerce=known.__getitem__,
            empty_value=None,
        )
    return forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 2}),
        max_length=parameter.max_characters,
    )  # fmt: skip


class WorkflowFileForm(forms.Form):
    """A file that is dropped, and the name that it gets."""

    file = forms.FileField(allow_empty_file=True, widget=forms.FileInput)
    name = forms.CharField(required=False, strip=False)


class TryForm(forms.Form):
    """One plan, and the style in which it is made."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        plans = [(str(plan.pk), _told(plan)) for plan in _plans()]
        styles = [(style.code, style.label) for style in Style.objects.filter(is_active=True)]
        self.fields["plan"] = forms.ChoiceField(choices=plans)
        self.fields["style"] = forms.ChoiceField(choices=styles)


def _plans() -> list[Plan]:
    """Return plans to try a workflow on: those that got a panel last, then the newest."""
    shown = Plan.objects.select_related("sequence__episode__project")
    with_panel = Version.objects.panels().order_by("-pk").values_list("plan_id", flat=True)
    ids = list(dict.fromkeys(with_panel[:PLANS_SHOWN]))
    ids += list(
        shown.exclude(pk__in=ids).order_by("-pk").values_list("pk", flat=True)[:PLANS_SHOWN]
    )
    by_id = shown.in_bulk(ids[:PLANS_SHOWN])
    return [by_id[pk] for pk in ids[:PLANS_SHOWN]]


def _told(plan: Plan) -> str:
    sequence = plan.sequence
    episode = sequence.episode
    return f"{episode.project.code} {episode.code} {sequence.code}-{plan.code}"
