"""The words in which each project asks for retakes, one a line."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generation.admin.base import MadseaAdmin
from generation.services import permissions
from review.models import RetakeReasons
from review.models.retake_reasons import REASONS_MAX
from review.services import reasons
from review.services.decisions import DECIDE


class ReasonsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Reasons as lines."""

    lines = forms.CharField(
        label=_("Reasons"),
        required=False,
        widget=forms.Textarea({"rows": REASONS_MAX, "cols": 80}),
        help_text=_("One a line, at most 9: the digits 1 to 9 choose them at the light table."),
    )

    class Meta:
        model = RetakeReasons
        fields = ("project",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"].initial = "\n".join(self.instance.reasons)

    def clean_lines(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["lines"].splitlines()]
        wanted = [line for line in lines if line]
        wrong = [problem.detail for problem in reasons.problems(wanted)]
        if wrong:
            raise forms.ValidationError(wrong)
        return wanted


@admin.register(RetakeReasons)
class RetakeReasonsAdmin(MadseaAdmin):
    form = ReasonsForm
    fields = ("project", "lines")
    list_display = ("project", "told")
    search_fields = ("project__code",)
    list_select_related = ("project",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["project"] if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and permissions.may(request.user, DECIDE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = cast(User, request.user)
        kept = reasons.write(obj.project, form.cleaned_data["lines"], by=by)
        obj.pk, obj.reasons = kept.pk, kept.reasons

    @admin.display(description=_("reasons"))
    def told(self, row: RetakeReasons) -> str:
        return " · ".join(row.reasons)
