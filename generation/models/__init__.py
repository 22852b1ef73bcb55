"""The database: production tree, batches and their runs, attempts, versions, servers, logs."""

from generation.models.attempt import Attempt
from generation.models.batch import Batch, PlanRun, RunGroup
from generation.models.capability import Capability, Needs
from generation.models.idempotency import IdempotencyKey
from generation.models.log import LogEntry
from generation.models.login import LoginTries
from generation.models.named_workflow import NamedWorkflow
from generation.models.production import Episode, Plan, PlanTextChange, Project, Sequence
from generation.models.server import Block, Server, ServerDefinitions
from generation.models.storage import StorageTrouble, Volume
from generation.models.version import Version
from generation.models.workflow import Style, Workflow

__all__ = [
    "Attempt",
    "Batch",
    "Block",
    "Capability",
    "Episode",
    "IdempotencyKey",
    "LogEntry",
    "LoginTries",
    "NamedWorkflow",
    "Needs",
    "Plan",
    "PlanRun",
    "PlanTextChange",
    "Project",
    "RunGroup",
    "Sequence",
    "Server",
    "ServerDefinitions",
    "StorageTrouble",
    "Style",
    "Version",
    "Volume",
    "Workflow",
]
