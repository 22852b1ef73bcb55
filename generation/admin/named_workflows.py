"""Workflows by name: given by a file, looked at, answered, and tried on one plan."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from generation.admin import html
from generation.admin.base import MadseaAdmin
from generation.admin.workflow_forms import ContractForm, TryForm, WorkflowFileForm
from generation.errors import MadseaError
from generation.models import Batch, NamedWorkflow, Plan
from generation.services import (
    contract_editing,
    node_definitions,
    permissions,
    requested_workflows,
    workflow_descriptions,
    workflow_imports,
    workflow_trials,
)
from generation.services.workflow_descriptions import ContractDocument
from generation.workflows import contract_choices, graph_layout
from generation.workflows.contract import Contract
from generation.workflows.typed_graph import GraphView
from wording import say

_GIVE, _CONTRACT, _TRY = "give", "contract", "try"


@admin.register(NamedWorkflow)
class NamedWorkflowAdmin(MadseaAdmin):
    list_display = ("name", "state", "changed", "changed_by", "batches")
    search_fields = ("name",)
    list_before_template = "admin/generation/workflow_file.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[NamedWorkflow]:
        return NamedWorkflow.objects.defer("document", "graph").select_related("changed_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_give(request)

    @admin.display(description=_("state"))
    def state(self, row: NamedWorkflow) -> SafeString:
        return html.NOTHING if row.error is None else html.label("error", say("cannot be used"))

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, row: NamedWorkflow) -> SafeString:
        return html.ago(row.changed_at)

    @admin.display(description=_("batches"))
    def batches(self, row: NamedWorkflow) -> SafeString:
        return html.link(html.list_url(Batch, workflow__name__exact=row.name), say("show"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        own = {
            "file_form": WorkflowFileForm(),
            "file_url": reverse(f"admin:{_named(_GIVE)}"),
            "may_give": _may_give(request),
        }
        return super().changelist_view(request, own | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own: dict[str, Callable[..., HttpResponseBase]] = {
            _CONTRACT: self.contract_view,
            _TRY: self.try_view,
        }
        of_one = [
            path(
                f"<path:object_id>/{name}/",
                wrap(require_POST(partial(self._of_one, view))),
                name=_named(name),
            )
            for name, view in own.items()
        ]
        give = path("give/", wrap(require_POST(self.give_view)), name=_named(_GIVE))
        return [give, *of_one, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view: Any = require_safe(self._look)
        response: HttpResponse = view(request, object_id)
        return response

    def _look(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._gone(request, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return self._page(request, row)

    def _page(
        self, request: HttpRequest, row: NamedWorkflow, form: ContractForm | None = None
    ) -> TemplateResponse:
        told = workflow_descriptions.describe(row)
        contract = (
            requested_workflows.contract(requested_workflows.from_row(row))
            if row.graph is not None
            else None
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": row.name,
            "subtitle": None,
            "row": row,
            "told": told,
            "facts": _facts(row, told),
            "may_give": _may_give(request),
            "form": form or (contract and _form(row, contract)),
            "drawing": contract and _drawing(row, contract),
            "file_form": WorkflowFileForm(initial={"name": row.name}),
            "try_form": TryForm(),
            "urls": {name: self._url(row, name) for name in (_CONTRACT, _TRY)},
            "file_url": reverse(f"admin:{_named(_GIVE)}"),
        }
        return TemplateResponse(request, "admin/generation/workflow.html", context)

    def _url(self, row: NamedWorkflow, name: str) -> str:
        return reverse(f"admin:{_named(name)}", args=[row.pk])

    def _of_one(
        self, view: Callable[..., HttpResponseBase], request: HttpRequest, object_id: str
    ) -> HttpResponseBase:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._gone(request, object_id)
        if not _may_give(request):
            raise PermissionDenied
        return view(request, row)

    def give_view(self, request: HttpRequest) -> HttpResponseBase:
        """Take a dropped file: a new workflow, or a new export of one."""
        if not _may_give(request):
            raise PermissionDenied
        form = WorkflowFileForm(request.POST, request.FILES)
        if not form.is_valid():
            messages.error(request, say("Nothing was given: choose a file, or drop one."))
            return HttpResponseRedirect(self.back(request))
        file = form.cleaned_data["file"]
        try:
            imported = workflow_imports.take(
                file.read(),
                filename=file.name,
                name=form.cleaned_data["name"] or None,
                actor=self._actor(request),
            )
        except MadseaError as error:
            messages.error(request, f"{file.name}: {error.detail}")
            return HttpResponseRedirect(self.back(request))
        done = (
            say("is given.")
            if imported.is_new
            else say("is replaced; what was chosen for it stays.")
        )
        messages.success(request, f"{imported.row.name} {done}")
        return HttpResponseRedirect(self._page_url(imported.row))

    def contract_view(self, request: HttpRequest, row: NamedWorkflow) -> HttpResponseBase:
        """Take the answers and choices of the page's form."""
        if row.graph is None:
            return HttpResponseRedirect(self._page_url(row))
        form = _form(
            row, requested_workflows.contract(requested_workflows.from_row(row)), request.POST
        )
        if form.is_valid():
            try:
                contract_editing.change(row.name, form.wanted(), actor=self._actor(request))
            except MadseaError as error:
                form.refuse(getattr(error, "problems", [error]))
        if form.errors:
            messages.error(request, say("Nothing was changed: see what is marked below."))
            return self._page(request, row, form)
        messages.success(
            request, say("The contract of {row} is changed for what is asked next.", row=row.name)
        )
        return HttpResponseRedirect(self._page_url(row))

    def try_view(self, request: HttpRequest, row: NamedWorkflow) -> HttpResponseBase:
        """Ask for one plan, as a request would."""
        form = TryForm(request.POST)
        if not form.is_valid():
            messages.error(request, say("Nothing was asked for: choose a plan and a style."))
            return HttpResponseRedirect(self._page_url(row))
        plan = Plan.objects.get(pk=form.cleaned_data["plan"])
        try:
            batch = workflow_trials.try_on(
                plan, row, form.cleaned_data["style"], actor=self._actor(request)
            )
        except MadseaError as error:
            messages.error(request, say("Nothing was asked for. {detail}", detail=error.detail))
            return HttpResponseRedirect(self._page_url(row))
        messages.success(request, say("One plan is asked for with {row}.", row=row.name))
        return HttpResponseRedirect(reverse("admin:generation_batch_change", args=[batch.pk]))

    def _actor(self, request: HttpRequest) -> Any:
        return request.user


