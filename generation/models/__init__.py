"""The database: production tree, batches and their runs, attempts, versions, servers, logs."""

from generation.models.act import Act
from generation.models.attempt import Attempt
from generation.models.batch import Batch
from generation.models.capability import Capability, Needs
from generation.models.episode_change import EpisodeChange, Sequencer
from generation.models.frozen_workflow import Workflow
from generation.models.idempotency import IdempotencyKey
from generation.models.log import LogEntry
from generation.models.login import LoginTries
from generation.models.named_workflow import NamedWorkflow
from generation.models.picture_measure import Measure
from generation.models.plan_run import PlanRun
from generation.models.production import Episode, Plan, PlanTextChange, Project, Sequence
from generation.models.run_group import RunGroup
from generation.models.server import Block, Server, ServerDefinitions
from generation.models.style import Style
from generation.models.version import Version
from generation.models.volume import StorageTrouble, Volume

__all__ = [
    "Act",
    "Attempt",
    "Batch",
    "Block",
    "Capability",
    "Episode",
    "EpisodeChange",
    "IdempotencyKey",
    "LogEntry",
    "LoginTries",
    "Measure",
    "NamedWorkflow",
    "Needs",
    "Plan",
    "PlanRun",
    "PlanTextChange",
    "Project",
    "RunGroup",
    "Sequence",
    "Sequencer",
    "Server",
    "ServerDefinitions",
    "StorageTrouble",
    "Style",
    "Version",
    "Volume",
    "Workflow",
]
