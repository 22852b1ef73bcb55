"""How rows of the database look to clients."""

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation import signed_urls
from generation.models import (
    Batch,
    Episode,
    LogEntry,
    Plan,
    PlanTextChange,
    Project,
    Sequence,
    Server,
    Version,
)
from generation.parameter_sources import ValueSource
from generation.selectors import batches, expected_ends, logs, production, results, servers
from generation.selectors.expected_ends import Expected, Forecast
from generation.selectors.findings import Finding
from generation.selectors.findings import findings_of as found_in
from generation.selectors.logs import LogLine
from generation.selectors.servers import BlockedWorkflow, Doing, SetAside
from generation.states import BatchState, Mode, PlanStatus, ReviewState, RunState, ServerHealth
from generation.workflows.parameters import Parameter
from nomenclature.rules import TASKS

Shape = serializers.Serializer
#: What a review has come to, or null.
REVIEW_STATE = serializers.ChoiceField(list(ReviewState), allow_null=True)


_END = (
    "When it is expected to have ended, by its place in the queue and by what servers took lately; "
    "null where that is not known, and where nothing is left to do."
)


@extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
class ExpectedEnd(serializers.Field[Any, Any, str | None, Any]):
    """When a plan or a batch is expected to end: of one forecast for all that an answer shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> str | None:
        expected = self._expected(value)
        return logs.moment(expected.at) if expected and expected.at else None

    def _expected(self, row: Plan | Batch) -> Expected | None:
        if isinstance(row, Batch):
            return self._forecast().of_batch(row) if row.is_unfinished else None
        is_left: bool = row.in_render  # type: ignore[attr-defined]
        return self._forecast().of_plan(row) if is_left else None

    def _forecast(self) -> Forecast:
        # All rows of an answer share what the serializer at its root was given.
        shared = cast("dict[str, Forecast]", self.context)
        if "forecast" not in shared:
            shared["forecast"] = expected_ends.RECENT.recent()
        return shared["forecast"]


class ProjectShape(Shape[Project]):
    project_id = serializers.CharField(source="code")
    n_episodes = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class EpisodeShape(Shape[Episode]):
    id = serializers.IntegerField()
    project_id = serializers.CharField(source="project.code")
    season = serializers.CharField()
    episode = serializers.CharField(source="code")
    n_sequences = serializers.IntegerField()


class SequenceShape(Shape[Sequence]):
    id = serializers.IntegerField()
    project_id = serializers.CharField(source="episode.project.code")
    season = serializers.CharField(source="episode.season")
    episode = serializers.CharField(source="episode.code")
    sequence_id = serializers.CharField(source="code")
    n_plans = serializers.IntegerField()


class VersionShape(Shape[Version]):
    id = serializers.IntegerField()
    sequence_id = serializers.CharField(source="plan.sequence.code")
    plan = serializers.CharField(source="plan.code")
    task = serializers.ChoiceField(list(TASKS))
    version = serializers.IntegerField(source="number")
    image = serializers.IntegerField(help_text="Which of its prompt's pictures it is, from 1.")
    filename = serializers.CharField(source="__str__")
    path = serializers.CharField(help_text="Relative to the projects root.")
    url = serializers.SerializerMethodField(help_text="Signed, for MADSEA_FILE_LINK_S.")
    thumbnail_url = serializers.SerializerMethodField(help_text="Signed; a WebP, 320 px wide.")
    width = serializers.IntegerField(source="width_px")
    height = serializers.IntegerField(source="height_px")
    bytes = serializers.IntegerField(source="n_bytes")
    sha256 = serializers.CharField(help_text="Of the file on disk.")
    served_sha256 = serializers.SerializerMethodField(
        help_text="Of what `url` gives; null while that is not known, or if it is no image."
    )
    pixels_sha256 = serializers.SerializerMethodField(
        help_text="Of what it shows, whatever its file; null while that is not known."
    )
    review_state = serializers.SerializerMethodField(
        help_text="What its review has come to; null for panels, on which nobody decides."
    )
    findings = serializers.SerializerMethodField(
        help_text="What its style's checks find in it; null: it is not measured, or not yet."
    )
    origin = serializers.ChoiceField(Version.Origin.values)
    variation = serializers.IntegerField(
        source="run.variation",
        default=None,
        allow_null=True,
        help_text="Which variation of its plan in its batch; null for what no batch asked for.",
    )
    batch_id = serializers.CharField(source="batch.public_id", default=None, allow_null=True)
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    made_from_panel = serializers.IntegerField(
        default=None,
        allow_null=True,
        help_text="The number of the panel that it was rendered from; null where there was none.",
    )
    newer_panel = serializers.SerializerMethodField(
        help_text="The number of its plan's newest panel, where that is a newer one; else null."
    )
    published_at = serializers.DateTimeField()

    @extend_schema_field(OpenApiTypes.URI)  # type: ignore[untyped-decorator]
    def get_url(self, version: Version) -> str:
        return f"{self.context['origin']}{signed_urls.signed_url(version.pk, str(version))}"

    def get_newer_panel(self, version: Version) -> int | None:
        return results.newer_panel(version)

    @extend_schema_field(REVIEW_STATE)  # type: ignore[untyped-decorator]
    def get_review_state(self, version: Version) -> str | None:
        return version.review_state or None

    def get_findings(self, version: Version) -> list[Finding] | None:
        return found_in(version)

    def get_served_sha256(self, version: Version) -> str | None:
        return version.served_sha256 if version.is_showable else None

    def get_pixels_sha256(self, version: Version) -> str | None:
        return version.pixels_sha256 or None

    @extend_schema_field(OpenApiTypes.URI)  # type: ignore[untyped-decorator]
    def get_thumbnail_url(self, version: Version) -> str:
        return f"{self.context['origin']}{signed_urls.thumbnail_url(version.pk, str(version))}"


class PlanShape(Shape[Plan]):
    id = serializers.IntegerField()
    project_id = serializers.CharField(source="sequence.episode.project.code")
    season = serializers.CharField(source="sequence.episode.season")
    episode = serializers.CharField(source="sequence.episode.code")
    sequence_id = serializers.CharField(source="sequence.code")
    plan = serializers.CharField(source="code")
    status = serializers.ChoiceField(list(RunState), source="last_state", allow_null=True)
    batch_id = serializers.CharField(source="last_batch_id", allow_null=True)
    label = serializers.CharField(help_text="As its board is called: `1A`.")  # type: ignore[assignment]
    storyboard_uid = serializers.CharField()
    dialogue = serializers.CharField()
    action = serializers.CharField()
    place = serializers.CharField(help_text="Where the action plays, as it tells.")
    camera = serializers.CharField(help_text="How it is seen, as the action tells.")
    description = serializers.CharField(help_text="What happens: the rest of the action.")
    notes = serializers.CharField()
    duration_ms = serializers.IntegerField(allow_null=True)
    position = serializers.IntegerField(allow_null=True, help_text="In the episode's story.")
    style = serializers.CharField(  # type: ignore[assignment]
        source="style.code", default=None, allow_null=True
    )
    production_status = serializers.ChoiceField(
        list(PlanStatus), help_text="Nothing new is made of a plan that is on hold or omitted."
    )
    text_revision = serializers.IntegerField(help_text="Grows with each change of these texts.")
    review_state = serializers.ChoiceField(
        list(ReviewState),
        allow_null=True,
        help_text="Of its approved version, else of the newest that nothing supersedes.",
    )
    in_render = serializers.BooleanField(help_text="Whether a run of it is unfinished.")
    expected_end = ExpectedEnd(help_text=f"Of its unfinished runs, the last. {_END}")
    made_from_panel = serializers.SerializerMethodField(
        help_text="Of its newest picture: the number of the panel that it was rendered from."
    )
    newer_panel = serializers.SerializerMethodField(
        help_text="The number of its newest panel, where that is newer; else null."
    )
    versions = VersionShape(source="shown_versions", many=True)

    def get_made_from_panel(self, plan: Any) -> int | None:
        image: Any = production.newest_image(plan.shown_versions)
        return image.made_from_panel if image else None

    def get_newer_panel(self, plan: Any) -> int | None:
        return results.newer_panel(production.newest_image(plan.shown_versions))


class PlanTextChangeShape(Shape[PlanTextChange]):
    revision = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="By which door it came: `api`, `admin`, `storyboard`, …"
    )
    before = serializers.DictField(help_text="What was changed, as it was.")
    after = serializers.DictField(help_text="And as it is since.")


class BatchShape(Shape[Batch]):
    batch_id = serializers.CharField(source="public_id")
    project_id = serializers.CharField(source="episode.project.code")
    season = serializers.CharField(source="episode.season")
    episode = serializers.CharField(source="episode.code")
    style = serializers.CharField(source="style.code")  # type: ignore[assignment]
    workflow_json = serializers.CharField(source="workflow.name", default=None, allow_null=True)
    mode = serializers.ChoiceField(list(Mode))
    name = serializers.CharField()
    reason = serializers.CharField()
    variations = serializers.IntegerField()
    params = serializers.DictField()
    sources = serializers.DictField(
        child=serializers.ChoiceField(list(ValueSource)), help_text="Where each value came from."
    )
    priority = serializers.IntegerField()
    paused = serializers.SerializerMethodField()
    max_tries = serializers.SerializerMethodField()
    requested_by = serializers.CharField(
        source="requested_by.username", default=None, allow_null=True
    )
    status = serializers.ChoiceField(list(BatchState))
    progress = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expected_end = ExpectedEnd(help_text=_END)

    def get_paused(self, batch: Batch) -> bool:
        return batch.paused_at is not None

    def get_max_tries(self, batch: Batch) -> int:
        return batches.max_tries(batch)

    def get_progress(self, batch: Batch) -> int:
        return batches.progress(batch)

    def get_counts(self, batch: Batch) -> dict[str, int]:
        return batches.counts(batch)


class TokenShape(Shape[Any]):
    token = serializers.CharField()


class LogShape(serializers.BaseSerializer[LogEntry]):
    def to_representation(self, instance: LogEntry) -> LogLine:
        return logs.line(instance)


class StyleShape(Shape[Any]):
    style = serializers.CharField(source="code")  # type: ignore[assignment]
    label = serializers.CharField()  # type: ignore[assignment]
    workflow_json = serializers.CharField(source="workflow_name")
    workflows = serializers.ListField(
        child=serializers.CharField(),
        source="workflow_names",
        help_text="Those that `params` hold for.",
    )
    params = serializers.DictField()
    prompt = serializers.CharField(
        help_text="Its text, with fields that each plan fills in; empty: the workflow's own."
    )
    negative_prompt = serializers.CharField()
    variants = serializers.DictField(
        help_text="Presets of light: a name, and its `label` and `params`, to put into a request."
    )


class ServerShape(Shape[Server]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.SerializerMethodField()
    source = serializers.CharField()  # type: ignore[assignment]
    enabled = serializers.BooleanField(source="is_enabled")
    draining = serializers.BooleanField(source="is_draining")
    health = serializers.ChoiceField(list(ServerHealth))
    health_detail = serializers.CharField()
    version = serializers.CharField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    down_since = serializers.DateTimeField(allow_null=True)
    set_aside = serializers.SerializerMethodField()
    blocked_for = serializers.SerializerMethodField()
    driven = serializers.BooleanField(source="is_driven")
    doing = serializers.SerializerMethodField()

    def get_url(self, server: Server) -> str:
        return servers.public_address(server)

    def get_set_aside(self, server: Server) -> SetAside | None:
        return servers.set_aside(server)

    def get_blocked_for(self, server: Server) -> list[BlockedWorkflow]:
        return servers.blocked_for(server)

    def get_doing(self, server: Server) -> list[Doing]:
        attempts: Any = server
        return servers.doing(attempts.open_attempts)


class Bound(serializers.FloatField):
    """A number that stays whole where it is: a float cannot tell the largest seeds apart."""

    def to_representation(self, value: float) -> Any:
        return value


class ParameterShape(Shape[Any]):
    name = serializers.CharField()
    type = serializers.CharField(help_text="INT, FLOAT, STRING, COMBO, IMAGE, SEED or BOOLEAN.")
    min = Bound(source="minimum", allow_null=True)
    max = Bound(source="maximum", allow_null=True)
    step = Bound(allow_null=True)
    default = serializers.JSONField()
    options = serializers.ListField(child=serializers.JSONField(), allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]
    offered = serializers.BooleanField(
        source="is_offered", help_text="Whether a request may give it."
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        ["graph", "title"], help_text="How it was found: by what the graph means, or by a title."
    )
    default_source = serializers.ChoiceField(
        ["workflow", "preset"], help_text="Where the default comes from."
    )
    targets = serializers.SerializerMethodField()

    def get_targets(self, parameter: Parameter) -> list[str]:
        return [f"{node_id}.{name}" for node_id, name in parameter.targets]


class WorkflowErrorShape(Shape[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    node = serializers.CharField(allow_null=True)


class PanelInputShape(Shape[Any]):
    node = serializers.CharField()
    input = serializers.CharField()
    title = serializers.CharField()


class ResultShape(Shape[Any]):
    node = serializers.CharField()
    kind = serializers.ChoiceField(["image", "animation", "video", "preview"])
    images = serializers.IntegerField(allow_null=True)
    published = serializers.BooleanField()


class WorkflowNeedsShape(Shape[Any]):
    classes = serializers.ListField(child=serializers.CharField())
    models = serializers.ListField(child=serializers.CharField())
    files = serializers.ListField(
        child=serializers.CharField(), help_text="Pictures in its input folder."
    )


class WarningShape(Shape[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    node = serializers.CharField(allow_null=True)


class NodeShape(Shape[Any]):
    def get_fields(self) -> Any:
        names = ("node", "class", "title")
        return {name: serializers.CharField() for name in names}


class QuestionShape(Shape[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    options = NodeShape(many=True)


class GraphShape(Shape[Any]):
    graph = serializers.JSONField(help_text="The graph in ComfyUI's API format.")


class WorkflowShape(Shape[Any]):
    workflow_json = serializers.CharField()
    sha256 = serializers.CharField(allow_null=True, help_text="Of the graph.")
    contract_sha256 = serializers.CharField(
        allow_null=True, help_text="Of the answers and choices."
    )
    needs_panel = serializers.BooleanField()
    panel = PanelInputShape(allow_null=True)
    results = ResultShape(many=True)
    needs = WorkflowNeedsShape()
    parameters = ParameterShape(many=True)
    schema = serializers.JSONField(allow_null=True, help_text="The JSON Schema of `params`.")
    warnings = WarningShape(many=True)
    questions = QuestionShape(many=True)
    answers = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        help_text="Node ids by question; an empty one: none of them.",
    )
    error = WorkflowErrorShape(allow_null=True)