def _named(name: str) -> str:
    return f"generation_namedworkflow_{name}"


def _may_give(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(permissions.GIVE_WORKFLOW))


def _form(row: NamedWorkflow, contract: Contract, *given: Any) -> ContractForm:
    return ContractForm(row.graph, contract, row.choices, *given)


def _drawing(row: NamedWorkflow, contract: Contract) -> graph_layout.Drawing | None:
    roles: dict[str, tuple[str, ...]] = {}
    for question in contract.questions:
        for node_id in question.options:
            roles[node_id] = ("asked",)
    if contract.result:
        roles[contract.result] = (*roles.get(contract.result, ()), "result")
    is_asked = any(question.code == contract_choices.WHICH_PANEL for question in contract.questions)
    if contract.panel and not is_asked:
        roles[contract.panel[0]] = (*roles.get(contract.panel[0], ()), "panel")
    return graph_layout.draw(GraphView(row.graph, node_definitions.known()[0]), roles)


def _facts(row: NamedWorkflow, told: ContractDocument) -> list[tuple[str, SafeString | str]]:
    needs = told["needs"]
    return [
        (say("Graph"), html.code(row.sha256[:16])),
        (say("Contract"), html.code(contract_choices.sha256(row.choices)[:16])),
        (say("Changed"), html.timestamp(row.changed_at)),
        (say("By"), str(row.changed_by or say("the workflows folder, or the console"))),
        (say("Panel"), _panel(told)),
        (say("Models"), ", ".join(needs["models"]) or say("none")),
        (say("Input files"), ", ".join(needs["files"]) or say("none")),
        (
            say("Batches"),
            html.link(html.list_url(Batch, workflow__name__exact=row.name), say("show")),
        ),
    ]


def _panel(told: ContractDocument) -> str:
    if any(asked["code"] == contract_choices.WHICH_PANEL for asked in told["questions"]):
        return say("asked about")
    return f"{told['panel']['node']}.{told['panel']['input']}" if told["panel"] else "none"
