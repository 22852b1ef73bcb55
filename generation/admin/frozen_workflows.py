"""The workflows as batches froze them."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import html
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page, Table
from generation.models import Batch, Workflow
from generation.services import requested_workflows
from generation.workflows.contract import Contract
from wording import say


@admin.register(Workflow)
class WorkflowAdmin(RecordAdmin):
    list_display = ("name", "fingerprint", "batches", "frozen_at")
    list_filter = ("name",)
    search_fields = ("name", "sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Workflow.objects.defer("graph").annotate(n_batches=Count("batches")).order_by("name")

    @admin.display(description=_("SHA-256"), ordering="sha256")
    def fingerprint(self, workflow: Workflow) -> SafeString:
        return html.code(workflow.sha256[:16])

    @admin.display(description=_("batches"), ordering="n_batches")
    def batches(self, workflow: Any) -> SafeString:
        url = html.list_url(Batch, workflow__id__exact=workflow.pk)
        return html.link(url, workflow.n_batches)

    @admin.display(description=_("frozen"), ordering="created_at")
    def frozen_at(self, workflow: Workflow) -> SafeString:
        return html.ago(workflow.created_at)

    def page(self, request: HttpRequest, workflow: Any) -> Page:
        contract = requested_workflows.contract(workflow)
        return Page(
            name=workflow.name,
            facts=[
                ("SHA-256", html.code(workflow.sha256)),
                ("Contract's SHA-256", html.code(workflow.contract_sha256)),
                (say("Frozen"), html.timestamp(workflow.created_at)),
                (say("Batches"), self.batches(workflow)),
                (say("Nodes"), str(len(workflow.graph))),
                (say("Result"), contract.result or say("none")),
                (say("Panel"), ".".join(contract.panel) if contract.panel else say("none")),
            ],
            tables=[_parameters(contract), _remarks(contract), _nodes(workflow)],
            documents=[
                (
                    say("Answers and choices"),
                    json.dumps(workflow.choices, indent=2, ensure_ascii=False),
                ),
                (say("Graph"), json.dumps(workflow.graph, indent=2, ensure_ascii=False)),
            ],
        )


def _parameters(contract: Contract) -> Table:
    rows = [
        (
            html.code(name),
            parameter.type,
            _bounds(parameter),
            str(parameter.default),
            ", ".join(f"{node_id}.{held}" for node_id, held in parameter.targets),
        )
        for name, parameter in sorted(contract.parameters.items())
    ]
    return Table(
        say("Parameters"),
        (say("Name"), say("Type"), say("Bounds"), say("Default"), say("Sets")),
        rows,
    )


def _remarks(contract: Contract) -> Table:
    """Questions first: a workflow with an open one can be looked at, not run."""
    asked = [(say("Question"), question.code, question.detail) for question in contract.questions]
    said = [(say("Warning"), warning.code, warning.detail) for warning in contract.warnings]
    headers = ("", say("Code"), say("What it is"))
    return Table(say("Questions and warnings"), headers, [*asked, *said], empty="None.")


def _bounds(parameter: Any) -> str:
    if parameter.minimum is None and parameter.maximum is None:
        return "–"
    return say("{minimum} to {maximum}", minimum=parameter.minimum, maximum=parameter.maximum)


def _nodes(workflow: Workflow) -> Table:
    rows = [
        (
            html.code(key),
            str(node.get("class_type", "?")),
            str(node.get("_meta", {}).get("title", "–")),
            ", ".join(str(name) for name in node.get("inputs", {})),
        )
        for key, node in workflow.graph.items()
    ]
    return Table(say("Nodes"), (say("Node"), say("Class"), say("Title"), say("Inputs")), rows)
