"""The form that asks for plans: how they are to be made, with fields made from the workflow."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.admin import value_fields
from generation.admin.value_fields import ValueField, as_text
from generation.errors import InvalidRequest, Problem
from generation.models import Plan, PlanRun, Style
from generation.models.batch import (
    NAME_MAX,
    PRIORITY_HIGH,
    PRIORITY_LOW,
    REASON_MAX,
    VARIATIONS_MAX,
)
from generation.parameter_sources import ValueSource
from generation.services import requested_workflows, requests_from_plans, workflow_library
from generation.services.requests_from_plans import Wish
from generation.states import Mode
from wording import say

#: What stands in the form is none of the request where it comes from the style or the workflow.
_BY_ITSELF = {ValueSource.WORKFLOW, ValueSource.PRESET, ValueSource.STYLE, ValueSource.DRAWN}
_MODES = [
    (Mode.AUTO.value, say("rendered by the servers")),
    (Mode.MANUEL.value, say("made by artists, who upload")),
]
_FRESH = {"mode": Mode.AUTO.value, "variant": "", "variations": "1", "priority": "0"}
_PLACES = {"workflow_json": "workflow"}

#: The light of the styles that are shipped; what a studio calls its own is told as it is.
_SHIPPED_LIGHT = {
    "Golden hour": say("Golden hour"),
    "Blue hour": say("Blue hour"),
    "Neutral low back light": say("Neutral low back light"),
}


class GenerateForm(forms.Form):
    """What is chosen; the fields of values are its `values`.

    Everything but the style is checked by the services, in their words.
    """

    style = forms.ChoiceField(required=False, label=_("Style"))
    variant = forms.CharField(required=False, label=_("Light variant"))
    workflow = forms.CharField(required=False, label=_("Workflow"))
    mode = forms.CharField(widget=forms.Select(choices=_MODES), label=_("Mode"))
    variations = forms.CharField(
        widget=forms.NumberInput(attrs={"min": 1, "max": VARIATIONS_MAX}), label=_("Variations")
    )
    priority = forms.CharField(
        widget=forms.NumberInput(attrs={"min": PRIORITY_LOW, "max": PRIORITY_HIGH}),
        label=_("Priority"),
    )
    name = forms.CharField(
        required=False,
        widget=forms.TextInput(
            attrs={"maxlength": NAME_MAX, "placeholder": _("left empty: places, style and time")}
        ),
        label=_("Name"),
    )
    reason = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"maxlength": REASON_MAX}),
        label=_("Reason"),
    )
    force = forms.BooleanField(required=False, label=_("Approved plans, too"))
    key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, plans: Sequence[Plan], held: Mapping[str, str]) -> None:
        super().__init__(held, auto_id="%s")
        self._plans, self._held = plans, held
        known = list(Style.objects.filter(is_active=True))
        self._styles = {style.code: style for style in known}
        own = [("", say("each plan's own"))] if any(plan.style_id for plan in plans) else []
        self.fields["style"].choices = [*own, *((style.code, style.label) for style in known)]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name != "force":
                field.widget.attrs["class"] = "madsea-input"
        self.values: list[ValueField] = []
        self.problems: list[str] = []
        if self.is_valid():
            self._add_variants()
            self._add_workflows()
            self._add_values()

    def _add_variants(self) -> None:
        """Offer the variants that all styles have, by the labels of the first."""
        of_styles = [style.variants for style in requests_from_plans.styles(self.wish())]
        shared = set.intersection(*map(set, of_styles)) if of_styles else set()
        if not shared:
            self.cleaned_data["variant"] = ""
            self.fields.pop("variant")
            return
        first = of_styles[0]
        told = [(code, first[code]["label"]) for code in first if code in shared]
        labels = [(code, _SHIPPED_LIGHT.get(label, label)) for code, label in told]
        if self.cleaned_data["variant"] not in shared:
            self.cleaned_data["variant"] = ""
        choices = [("", say("as the style says")), *labels]
        self.fields["variant"].widget = forms.Select(
            choices=choices, attrs={"class": "madsea-input"}
        )

    def _add_workflows(self) -> None:
        own = sorted({style.workflow_name for style in requests_from_plans.styles(self.wish())})
        known = workflow_library.available()
        names = [(name, name) for name in known if own != [name]]
        label = say("the style's") if len(own) == 1 else say("each style's own")
        choices = [("", say("{label}: {value}", label=label, value=", ".join(own))), *names]
        self.fields["workflow"].widget = forms.Select(
            choices=choices, attrs={"class": "madsea-input"}
        )

    def _add_values(self) -> None:
        if self.is_made_by_hand:
            return
        try:
            offered = requests_from_plans.offered_parameters(self.wish())
        except InvalidRequest as refused:
            self.refuse(refused.problems)
        else:
            self.values = value_fields.fields(offered, self._held)

    def _style(self) -> Style | None:
        """Return the style of all; None where each plan's own is meant."""
        return self._styles.get(self.cleaned_data["style"])

    @property
    def is_made_by_hand(self) -> bool:
        """Whether artists make the plans, and no workflow."""
        return bool(self.cleaned_data.get("mode") == Mode.MANUEL)

    @property
    def key_of_start(self) -> str:
        """What a second press is known by."""
        return str(self.cleaned_data["key"])

    def wish(self) -> Wish:
        """Return what is asked for as it stands in the form."""
        given = self.cleaned_data
        more = {
            "variations": _number(given["variations"]),
            "priority": _number(given["priority"]),
            "name": given["name"],
            "reason": given["reason"],
            "force": given["force"],
            "variant": "" if self.is_made_by_hand else given["variant"],
        }
        by_itself = {
            "variant": "",
            "variations": 1,
            "priority": 0,
            "name": "",
            "reason": "",
            "force": False,
        }
        return Wish(
            self._plans,
            self._style(),
            "" if self.is_made_by_hand else given["workflow"],
            given["mode"],
            {field.parameter.name: field.value() for field in self.values if field.is_changed},
            {key: value for key, value in more.items() if value != by_itself[key]},
        )

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Say what is wrong beside the field that it is about, or above all of them."""
        values = {f"params.{field.parameter.name}": field for field in self.values}
        for problem in problems:
            name = _PLACES.get(problem.attr, problem.attr)
            if problem.attr in values:
                values[problem.attr].problem = problem.detail
            elif name in self.fields:
                if problem.detail not in self.errors.get(name, []):
                    self.add_error(name, problem.detail)
            elif problem.detail not in self.problems:
                self.problems.append(problem.detail)


def _number(text: str) -> int | str:
    """Return the number that was typed; what is none is given as it is, and refused as such."""
    try:
        return int(text)
    except ValueError:
        return text


def initial_values(plans: Sequence[Plan]) -> dict[str, str]:
    """Return what the form holds when it is opened; its key is drawn anew."""
    if any(plan.style_id for plan in plans):
        return _FRESH | {"style": "", "key": new_key()}
    last = PlanRun.objects.filter(plan__in=[plan.pk for plan in plans[:1]]).order_by("-pk")
    styles = Style.objects.filter(is_active=True)
    asked = styles.filter(pk__in=last.values("batch__style")[:1]).first() or styles.first()
    return _FRESH | {"style": asked.code if asked else "", "key": new_key()}


def new_key() -> str:
    """Return what one press is known by, however often it comes."""
    return secrets.token_hex(16)


def values_like_run(run: PlanRun) -> dict[str, str]:
    """Return what the form holds that asks for a plan as a run was, but for its seed."""
    batch = run.batch
    params, sources = run.values, run.value_sources
    given = {
        name: value
        for name, value in params.items()
        if sources.get(name, ValueSource.REQUEST) not in _BY_ITSELF
        and name != requested_workflows.SEED
    }
    name = run.workflow.name if run.workflow else ""
    return {
        "style": batch.style.code,
        "workflow": "" if name == batch.style.workflow_name else name,
        "mode": batch.mode,
        "priority": str(batch.priority),
        **{f"value:{key}": as_text(value) for key, value in given.items()},
    }
