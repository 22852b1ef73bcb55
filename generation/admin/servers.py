"""Servers: health, what each is doing, and taking them in and out of service."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from generation.admin import filters, html, tables
from generation.admin.actions import PLANS, Act, Question, Targets
from generation.admin.base import MadseaAdmin, events_url
from generation.admin.detail_pages import Page, Table
from generation.errors import Conflict
from generation.models import Attempt, Server
from generation.models.server import SECRETS
from generation.selectors import admin_overviews, episode_changes, paces, storage_troubles
from generation.selectors import servers as reads
from generation.services import server_controls
from generation.states import ServerHealth
from wording import say, say_n

ATTEMPTS_SHOWN = 20
LOOKED_AT = say("to be looked at by the workers, within seconds: then load this page again")
#: Stands for a header's value, which is not shown; sent back, it stays.
HIDDEN = say("(not shown)")


class ServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """Secrets go in and never come out: left empty they stay, and headers show their names only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headers = dict(self.instance.headers)
        if "headers" in self.fields:
            self.initial["headers"] = dict.fromkeys(self._headers, HIDDEN)
        for name in set(SECRETS) & set(self.fields):
            is_set = bool(getattr(self.instance, name))
            hint = say("set; left empty, it stays") if is_set else say("none")
            self.fields[name].widget.attrs["placeholder"] = hint

    def clean_headers(self) -> Any:
        given = self.cleaned_data["headers"]
        if not isinstance(given, dict):
            return given
        kept = self._headers
        return {name: kept.get(name, v) if v == HIDDEN else v for name, v in given.items()}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in SECRETS:
            if name in data and not data[name]:
                data[name] = getattr(self.instance, name)
        return data


def _enable(server: Server, user: User) -> None:
    if not server_controls.set_enabled(server, True, actor=user):
        raise Conflict(say("It is enabled already."))


def _disable(server: Server, user: User) -> None:
    if not server_controls.set_enabled(server, False, actor=user):
        raise Conflict(say("It is disabled already."))


def _drain(server: Server, user: User) -> None:
    if not server_controls.set_draining(server, True, actor=user):
        raise Conflict(say("It drains already."))


def _undrain(server: Server, user: User) -> None:
    if not server_controls.set_draining(server, False, actor=user):
        raise Conflict(say("It takes work already."))


def _look(server: Server, user: User) -> None:
    server_controls.look_soon(server, actor=user)


def _take_back(server: Server, user: User) -> None:
    if not server_controls.take_back(server, actor=user):
        raise Conflict(say("It is not set aside."))


def _lift(server: Server, user: User) -> None:
    if not server_controls.lift_blocks(server, actor=user):
        raise Conflict(say("It is blocked for no workflow."))


def _forget(server: Server, user: User) -> None:
    server_controls.forget_secrets(server, actor=user)


def _has_secrets(server: Any) -> bool:
    return bool(server.headers) or any(getattr(server, name) for name in SECRETS)


def _give_up(server: Server, user: User) -> None:
    if not server_controls.give_up(server, actor=user):
        raise Conflict(say("It has no plan to give back."))


def _blocks_of(rows: Sequence[Any]) -> Targets:
    return {row.pk: frozenset(block.pk for block in row.blocks.all()) for row in rows}


def _plans_of(rows: Sequence[Any]) -> Targets:
    """Find what is open on servers that are down: one that answers again needs no giving up."""
    return {
        row.pk: frozenset(attempt.run_id for attempt in row.open_attempts)
        for row in rows
        if row.health == ServerHealth.DOWN
    }


def _who_is_left(rows: Sequence[Any]) -> str:
    others = Server.objects.answering().exclude(pk__in=[row.pk for row in rows])
    names = [server.name for server in others.order_by("name")]
    if not names:
        return say("After that, no server takes work: everything that is queued waits.")
    return say_n(
        "After that, {n} server takes work.", "After that, {n} servers take work.", len(names)
    )


