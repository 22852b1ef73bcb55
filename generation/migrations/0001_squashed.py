"""All of the engine's tables, and the two styles of the studio's technical sheet."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import generation.states

_LIGHT = {
    "golden_hour": ("Golden hour", 30, 8),
    "blue_hour": ("Blue hour", 40, 8),
    "neutral": ("Neutral low back light", 30, 7),
}
_NEVER = (
    "painting, drawing, illustration, vector art, cartoon, 3d render, paper cut-out, fantasy,"
    " visible face, facial features, eyes, frontal light, soft light, coloured light on figures,"
    " missing rim light, blurred edges, grey figures, overexposed, underexposed, text, watermark"
)


def _silhouettes(light, more=""):
    return (
        f"photographic film still, {{description}}, {{place}}, {light}, figures wholly black and"
        " sharply cut with fine detail of hair, fingers and folds, strong rim light from a visible"
        " source, real detailed setting, shadows on ground and wall that fit the light,"
        f" framing of the storyboard kept{more}"
    )


GOLDEN = "golden hour, low warm sun, orange rim light"
BLUE = "blue hour, cold blue rim light, deep blue sky"
NEUTRAL = "neutral low back light"


def _variants():
    texts = {"golden_hour": GOLDEN, "blue_hour": BLUE, "neutral": NEUTRAL}
    return {
        name: {
            "label": label,
            "params": {"steps": steps, "cfg": cfg, "prompt": _silhouettes(texts[name])},
        }
        for name, (label, steps, cfg) in _LIGHT.items()
    }


STYLES = [
    {
        "code": "ombres_chinoises",
        "label": "Ombres chinoises",
        "workflow_name": "OmbresChinoises.json",
        "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9, "denoise": 0.4},
        "prompt": _silhouettes(GOLDEN),
        "negative_prompt": _NEVER,
        "variants": _variants(),
        "position": 1,
    },
    {
        "code": "labo",
        "label": "Labo",
        "workflow_name": "Labo.json",
        "params": {
            "steps": 30,
            "cfg": 7.0,
            "denoise": 0.45,
            "sampler_name": "dpmpp_2m",
            "scheduler": "karras",
        },
        "prompt": (
            "photograph in a laboratory, {description}, {place}, glass and instruments, credible"
            " colours, directional light, sharp, framing of the storyboard kept"
        ),
        "negative_prompt": (
            "painting, drawing, illustration, vector art, cartoon, 3d render, fantasy, blurred"
            " edges, flat light, overexposed, underexposed, text, watermark"
        ),
        "variants": {},
        "position": 2,
    },
]


def add_styles(apps, schema_editor):
    style = apps.get_model("generation", "Style")
    for fields in STYLES:
        style.objects.get_or_create(code=fields["code"], defaults=fields)


class Migration(migrations.Migration):
    replaces = [
        ("generation", "0001_madsea"),
        ("generation", "0002_technical_sheet"),
        ("generation", "0003_workflow_remarks"),
        ("generation", "0004_derived_data"),
        ("generation", "0005_review_states"),
        ("generation", "0006_episode_changes"),
        ("generation", "0007_acts"),
        ("generation", "0008_measures"),
        ("generation", "0009_roles"),
        ("generation", "0010_names_in_two_languages"),
        ("generation", "0011_names_of_fields"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginTries",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("n_tries", models.PositiveIntegerField()),
                ("next_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name_plural": "login tries",
            },
        ),
        migrations.CreateModel(
            name="Needs",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("classes", models.JSONField()),
                ("files", models.JSONField()),
                ("model_key", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "needs",
            },
        ),
        migrations.CreateModel(
            name="StorageTrouble",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        blank=True,
                        help_text="Empty: all projects.",
                        max_length=64,
                        unique=True,
                        verbose_name="project",
                    ),
                ),
                ("path", models.CharField(blank=True, max_length=255)),
                (
                    "is_reading",
                    models.BooleanField(
                        default=False,
                        help_text="The path is a file to be read, else a folder to be written to.",
                    ),
                ),
                ("n_bytes", models.PositiveBigIntegerField(default=1)),
                ("detail", models.TextField()),
                ("since", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["scope"],
            },
        ),
        migrations.CreateModel(
            name="Style",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=64, unique=True, verbose_name="code")),
                ("label", models.CharField(max_length=128, verbose_name="label")),
                (
                    "workflow_name",
                    models.CharField(max_length=128, verbose_name="default workflow"),
                ),
                (
                    "more_workflows",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='Names of the other workflows that the default parameters hold for: ["A.json"].',
                        verbose_name="other workflows",
                    ),
                ),
                (
                    "params",
                    models.JSONField(blank=True, default=dict, verbose_name="default parameters"),
                ),
                (
                    "prompt",
                    models.TextField(
                        blank=True,
                        help_text="What a plan is made with, instead of the workflow's own; fields in braces are filled in for each: {description}, {place}, {camera}, {notes}, {dialogue}, {label}, {episode}, {sequence}, {plan}.",
                        max_length=10000,
                        verbose_name="prompt",
                    ),
                ),
                (
                    "negative_prompt",
                    models.TextField(
                        blank=True,
                        help_text="What it must not show.",
                        max_length=10000,
                        verbose_name="negative prompt",
                    ),
                ),
                (
                    "variants",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Presets to choose from: {"blue_hour": {"label": "Blue hour", "params": {"cfg": 8, "steps": 40}}}.',
                        verbose_name="light variants",
                    ),
                ),
                (
                    "checks",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Bounds of what is checked of its pictures before anybody looks, from 0 to 1; null switches a check off: {"composition": 0.7, "like_plan": null}. What is not named keeps its default.',
                        verbose_name="checks",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
            ],
            options={
                "verbose_name": "style",
                "verbose_name_plural": "styles",
                "ordering": ["position", "code"],
            },
        ),
        migrations.CreateModel(
            name="Volume",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", models.CharField(blank=True, max_length=255, unique=True)),
                ("mark", models.CharField(max_length=64)),
                ("adopted_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["path"],
            },
        ),
        migrations.CreateModel(
            name="NamedWorkflow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=128, verbose_name="name")),
                (
                    "folded",
                    models.CharField(
                        help_text="The name without regard to case.", max_length=400, unique=True
                    ),
                ),
                ("document", models.TextField(blank=True, help_text="The text as it was given.")),
                ("graph", models.JSONField(blank=True, null=True)),
                (
                    "remarks",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='What of the document is not in the graph: [{"code", "detail", "node"}]',
                    ),
                ),
                ("sha256", models.CharField(blank=True, help_text="Of the graph.", max_length=64)),
                (
                    "error",
                    models.JSONField(blank=True, help_text='{"code", "detail", "node"}', null=True),
                ),
                (
                    "choices",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="See workflows.contract_choices.",
                        verbose_name="answers and choices",
                    ),
                ),
                ("file_sha256", models.CharField(blank=True, max_length=64)),
                ("file_changed_at", models.DateTimeField(blank=True, null=True)),
                ("changed_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "workflow",
                "verbose_name_plural": "workflows",
                "ordering": ["folded"],
                "permissions": [
                    (
                        "give_workflow",
                        "Can give and change workflows: they run nodes on the GPU hosts",
                    )
                ],
                "default_permissions": ("view", "delete"),
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=64, verbose_name="project_id")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "project",
                "verbose_name_plural": "projects",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"),
                        name="project_code_unique_without_case",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Sequencer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_number", models.PositiveBigIntegerField(default=0)),
                ("pruned_to", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="sequencer_is_one"),
                    models.CheckConstraint(
                        condition=models.Q(("pruned_to__lte", models.F("last_number"))),
                        name="sequencer_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Server",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True, verbose_name="name")),
                ("url", models.CharField(max_length=500, unique=True, verbose_name="address")),
                (
                    "login",
                    models.CharField(
                        blank=True,
                        help_text="For basic auth: name:password. It is not shown.",
                        max_length=500,
                        verbose_name="login",
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="Goes with every request, such as token=…. It is not shown.",
                        max_length=2000,
                        verbose_name="query",
                    ),
                ),
                (
                    "certificate",
                    models.TextField(
                        blank=True,
                        help_text="For https with a certificate of the studio's own: that of its CA, or the server's, as PEM text; or the SHA-256 fingerprint of the server's, then no other is believed.",
                        verbose_name="certificate",
                    ),
                ),
                (
                    "partner_key",
                    models.CharField(
                        blank=True,
                        help_text="The Comfy.org API key that paid partner nodes are billed by. It goes with every prompt to this server, and is not shown.",
                        max_length=500,
                        verbose_name="key for partner nodes",
                    ),
                ),
                (
                    "headers",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='For a server behind a login: {"Authorization": "Bearer …"}',
                        verbose_name="extra headers",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("settings", "COMFYUI_SERVERS"),
                            ("admin", "the admin"),
                            ("preview", "the preview server"),
                        ],
                        default="admin",
                        max_length=16,
                        verbose_name="named by",
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "is_draining",
                    models.BooleanField(
                        default=False,
                        help_text="It finishes what it has and takes nothing more.",
                        verbose_name="draining",
                    ),
                ),
                (
                    "health",
                    models.CharField(
                        choices=[("unknown", "unknown"), ("up", "up"), ("down", "down")],
                        default=generation.states.ServerHealth["UNKNOWN"],
                        max_length=8,
                        verbose_name="health",
                    ),
                ),
                ("health_detail", models.TextField(blank=True)),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("down_since", models.DateTimeField(blank=True, null=True)),
                ("version", models.CharField(blank=True, max_length=32, verbose_name="version")),
                ("has_jobs_api", models.BooleanField(default=False)),
                (
                    "needs_reading",
                    models.BooleanField(
                        default=True,
                        help_text="Its node classes and models may have changed since they were read.",
                    ),
                ),
                ("set_aside_at", models.DateTimeField(blank=True, null=True)),
                ("set_aside_code", models.CharField(blank=True, max_length=48)),
                ("set_aside_detail", models.TextField(blank=True)),
                (
                    "set_aside_prompt",
                    models.CharField(
                        blank=True,
                        help_text="A prompt that it will have forgotten once it restarted.",
                        max_length=128,
                    ),
                ),
                (
                    "same_as",
                    models.ForeignKey(
                        blank=True,
                        help_text="It stands aside for this one: both addresses lead to the same ComfyUI.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="generation.server",
                    ),
                ),
                ("last_model_key", models.CharField(blank=True, max_length=64)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("lease_owner", models.CharField(blank=True, max_length=128)),
                ("drive_requested_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "server",
                "verbose_name_plural": "servers",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_expires_at", None), ("lease_token", None)),
                            models.Q(
                                ("lease_expires_at__isnull", False), ("lease_token__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="server_lease_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("health__in", ["unknown", "up", "down"])),
                        name="server_health_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=128, verbose_name="name")),
                ("sha256", models.CharField(max_length=64)),
                ("graph", models.JSONField()),
                (
                    "contract_sha256",
                    models.CharField(
                        default="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                        help_text="Of the answers and choices.",
                        max_length=64,
                    ),
                ),
                (
                    "choices",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="See workflows.contract_choices.",
                        verbose_name="answers and choices",
                    ),
                ),
                (
                    "longest_render_s",
                    models.FloatField(
                        blank=True,
                        help_text="The longest that a server has worked at one of its plans.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "frozen workflow",
                "verbose_name_plural": "frozen workflows",
                "ordering": ["name", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "sha256", "contract_sha256"), name="workflow_unique_content"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="acts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "actor_name",
                    models.CharField(
                        help_text="As it was then: a user's, a guest's, or the console.",
                        max_length=150,
                        verbose_name="by",
                    ),
                ),
                ("verb", models.CharField(max_length=32, verbose_name="what was done")),
                ("target_kind", models.CharField(max_length=32, verbose_name="to what")),
                ("target_id", models.PositiveBigIntegerField()),
                ("target", models.CharField(max_length=255)),
                ("before", models.JSONField(blank=True, default=dict)),
                ("after", models.JSONField(blank=True, default=dict)),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "act",
                "verbose_name_plural": "acts",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["target_kind", "target_id", "-id"], name="act_on_what"),
                    models.Index(fields=["at"], name="act_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Episode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="episodes",
                        to="generation.project",
                        verbose_name="project",
                    ),
                ),
                ("season", models.CharField(max_length=8, verbose_name="season")),
                ("code", models.CharField(max_length=12, verbose_name="episode")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "episode",
                "verbose_name_plural": "episodes",
                "ordering": ["project_id", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "code"), name="episode_unique_in_project"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Capability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="capabilities",
                        to="generation.server",
                    ),
                ),
                (
                    "needs",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="capabilities",
                        to="generation.needs",
                    ),
                ),
                ("is_capable", models.BooleanField()),
                ("missing", models.JSONField(default=list)),
                ("spellings", models.JSONField(default=list)),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "capabilities",
                "constraints": [
                    models.UniqueConstraint(fields=("needs", "server"), name="capability_one_each")
                ],
            },
        ),
        migrations.CreateModel(
            name="ServerDefinitions",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "server",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="definitions",
                        to="generation.server",
                    ),
                ),
                ("definitions", models.JSONField()),
                (
                    "sha256",
                    models.CharField(
                        blank=True,
                        help_text="Of what is installed: without the lists of uploads.",
                        max_length=64,
                    ),
                ),
                ("n_bytes", models.PositiveIntegerField(default=0)),
                (
                    "folders",
                    models.JSONField(
                        default=dict,
                        help_text="Names of the files in its folders, as far as it tells them.",
                    ),
                ),
                ("read_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="blocks",
                        to="generation.server",
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="blocks",
                        to="generation.workflow",
                    ),
                ),
                ("detail", models.TextField()),
                (
                    "prompt_id",
                    models.CharField(
                        blank=True,
                        help_text="A prompt that it will have forgotten once it restarted.",
                        max_length=128,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("server", "workflow"), name="block_one_each")
                ],
            },
        ),
        migrations.CreateModel(
            name="Sequence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sequences",
                        to="generation.episode",
                        verbose_name="episode",
                    ),
                ),
                ("code", models.CharField(max_length=6, verbose_name="sequence_id")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "sequence",
                "verbose_name_plural": "sequences",
                "ordering": ["episode_id", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("episode", "code"), name="sequence_unique_in_episode"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EpisodeChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveBigIntegerField(null=True, unique=True)),
                (
                    "episode",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="generation.episode",
                    ),
                ),
                ("batch_id", models.PositiveBigIntegerField(null=True)),
                ("touched", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["number", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("number", None)),
                        fields=["id"],
                        name="change_unnumbered",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sequence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="generation.sequence",
                        verbose_name="sequence",
                    ),
                ),
                ("code", models.CharField(max_length=4, verbose_name="plan")),
                ("label", models.CharField(blank=True, max_length=32, verbose_name="label")),
                ("storyboard_uid", models.CharField(blank=True, max_length=64)),
                ("dialogue", models.TextField(blank=True, max_length=10000)),
                ("action", models.TextField(blank=True, max_length=10000)),
                ("place", models.CharField(blank=True, max_length=500)),
                ("camera", models.CharField(blank=True, max_length=500)),
                ("description", models.TextField(blank=True, max_length=10000)),
                ("notes", models.TextField(blank=True, max_length=10000)),
                (
                    "duration_ms",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="duration (ms)"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="position in the episode"
                    ),
                ),
                (
                    "style",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="generation.style",
                    ),
                ),
                (
                    "production_status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("on_hold", "on hold"),
                            ("omitted", "omitted"),
                        ],
                        default=generation.states.PlanStatus["ACTIVE"],
                        max_length=8,
                        verbose_name="in production",
                    ),
                ),
                ("text_revision", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "plan",
                "verbose_name_plural": "plans",
                "ordering": ["sequence_id", "code"],
                "permissions": [
                    ("write_plans", "Can change what is known of plans; make them of storyboards")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("label", ""), _negated=True),
                        fields=["label"],
                        name="plan_by_label",
                    ),
                    models.Index(
                        condition=models.Q(("storyboard_uid", ""), _negated=True),
                        fields=["storyboard_uid"],
                        name="plan_by_storyboard_uid",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sequence", "code"), name="plan_unique_in_sequence"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("production_status__in", ["active", "on_hold", "omitted"])
                        ),
                        name="plan_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanTextChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="text_changes",
                        to="generation.plan",
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("source", models.CharField(max_length=64)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("changed_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["plan_id", "-revision"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("plan", "revision"), name="plan_text_change_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(max_length=32, unique=True, verbose_name="batch_id"),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.episode",
                        verbose_name="episode",
                    ),
                ),
                (
                    "style",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.style",
                        verbose_name="style",
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.workflow",
                        verbose_name="workflow",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("auto", "auto"), ("manuel", "manuel")],
                        default=generation.states.Mode["AUTO"],
                        max_length=8,
                        verbose_name="mode",
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, help_text="What people call it.", max_length=200),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, help_text="Why it was asked for, as the request says."
                    ),
                ),
                (
                    "variations",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How many runs each plan has, each with a seed of its own.",
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict)),
                (
                    "sources",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Where each value of all its plans came from.",
                    ),
                ),
                ("needs_panel", models.BooleanField(default=False)),
                (
                    "needs",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.needs",
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, verbose_name="priority")),
                (
                    "max_tries",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="How often each plan may fail; empty: MADSEA_TRIES.",
                        null=True,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="batches",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=1)),
                ("has_started", models.BooleanField(default=False)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("n_total", models.PositiveIntegerField(default=0)),
                ("n_queued", models.PositiveIntegerField(default=0)),
                ("n_waiting", models.PositiveIntegerField(default=0)),
                ("n_running", models.PositiveIntegerField(default=0)),
                ("n_done", models.PositiveIntegerField(default=0)),
                ("n_error", models.PositiveIntegerField(default=0)),
                ("n_cancelled", models.PositiveIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="date of the request"),
                ),
                ("served_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
                "ordering": ["-id"],
                "permissions": [
                    ("ask_for_plans", "Can ask for plans; retry, cancel and steer batches")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("n_queued__gt", 0)),
                        fields=["-priority", "n_running", "served_at"],
                        name="batch_next_to_serve",
                    ),
                    models.Index(fields=["episode", "-id"], name="batch_of_episode"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "n_total",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    models.F("n_queued"), "+", models.F("n_waiting")
                                                ),
                                                "+",
                                                models.F("n_running"),
                                            ),
                                            "+",
                                            models.F("n_done"),
                                        ),
                                        "+",
                                        models.F("n_error"),
                                    ),
                                    "+",
                                    models.F("n_cancelled"),
                                ),
                            )
                        ),
                        name="batch_counters_add_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["auto", "manuel"])),
                        name="batch_mode_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__gte", -100), ("priority__lte", 100)),
                        name="batch_priority_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("max_tries", None),
                            models.Q(("max_tries__gte", 1), ("max_tries__lte", 20)),
                            _connector="OR",
                        ),
                        name="batch_max_tries_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("variations__gte", 1), ("variations__lte", 16)),
                        name="batch_variations_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mode", generation.states.Mode["MANUEL"]),
                            ("workflow__isnull", False),
                            _connector="OR",
                        ),
                        name="batch_auto_has_workflow",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="generation.batch",
                    ),
                ),
                (
                    "needs",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: it is not known, and every server counts as capable.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="generation.needs",
                    ),
                ),
                (
                    "own_workflow",
                    models.ForeignKey(
                        blank=True,
                        help_text="That of its runs, where a retry named another than their batch's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.workflow",
                    ),
                ),
                (
                    "n_passed_over",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Since it was served last, for models that servers held.",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("payload", models.JSONField()),
                ("fingerprint", models.CharField(max_length=64)),
                ("kind", models.CharField(default="batch", max_length=16)),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="generation.batch",
                    ),
                ),
                ("answer", models.JSONField(help_text="Of what makes no batch.", null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "idempotency key",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["created_at"], name="idempotency_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_of_user")
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="generation.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="generation.plan",
                        verbose_name="plan",
                    ),
                ),
                ("variation", models.PositiveSmallIntegerField(default=1)),
                ("position", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("error", "error"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "wait_reason",
                    models.CharField(
                        blank=True,
                        choices=[("", "its turn"), ("panel", "panel"), ("upload", "upload")],
                        default="",
                        max_length=16,
                    ),
                ),
                ("progress_pct", models.PositiveSmallIntegerField(default=0)),
                (
                    "own_workflow",
                    models.ForeignKey(
                        blank=True,
                        help_text="Where a retry named another than its batch's: then all values are its own.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.workflow",
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict, verbose_name="own values")),
                (
                    "sources",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Where each value of its own came from, its seed too.",
                    ),
                ),
                (
                    "texts",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What its plan told, when it was asked for, for the fields of its prompt texts.",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        help_text="Those of its batch that need the same of a server; empty in mode manuel.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="generation.rungroup",
                    ),
                ),
                ("seed", models.CharField(blank=True, max_length=20)),
                ("n_attempts", models.PositiveIntegerField(default=0)),
                (
                    "n_tries",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Attempts that failed and count, since it was requested or retried.",
                    ),
                ),
                (
                    "tried_from",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="How many attempts there had been when it was retried last.",
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=48)),
                ("error_message", models.TextField(blank=True)),
                ("error_remedy", models.TextField(blank=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("revision", models.PositiveBigIntegerField(default=1)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="date of the request"),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "plan run",
                "verbose_name_plural": "plan runs",
                "ordering": ["batch_id", "position"],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("state", generation.states.RunState["QUEUED"]), ("wait_reason", "")
                        ),
                        fields=["group", "position"],
                        name="run_next_of_group",
                    ),
                    models.Index(fields=["batch", "state"], name="run_by_state"),
                    models.Index(fields=["batch", "revision"], name="run_by_revision"),
                    models.Index(fields=["state", "-id"], name="run_of_state"),
                    models.Index(
                        condition=models.Q(("wait_reason", generation.states.WaitReason["PANEL"])),
                        fields=["plan"],
                        name="run_waits_for_panel",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "plan", "variation"), name="run_unique_in_batch"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("variation__gte", 1), ("variation__lte", 16)),
                        name="run_variation_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["queued", "waiting", "running", "done", "error", "cancelled"],
                            )
                        ),
                        name="run_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("progress_pct__lte", 100)), name="run_progress_bounds"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", generation.states.RunState["ERROR"]), _negated=True),
                            models.Q(("error_code", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="run_error_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LogEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="logs",
                        to="generation.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="logs",
                        to="generation.planrun",
                        verbose_name="plan run",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                (
                    "level",
                    models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("error", "error")],
                        max_length=8,
                        verbose_name="level",
                    ),
                ),
                ("event", models.CharField(max_length=48)),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revision", models.PositiveBigIntegerField()),
            ],
            options={
                "verbose_name": "log entry",
                "verbose_name_plural": "log entries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["batch", "revision", "id"], name="log_in_order"),
                    models.Index(fields=["run", "-id"], name="log_of_run"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="generation.planrun",
                    ),
                ),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="generation.server",
                        verbose_name="server",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("prompt_id", models.UUIDField(unique=True)),
                (
                    "server_prompt_id",
                    models.CharField(
                        blank=True,
                        help_text="The id that its server gave the prompt, where it is not the proposed one.",
                        max_length=128,
                    ),
                ),
                (
                    "server_version",
                    models.CharField(
                        blank=True,
                        help_text="Its server's ComfyUI, when the attempt began.",
                        max_length=32,
                    ),
                ),
                ("lease_token", models.UUIDField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("done", "done"),
                            ("error", "error"),
                            ("cancelled", "cancelled"),
                            ("lost", "lost"),
                            ("refused", "refused"),
                            ("abandoned", "abandoned"),
                        ],
                        default=generation.states.AttemptOutcome["OPEN"],
                        max_length=10,
                    ),
                ),
                ("outcome_detail", models.TextField(blank=True)),
                ("failure_code", models.CharField(blank=True, max_length=48)),
                (
                    "is_held_against",
                    models.BooleanField(
                        default=False,
                        help_text="Its plan goes to other servers while one of them can take it.",
                    ),
                ),
                (
                    "is_left_behind",
                    models.BooleanField(
                        default=False,
                        help_text="Its prompt may still be on the server, to be deleted first thing.",
                    ),
                ),
                ("graph", models.JSONField()),
                ("seed", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "watched",
                    models.JSONField(
                        blank=True,
                        help_text="How long its drivers have waited for what (durations).",
                        null=True,
                    ),
                ),
                (
                    "render_s",
                    models.FloatField(
                        blank=True,
                        help_text="How long the server worked at it, by its own clock, and no longer than it had.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["server", "-id"], name="attempt_of_server"),
                    models.Index(
                        condition=models.Q(("outcome", generation.states.AttemptOutcome["OPEN"])),
                        fields=["server"],
                        name="attempt_open_of_server",
                    ),
                    models.Index(
                        condition=models.Q(("is_left_behind", True)),
                        fields=["server"],
                        name="attempt_left_on_server",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", generation.states.AttemptOutcome["OPEN"])),
                        fields=("run",),
                        name="attempt_one_open_per_run",
                    ),
                    models.UniqueConstraint(fields=("run", "number"), name="attempt_unique_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                [
                                    "open",
                                    "done",
                                    "error",
                                    "cancelled",
                                    "lost",
                                    "refused",
                                    "abandoned",
                                ],
                            )
                        ),
                        name="attempt_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.plan",
                    ),
                ),
                ("task", models.CharField(max_length=32, verbose_name="task")),
                ("number", models.PositiveSmallIntegerField(verbose_name="version")),
                ("extension", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reserved", "reserved"),
                            ("published", "published"),
                            ("open", "open"),
                        ],
                        default=generation.states.VersionState["RESERVED"],
                        max_length=10,
                    ),
                ),
                (
                    "review_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("to_review", "to review"),
                            ("approved", "approved"),
                            ("retake", "retake"),
                            ("superseded", "superseded"),
                        ],
                        help_text="Empty: nobody decides on versions of its task.",
                        max_length=12,
                        verbose_name="review",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("render", "rendered"),
                            ("upload", "uploaded"),
                            ("import", "imported"),
                            ("found", "found on disk"),
                        ],
                        max_length=8,
                        verbose_name="origin",
                    ),
                ),
                ("staging_path", models.CharField(blank=True, max_length=255)),
                (
                    "held_up",
                    models.TextField(
                        blank=True,
                        help_text="Why its file could not get its name yet: a cancel still counts.",
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                (
                    "served_sha256",
                    models.CharField(
                        blank=True,
                        help_text="Empty: what is served of it is not known yet.",
                        max_length=64,
                    ),
                ),
                (
                    "pixels_sha256",
                    models.CharField(
                        blank=True,
                        help_text="Of what it shows; empty: not known yet, or no image.",
                        max_length=64,
                    ),
                ),
                ("n_bytes", models.PositiveBigIntegerField(verbose_name="bytes")),
                ("width_px", models.PositiveIntegerField()),
                ("height_px", models.PositiveIntegerField()),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.planrun",
                        verbose_name="plan run",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.attempt",
                    ),
                ),
                (
                    "image",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Which of its attempt's pictures it is: from 1.",
                        verbose_name="picture",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="versions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "derived",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("made", "made"),
                            ("none", "none can be made"),
                        ],
                        default="pending",
                        max_length=7,
                        verbose_name="small pictures",
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "published_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="published"),
                ),
            ],
            options={
                "verbose_name": "version",
                "verbose_name_plural": "versions",
                "ordering": ["plan_id", "task", "-number"],
                "permissions": [("upload_images", "Can give panels and images")],
                "indexes": [
                    models.Index(fields=["batch", "revision"], name="version_by_revision"),
                    models.Index(fields=["sha256"], name="version_by_sha256"),
                    models.Index(fields=["served_sha256"], name="version_by_served"),
                    models.Index(fields=["pixels_sha256"], name="version_by_pixels"),
                    models.Index(
                        condition=models.Q(("state", generation.states.VersionState["RESERVED"])),
                        fields=["created_at"],
                        name="version_reserved",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("review_state", generation.states.ReviewState["TO_REVIEW"]),
                            ("state", generation.states.VersionState["PUBLISHED"]),
                        ),
                        fields=["-id"],
                        name="version_to_review",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("review_state", generation.states.ReviewState["RETAKE"])
                        ),
                        fields=["plan"],
                        name="version_retake",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("served_sha256", ""),
                            ("state", generation.states.VersionState["PUBLISHED"]),
                        ),
                        fields=["id"],
                        name="version_not_yet_served",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("derived", "pending"),
                            ("state", generation.states.VersionState["PUBLISHED"]),
                        ),
                        fields=["-id"],
                        name="version_derivable",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("derived__in", ["pending", "made", "none"])),
                        name="version_derived_known",
                    ),
                    models.UniqueConstraint(
                        fields=("plan", "task", "number"), name="version_number_used_once"
                    ),
                    models.UniqueConstraint(fields=("path",), name="version_path_used_once"),
                    models.UniqueConstraint(
                        fields=("attempt", "image"), name="version_picture_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("review_state", generation.states.ReviewState["APPROVED"])
                        ),
                        fields=("plan",),
                        name="version_one_approved_of_plan",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "review_state__in",
                                    ["to_review", "approved", "retake", "superseded"],
                                ),
                                ("task__in", ("AI-concept",)),
                            ),
                            models.Q(
                                models.Q(("task__in", ("AI-concept",)), _negated=True),
                                ("review_state", ""),
                            ),
                            _connector="OR",
                        ),
                        name="version_review_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", generation.states.VersionState["PUBLISHED"]),
                            ("review_state__in", ["", "to_review"]),
                            _connector="OR",
                        ),
                        name="version_decided_is_published",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("image__gte", 1), ("image__lte", 16)),
                        name="version_picture_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1), ("number__lte", 9999)),
                        name="version_number_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["reserved", "published", "open"])),
                        name="version_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("published_at__isnull", False),
                                ("state", generation.states.VersionState["PUBLISHED"]),
                            ),
                            models.Q(
                                ("published_at", None),
                                ("state", generation.states.VersionState["RESERVED"]),
                                models.Q(("staging_path", ""), _negated=True),
                            ),
                            models.Q(
                                ("published_at", None),
                                ("run", None),
                                ("staging_path", ""),
                                ("state", generation.states.VersionState["OPEN"]),
                            ),
                            _connector="OR",
                        ),
                        name="version_published_staged_or_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Measure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="measure",
                        to="generation.version",
                    ),
                ),
                ("smaller_by", models.FloatField(null=True)),
                ("ratio_off_by", models.FloatField(null=True)),
                ("brightest", models.FloatField()),
                ("darkest", models.FloatField()),
                ("contrast", models.FloatField()),
                ("panel_distance", models.FloatField(null=True)),
                (
                    "look",
                    models.BigIntegerField(
                        help_text="64 bits: few of them differ where pictures are alike."
                    ),
                ),
                ("version_distance", models.FloatField(null=True)),
                (
                    "like_version",
                    models.ForeignKey(
                        help_text="Of the same plan.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="generation.version",
                    ),
                ),
                ("plan_distance", models.FloatField(null=True)),
                (
                    "like_plan",
                    models.ForeignKey(
                        help_text="Of another plan.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="generation.version",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="batch",
            name="rerun_of",
            field=models.ForeignKey(
                blank=True,
                help_text="The version whose recipe it follows: its graph is posted as it was.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reruns",
                to="generation.version",
            ),
        ),
        migrations.AddField(
            model_name="planrun",
            name="current_attempt",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.attempt",
            ),
        ),
        migrations.AddField(
            model_name="planrun",
            name="result",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.version",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="panel",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.version",
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", generation.states.RunState["DONE"]), _negated=True),
                    ("result__isnull", False),
                    _connector="OR",
                ),
                name="run_done_has_a_result",
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", generation.states.RunState["RUNNING"]), _negated=True),
                    ("current_attempt__isnull", False),
                    _connector="OR",
                ),
                name="run_running_has_an_attempt",
            ),
        ),
        migrations.RunPython(add_styles, migrations.RunPython.noop),
    ]
