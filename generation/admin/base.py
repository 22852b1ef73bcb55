"""What all pages of the admin share: records to look at, and acts on rows, always by POST."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from generation.admin import confirmation, generate, html, unchanged_pages
from generation.admin.actions import ROWS_MAX, Act, Targets, all_targets, counted, perform, report
from generation.admin.detail_pages import Page
from generation.admin.pagination import BoundedPaginator
from generation.extension_points import Registry
from generation.selectors import episode_changes
from generation.services import edits
from wording import say

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as _Base


RECORD_TEMPLATE = "admin/generation/record.html"
#: What of a record is fetched again when something has changed: its pieces, without what is around.
PIECES_TEMPLATE = "admin/generation/pieces.html"


#: Ways that apps above the engine add to every row's page, as buttons; of most rows there are none.
WAYS: Registry[Callable[[Any], SafeString]] = Registry()


class MadseaAdmin(_Base):
    acts: tuple[Act, ...] = ()
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    list_filter_sheet = True
    list_fullwidth = True
    list_filter_submit = True
    list_before_template = "admin/generation/before_list.html"

    #: What the chosen rows of the list are to the page that asks for plans; empty: nothing.
    generates = ""

    def name_of(self, row: Any) -> str:
        return str(row)

    def described(self, row: Any) -> str:
        """Name a row where somebody is asked about it."""
        return self.name_of(row)

    def nouns(self) -> tuple[str, str]:
        return str(self.opts.verbose_name), str(self.opts.verbose_name_plural)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say it where Django has left out a filter that it did not understand."""
        if ERROR_FLAG in request.GET:
            text = say("The filter in the address was not understood: every row is shown.")
            messages.warning(request, text)
        # Not where an act is chosen: what is answered then is no list.
        is_shown = request.method == "GET"
        own = {"events": events_url(None, episode_changes.last_number())} if is_shown else {}
        return super().changelist_view(request, own | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        edits.save(obj, form.fields, by=_user(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        edits.delete(obj, by=_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the chosen rows of a list, one by one: each leaves its act."""
        for row in queryset:
            edits.delete(row, by=_user(request))

    # Acts: the list's actions, a button in each row, a button on the row's page -------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if self.has_change_permission(request):
            for act in self.acts:
                actions[act.name] = (
                    _many(act),
                    act.name,
                    say("{label} selected", label=act.label),
                )
            if self.generates:
                actions["generate"] = generate.list_action(self.generates)
        return actions

    def links(self, row: Any) -> SafeString:
        """Ways from a row's page to what may be done with it, beside its buttons."""
        return (
            generate.button(generate.url(**{self.generates: [row.pk]}))
            if self.generates
            else SafeString("")
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return (
            [*columns, "row_acts"] if self.acts and self.has_change_permission(request) else columns
        )

    def row_acts(self, row: Any) -> SafeString:
        buttons = self.buttons(row)
        return html.live_piece(f"acts-{row.pk}", buttons)

    row_acts.short_description = ""  # type: ignore[attr-defined]

    def buttons(self, row: Any) -> SafeString:
        """Buttons that post to the act's own address: no state changes by a GET.

        Their form holds nothing else, so that Enter in a field presses none of them.
        """
        offered = [act for act in self.acts if act.fits(row)]
        return format_html_join(
            "",
            '<button type="submit" form="acts-form" formaction="{}" formmethod="post"'
            ' formnovalidate class="madsea-act{}" data-act="{}">'
            '<span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</button>',
            (
                (
                    reverse(self._act_name(act, "admin:"), args=[row.pk]),
                    " is-main" if act.is_main else "",
                    act.name,
                    act.icon,
                    act.label,
                )
                for act in offered
            ),
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                f"<path:object_id>/{act.name}/",
                wrap(require_POST(partial(self.act_view, act))),
                name=self._act_name(act),
            )
            for act in self.acts
        ]
        answers = [
            path(
                f"answer/{act.name}/",
                wrap(require_POST(partial(self.answer_view, act))),
                name=f"{self._act_name(act)}_answer",
            )
            for act in self.acts
            if act.question
        ]
        return answers + own + super().get_urls()

    def _act_name(self, act: Act, prefix: str = "") -> str:
        return f"{prefix}{self.opts.app_label}_{self.opts.model_name}_{act.name}"

    def act_view(self, act: Act, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._gone(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return self.ask_or_do(request, act, [row]) or HttpResponseRedirect(
            _back(request, self._page_url(row))
        )

    def ask_or_do(self, request: HttpRequest, act: Act, rows: Sequence[Any]) -> HttpResponse | None:
        """Answer with the act's question; do it and answer nothing where it has none to ask."""
        targets = act.targets(rows) if act.question else {}
        if act.asks(targets):
            return confirmation.question_page(self, request, act, rows)
        self._do(request, act, rows, targets)
        return None

    def answer_view(self, act: Act, request: HttpRequest) -> HttpResponseBase:
        """Do what was asked about; where something else has come in meanwhile, ask anew."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        shown = confirmation.read_question(request.POST.get("shown", ""), self.salt(act))
        if shown is None:
            messages.error(request, say("Nothing was done: that page was too old. Choose again."))
            return HttpResponseRedirect(self.back(request))
        rows = list(self.get_queryset(request).filter(pk__in=shown.rows))
        targets = act.targets(rows)
        if not all_targets(targets) <= shown.targets:
            text = say(
                "More would be changed by now than you were asked about. Read it again, "
                "then answer."
            )
            return confirmation.question_page(self, request, act, rows, changed=text)
        if confirmation.answer_once(request, shown):
            self._do(request, act, rows, targets)
            confirmation.tell_left_alone(request, act, shown, targets)
        else:
            messages.info(request, say("You answered this before: nothing more was done now."))
        return HttpResponseRedirect(self.back(request))

    def _do(self, request: HttpRequest, act: Act, rows: Sequence[Any], targets: Targets) -> None:
        outcome = perform(act, rows, _user(request), self.name_of)
        noun = act.question.noun if act.question else ("", "")
        held = counted(len(all_targets(targets)), noun) if noun[0] else ""
        report(request, act, outcome, self.nouns(), held)

    def salt(self, act: Act) -> str:
        """Return the salt by which the answer to one question cannot answer another."""
        return ".".join([self.opts.label, act.name, *act.carries.values()])

    def answer_url(self, act: Act) -> str:
        return reverse(f"{self._act_name(act, 'admin:')}_answer")

    def back(self, request: HttpRequest) -> str:
        """Return where somebody came from: what the question's form says, or the page before."""
        here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return _own(request, request.POST.get("back", "")) or _back(request, here)

    def _gone(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        messages.warning(
            request,
            say(
                "There is no {nouns} {object_id!r:.40}.", nouns=self.nouns()[0], object_id=object_id
            ),
        )
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(url)

    def _page_url(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


class RecordAdmin(MadseaAdmin):
    """Rows that the machine writes: to look at and to act on, never to edit."""

    def page(self, request: HttpRequest, row: Any) -> Page:
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view: Any = require_safe(self._record_view)
        response: HttpResponse = view(request, object_id)
        return response

    def _ways(self, row: Any, *, may_change: bool) -> SafeString:
        own = [self.links(row)] if may_change else []
        return format_html_join("", "{}", ((way,) for way in [*own, *(add(row) for add in WAYS)]))

    def _record_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._gone(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        # Read before the page: a change in between is told to it.
        heard = episode_changes.last_number()
        page = self.page(request, row)
        may_change = self.has_change_permission(request, row)
        may_act = bool(self.acts) and may_change
        pieces = {
            "page": page,
            "links": self._ways(row, may_change=may_change),
            "buttons": self.buttons(row) if may_act else "",
            "events": events_url(page.episode_id, heard),
        }
        if unchanged_pages.HEADER in request.headers:
            return TemplateResponse(request, PIECES_TEMPLATE, pieces)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": _Crumb(row, page.name),
            "title": page.name,
            "subtitle": None,
            "may_act": may_act,
            **pieces,
        }
        return TemplateResponse(request, RECORD_TEMPLATE, context)


def events_url(episode_id: int | None, heard: int) -> str:
    """Return the address that tells what changes of an episode, or of all, from a number on."""
    of = "all" if episode_id is None else episode_id
    return f"{reverse('events')}?episode_id={of}&last_event_id={heard}"


def _many(act: Act) -> Any:
    return partial(_perform_on_many, act)


def _perform_on_many(
    act: Act, admin: MadseaAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    rows = list(queryset[: ROWS_MAX + 1])
    if len(rows) > ROWS_MAX:
        text = say(
            "Nothing was done: at most {rows_max} at once. Whole batches can be acted on as such.",
            rows_max=ROWS_MAX,
        )
        messages.error(request, text)
        return None
    return admin.ask_or_do(request, act, rows)


class _Crumb:
    """A row under the name that its page has, for the path in the page's header."""

    def __init__(self, row: Any, name: str) -> None:
        self._meta, self.pk, self._name = row._meta, row.pk, name

    def __str__(self) -> str:
        return str(self._name)


def _user(request: HttpRequest) -> Any:
    return request.user


def _back(request: HttpRequest, otherwise: str) -> str:
    return _own(request, request.headers.get("Referer", "")) or otherwise


def _own(request: HttpRequest, address: str) -> str:
    """Return an address where it leads to a page of this site, else nothing."""
    own = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if own else ""