@admin.register(Server)
class ServerAdmin(MadseaAdmin):
    acts = (
        Act("look", say("Look now"), LOOKED_AT, "visibility", _look),
        Act(
            "enable",
            say("Enable"),
            say("enabled"),
            "play_arrow",
            _enable,
            lambda row: not row.is_enabled,
        ),
        Act(
            "disable",
            say("Disable"),
            say("disabled"),
            "block",
            _disable,
            lambda row: row.is_enabled,
            Question(
                say(
                    "It finishes what it has, takes nothing more, and is not looked at any "
                    "more. Plans that no other server can run wait until “Enable” is pressed."
                ),
                note=_who_is_left,
            ),
        ),
        Act(
            "drain",
            say("Drain"),
            say("finishing what it has"),
            "hourglass_bottom",
            _drain,
            lambda row: row.is_enabled and not row.is_draining,
            Question(
                say(
                    "It finishes what it has and takes nothing more. Plans that no other "
                    "server can run wait until “Take work again” is pressed."
                ),
                note=_who_is_left,
            ),
        ),
        Act(
            "undrain",
            say("Take work again"),
            say("taking work again"),
            "play_circle",
            _undrain,
            lambda row: row.is_draining,
        ),
        Act(
            "take_back",
            say("Take back"),
            say("back in service"),
            "healing",
            _take_back,
            lambda row: row.set_aside_at is not None,
            Question(
                say(
                    "Was ComfyUI restarted there? Else it fails or holds up plans again. After "
                    "a restart it is taken back by itself within seconds."
                )
            ),
        ),
        Act(
            "lift",
            say("Lift blocks"),
            say("taking every workflow again"),
            "lock_open",
            _lift,
            lambda row: bool(row.blocks.all()),
            Question(
                say(
                    "It failed plans of these workflows that other servers rendered. It takes "
                    "them again, and what it failed is forgiven. If nothing was mended there, "
                    "it fails plans again until it is blocked again."
                ),
                _blocks_of,
                (say("block"), say("blocks")),
            ),
        ),
        Act(
            "give_up",
            say("Give up"),
            say("given up: what it had is queued again"),
            "link_off",
            _give_up,
            lambda row: row.health == ServerHealth.DOWN and bool(row.open_attempts),
            Question(
                say(
                    "Its plans are queued again for other servers. What it still brings of "
                    "them is dropped, so they are rendered twice if it was only slow."
                ),
                _plans_of,
                PLANS,
            ),
        ),
        Act(
            "forget",
            say("Forget secrets"),
            say("without secrets"),
            "key_off",
            _forget,
            _has_secrets,
            Question(
                say(
                    "Name and password, token, key for partner nodes and extra headers are "
                    "deleted. A server behind a login stops answering until they are typed "
                    "again."
                )
            ),
        ),
    )
    form = ServerForm
    change_form_template = "admin/generation/server.html"
    list_display = ("name", "url", "status", "doing", "version", "driver", "seen")
    list_filter = (("health", filters.ChoicesFilter), "is_enabled", "is_draining")
    search_fields = ("name", "url")
    fields = ("name", "url", "login", "query", "headers", "partner_key", "certificate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.servers()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET":
            for trouble in storage_troubles.troubles():
                messages.warning(request, storage_troubles.sentence(trouble))
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Server | None = None) -> list[str]:
        """The address of a server that COMFYUI_SERVERS names is changed there."""
        given = obj is not None and obj.source != Server.Source.ADMIN
        return ["url"] if given else []

    def get_fields(self, request: HttpRequest, obj: Server | None = None) -> list[Any]:
        """Whoever may only look does not even see which secrets there are."""
        return list(self.fields) if self.has_change_permission(request, obj) else ["name", "url"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in SECRETS:
            kwargs["widget"] = UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Server, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            text = say("The workers look at it within seconds: then load its page again.")
            messages.info(request, text)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may_act = self.has_change_permission(request, row)
        own = {
            "events": events_url(None, episode_changes.last_number()),
            "page": self.page(row) if row else None,
            "may_act": may_act,
            "buttons": self.buttons(row) if row and may_act else "",
        }
        return super().change_view(request, object_id, form_url, own | (extra_context or {}))

    @admin.display(description=_("status"), ordering="health")
    def status(self, server: Any) -> SafeString:
        unfinished = bool(server.open_attempts)
        return html.live_piece(
            f"status-{server.pk}", html.server_labels(server), unfinished=unfinished
        )

    @admin.display(description=_("doing now"))
    def doing(self, server: Any) -> SafeString:
        return html.live_piece(f"doing-{server.pk}", tables.doing(server))

    @admin.display(description=_("driver"))
    def driver(self, server: Server) -> SafeString:
        return html.live_piece(f"driver-{server.pk}", html.escaped(tables.driver(server)))

    @admin.display(description=_("last seen"), ordering="last_seen_at")
    def seen(self, server: Server) -> SafeString:
        return html.live_piece(f"seen-{server.pk}", html.ago(server.last_seen_at))

    def page(self, server: Any) -> Page:
        attempts = (
            Attempt.objects.filter(server=server)
            .select_related("run__plan__sequence__episode", "run__batch")
            .defer("graph")
            .order_by("-pk")[:ATTEMPTS_SHOWN]
        )
        return Page(
            name=server.name,
            status=html.server_labels(server),
            facts=_facts(server),
            tables=[_blocks(server), _lacking(server), _paces(server), _attempts(attempts)],
            unfinished=bool(server.open_attempts),
        )


def _facts(server: Any) -> list[tuple[str, SafeString | str]]:
    return [
        (say("Doing now"), tables.doing(server)),
        (say("Driver"), tables.driver(server)),
        (say("Loaded last"), ", ".join(paces.loaded(server.pk)) or "–"),
        ("ComfyUI", server.version or "–"),
        (say("Named by"), server.get_source_display()),
        (say("Last seen"), html.ago(server.last_seen_at)),
        (say("Down since"), html.timestamp(server.down_since)),
        (say("Says"), server.health_detail or "–"),
        *_aside(server),
    ]


def _aside(server: Server) -> list[tuple[str, SafeString | str]]:
    why = reads.set_aside(server)
    if why is None:
        return []
    return [
        (say("Set aside"), html.timestamp(server.set_aside_at)),
        (say("Because"), why["message"]),
        (say("Remedy"), why["remedy"]),
    ]


def _blocks(server: Server) -> Table:
    rows = [
        (block.workflow.name, html.timestamp(block.created_at), block.detail)
        for block in server.blocks.all()
    ]
    empty = say("It takes every workflow that it can run.")
    return Table(say("Blocked for"), (say("Workflow"), say("Since"), say("Why")), rows, empty=empty)


def _lacking(server: Server) -> Table:
    rows = admin_overviews.lacking(server)
    empty = say("It lacks nothing that queued plans need, as far as is known.")
    return Table(say("Cannot run"), (say("Workflow"), say("It lacks")), rows, empty=empty)


def _paces(server: Server) -> Table:
    rows = [
        (pace.workflow, f"{pace.median_s:.1f} s", f"{pace.per_hour:.0f}", str(pace.n_plans))
        for pace in paces.paces(server.pk)
    ]
    headers = (
        say("Workflow"),
        say("Median, from when it begins"),
        say("Plans an hour"),
        say("Counted"),
    )
    return Table(
        say("How long a plan takes"), headers, rows, empty=say("It has rendered nothing lately.")
    )


def _attempts(found: Any) -> Table:
    rows = [
        (
            html.link_to(attempt.run, html.run_name(attempt.run)),
            html.link_to(attempt.run.batch),
            html.label(attempt.outcome),
            html.timestamp(attempt.created_at),
            html.timestamp(attempt.finished_at),
            html.whole_text(attempt.outcome_detail),
        )
        for attempt in found
    ]
    headers = (
        say("Plan"),
        say("Batch"),
        say("Outcome"),
        say("Begun"),
        say("Finished"),
        say("Detail"),
    )
    return Table(say("Latest attempts"), headers, rows, empty=say("It has rendered nothing yet."))
