"""Styles, which technical directors edit."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import html
from generation.admin.base import MadseaAdmin
from generation.errors import InvalidRequest
from generation.models import Batch, Style, Workflow
from generation.picture_checks import CHECKS
from generation.services import requested_workflows
from generation.workflows import prompt_templates
from wording import say

DELETE_MANY = "delete_selected"
STYLE_FIELDS = (
    "code",
    "label",
    "workflow_name",
    "more_workflows",
    "prompt",
    "negative_prompt",
    "params",
    "variants",
    "checks",
    "is_active",
    "position",
)

if TYPE_CHECKING:
    _Form = forms.ModelForm[Style]
else:
    _Form = forms.ModelForm


class StyleForm(_Form):
    class Meta:
        model = Style
        fields = STYLE_FIELDS
        help_texts: ClassVar = {
            "is_active": say(
                "Off: no request can ask for it; what was asked for before goes on. A "
                "style with batches can be switched off, not deleted."
            )
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, params = cleaned.get("workflow_name"), cleaned.get("params")
        if name and isinstance(params, dict):
            self._check(name, params)
        elif params is not None and not isinstance(params, dict):
            self.add_error("params", say('An object is expected: {{"steps": 30}}.'))
        return cleaned

    def clean_prompt(self) -> str:
        return _template(self.cleaned_data["prompt"])

    def clean_negative_prompt(self) -> str:
        return _template(self.cleaned_data["negative_prompt"])

    def clean_variants(self) -> dict[str, Any]:
        """Check that these are presets: a label and params each."""
        variants = self.cleaned_data["variants"] or {}
        if not isinstance(variants, dict) or not all(map(_is_variant, variants.values())):
            raise forms.ValidationError(
                say(
                    'An object of presets is expected: {{"blue_hour": {{"label": "Blue hour", '
                    '"params": {{"cfg": 8}}}}}}.'
                )
            )
        return variants

    def clean_checks(self) -> dict[str, Any]:
        """Check that these are bounds of checks that there are."""
        checks = self.cleaned_data["checks"] or {}
        if not isinstance(checks, dict):
            raise forms.ValidationError(
                say('An object of bounds is expected: {{"composition": 0.7}}.')
            )
        unknown = sorted(set(checks) - set(CHECKS))
        if unknown:
            known = ", ".join(CHECKS)
            raise forms.ValidationError(
                say("There is no check {name:.64}. Known: {known}.", name=unknown[0], known=known)
            )
        wrong = [name for name, bound in checks.items() if not _is_bound(bound)]
        if wrong:
            raise forms.ValidationError(
                say("{name}: a number from 0 to 1 is expected, or null.", name=wrong[0])
            )
        return checks

    def clean_more_workflows(self) -> list[str]:
        """Check that these are names of workflows that there are."""
        names = self.cleaned_data["more_workflows"] or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise forms.ValidationError(say('A list of names is expected: ["A.json"].'))
        for name in names:
            try:
                requested_workflows.find(name)
            except InvalidRequest as error:
                raise forms.ValidationError(error.detail) from error
        return names

    def _check(self, name: str, params: dict[str, Any]) -> None:
        try:
            workflow = requested_workflows.find(name)
        except InvalidRequest as error:
            self.add_error("workflow_name", error.detail)
            return
        problems = requested_workflows.check_params(workflow, params)
        for problem in problems or requested_workflows.check_sizes(
            workflow, params, requested_workflows.places(params)
        ):
            self.add_error("params", f"{problem.attr}: {problem.detail}")
        self._check_texts(workflow)
        for variant, preset in (self.cleaned_data.get("variants") or {}).items():
            for problem in requested_workflows.check_params(workflow, preset["params"]):
                self.add_error("variants", f"{variant}.{problem.attr}: {problem.detail}")

    def _check_texts(self, workflow: Workflow) -> None:
        parameters = requested_workflows.parameters(workflow)
        for name in ("prompt", "negative_prompt"):
            if self.cleaned_data.get(name) and name not in parameters:
                self.add_error(
                    name, say("{workflow} has no {name}.", workflow=workflow.name, name=name)
                )


def _template(text: str) -> str:
    """Return a text with fields as it is stored: browsers end lines in their own way."""
    unknown = prompt_templates.unknown(text)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in prompt_templates.FIELDS)
        raise forms.ValidationError(
            say(
                "There is no field {{{unknown:.64}}}. Known: {known}.",
                unknown=unknown[0],
                known=known,
            )
        )
    return text.replace("\r\n", "\n")


def _is_bound(bound: object) -> bool:
    if bound is None:
        return True
    if isinstance(bound, bool) or not isinstance(bound, (int, float)):
        return False
    return 0 <= bound <= 1


def _is_variant(preset: object) -> bool:
    return (
        isinstance(preset, dict)
        and set(preset) == {"label", "params"}
        and isinstance(preset["label"], str)
        and isinstance(preset["params"], dict)
    )


@admin.register(Style)
class StyleAdmin(MadseaAdmin):
    form = StyleForm
    fields = STYLE_FIELDS
    list_display = ("label", "code", "workflow_name", "batches", "is_active", "position")
    list_filter = ("is_active",)
    search_fields = ("code", "label", "workflow_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Style.objects.annotate(n_batches=Count("batches")).order_by("position", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Style | None = None) -> list[str]:
        """Requests name a style by its code: it stays what it is."""
        return ["code"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Batches keep their style: one that has some cannot go."""
        is_used = obj is not None and obj.batches.exists()
        return not is_used and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Styles are few: one is deleted on its own page, which asks."""
        return {n: act for n, act in super().get_actions(request).items() if n != DELETE_MANY}

    @admin.display(description=_("batches"), ordering="n_batches")
    def batches(self, style: Any) -> SafeString:
        return html.link(html.list_url(Batch, style__id__exact=style.pk), style.n_batches)
