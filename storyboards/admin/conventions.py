"""How a project's storyboards tell styles and sequences."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from generation.admin.base import MadseaAdmin
from generation.models import Style
from storyboards.models import Convention
from wording import say

if TYPE_CHECKING:
    _Form = forms.ModelForm[Convention]
else:
    _Form = forms.ModelForm


class ConventionForm(_Form):
    class Meta:
        model = Convention
        fields: ClassVar = ["project", "style_words", "default_style", "sequences_by"]

    def clean_style_words(self) -> dict[str, Any]:
        """Check that these are words, each with a style that there is."""
        words = self.cleaned_data["style_words"] or {}
        if not isinstance(words, dict) or not all(str(word).strip() for word in words):
            raise forms.ValidationError(say('An object is expected: {{"LABO": "labo"}}.'))
        for style in words.values():
            _check_style(style)
        return words

    def clean_default_style(self) -> str:
        return _check_style(self.cleaned_data["default_style"])


def _check_style(code: object) -> str:
    known = list(Style.objects.values_list("code", flat=True))
    if code not in known:
        raise forms.ValidationError(
            say(
                "There is no style {code!r:.64}. Known: {known}.", code=code, known=", ".join(known)
            )
        )
    return str(code)


@admin.register(Convention)
class ConventionAdmin(MadseaAdmin):
    form = ConventionForm
    list_display = ("project", "words", "default_style", "sequences_by")

    @admin.display(description=_("words"))
    def words(self, row: Convention) -> str:
        return ", ".join(f"{word} → {style}" for word, style in row.style_words.items())
