"""The form that makes a link for guests: of an episode, or of one of its sequences."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from generation.errors import Forbidden, InvalidRequest
from generation.models import Episode
from generation.services import permissions
from review.models.review_link import LABEL_MAX
from review.services import decisions, links
from review.services.links import MadeLink, NewLink

TEMPLATE = "admin/review/new_link.html"
#: What the service calls fields that are called otherwise here.
_FIELDS = {"episode_id": "episode", "sequence_id": "sequence", "versions": "sequence"}


class LinkForm(forms.Form):
    """What a link shows, to whom, for how long; what may be is decided by the service."""

    episode = forms.ModelChoiceField(Episode.objects.none(), label=gettext_lazy("Episode"))
    sequence = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Sequence"),
        help_text=gettext_lazy("Such as SQ0010; empty: the whole episode."),
    )
    label = forms.CharField(
        required=False, max_length=LABEL_MAX, label=gettext_lazy("For whom, or what for")
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=links.DAYS_MAX,
        initial=links.DAYS,
        label=gettext_lazy("Good for so many days"),
    )
    password = forms.CharField(
        required=False,
        min_length=links.PASSWORD_MIN,
        max_length=links.PASSWORD_MAX,
        strip=False,
        label=gettext_lazy("Password, if it is to have one"),
    )
    may_decide = forms.BooleanField(
        required=False, label=gettext_lazy("What the guest says decides; else it is advice")
    )
    may_download = forms.BooleanField(
        required=False, label=gettext_lazy("The guest may download the files")
    )

    def __init__(self, user: User, sent: Any = None, **options: Any) -> None:
        super().__init__(sent, **options)
        episodes = Episode.objects.select_related("project").order_by("project__code", "code")
        self.fields["episode"].queryset = episodes  # type: ignore[attr-defined]
        self.fields["episode"].label_from_instance = _named  # type: ignore[attr-defined]
        if not permissions.may(user, decisions.DECIDE):
            del self.fields["may_decide"]
        for field in self.fields.values():
            if not isinstance(field, forms.BooleanField):
                field.widget.attrs |= {"class": "madsea-input", "autocomplete": "off"}

    def wanted(self) -> NewLink:
        """Return what was filled in."""
        given = dict(self.cleaned_data)
        return NewLink(episode_id=given.pop("episode").pk, **given)


def _named(episode: Episode) -> str:
    return f"{episode.project} · {episode}"


@require_http_methods(["GET", "HEAD", "POST"])
def view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask for what a link is to be; then show its address, this once."""
    user = cast(User, request.user)
    sent = request.POST if request.method == "POST" else None
    form = LinkForm(user, sent, initial={"episode": request.GET.get("episode")})
    made = _make(form, user) if form.is_bound and form.is_valid() else None
    place = reverse("guest-enter", args=[made.token]) if made else ""
    more = {
        "title": _("New link for guests"),
        "form": form,
        "link": made.link if made else None,
        "address": request.build_absolute_uri(place) if made else "",
    }
    # No page of the admin is kept: this one holds a secret.
    return TemplateResponse(request, TEMPLATE, context | more)


def _make(form: LinkForm, user: User) -> MadeLink | None:
    """Return the new link; None where it cannot be: the form says why."""
    try:
        return links.create(form.wanted(), by=user)
    except InvalidRequest as error:
        for problem in error.problems:
            name = _FIELDS.get(problem.attr or "", problem.attr)
            form.add_error(name if name in form.fields else None, problem.detail)
    except Forbidden as error:
        form.add_error(None, error.detail)
    return None
