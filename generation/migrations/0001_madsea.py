"""All of the engine's tables, and the two styles that the specification names."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import generation.states
from django.conf import settings
from django.db import migrations, models

STYLES = [
    {
        "code": "ombres_chinoises",
        "label": "Ombres chinoises",
        "workflow_name": "OmbresChinoises.json",
        "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
        "position": 1,
    },
    {
        "code": "labo",
        "label": "Labo",
        "workflow_name": "Labo.json",
        "params": {},
        "position": 2,
    },
]


def add_styles(apps, schema_editor):
    style = apps.get_model("generation", "Style")
    for fields in STYLES:
        style.objects.get_or_create(code=fields["code"], defaults=fields)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                ("season", models.CharField(max_length=8)),
                ("code", models.CharField(max_length=12, verbose_name="episode")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["project_id", "code"],
            },
        ),
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
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=4, verbose_name="plan")),
                ("label", models.CharField(blank=True, max_length=32)),
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
                    "production_status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("on_hold", "on hold"),
                            ("omitted", "omitted"),
                        ],
                        default=generation.states.PlanStatus["ACTIVE"],
                        max_length=8,
                    ),
                ),
                ("text_revision", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["sequence_id", "code"],
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
                ("code", models.SlugField(max_length=64, unique=True)),
                ("label", models.CharField(max_length=128)),
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
                    ),
                ),
                (
                    "negative_prompt",
                    models.TextField(
                        blank=True, help_text="What it must not show.", max_length=10000
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
                ("is_active", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
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
                    "mode",
                    models.CharField(
                        choices=[("auto", "auto"), ("manuel", "manuel")],
                        default=generation.states.Mode["AUTO"],
                        max_length=8,
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
                ("priority", models.SmallIntegerField(default=0)),
                (
                    "max_tries",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="How often each plan may fail; empty: MADSEA_TRIES.",
                        null=True,
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("served_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="batches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.episode",
                    ),
                ),
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
                (
                    "style",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="generation.style",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "ordering": ["-id"],
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
                ("name", models.CharField(max_length=128)),
                (
                    "folded",
                    models.CharField(
                        help_text="The name without regard to case.", max_length=400, unique=True
                    ),
                ),
                ("document", models.TextField(blank=True, help_text="The text as it was given.")),
                ("graph", models.JSONField(blank=True, null=True)),
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
                ("changed_at", models.DateTimeField(auto_now=True)),
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
            ],
            options={
                "verbose_name": "workflow",
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
            name="PlanRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="generation.batch",
                    ),
                ),
                (
                    "current_attempt",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.attempt",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="generation.plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "plan run",
                "ordering": ["batch_id", "position"],
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="generation.planrun",
            ),
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"),
                        name="project_code_unique_without_case",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="episode",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="episodes",
                to="generation.project",
            ),
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
                    "n_passed_over",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Since it was served last, for models that servers held.",
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
            ],
        ),
        migrations.AddField(
            model_name="planrun",
            name="group",
            field=models.ForeignKey(
                blank=True,
                help_text="Those of its batch that need the same of a server; empty in mode manuel.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="generation.rungroup",
            ),
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
                ("code", models.CharField(max_length=6, verbose_name="sequence_id")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sequences",
                        to="generation.episode",
                    ),
                ),
            ],
            options={
                "ordering": ["episode_id", "code"],
            },
        ),
        migrations.AddField(
            model_name="plan",
            name="sequence",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="generation.sequence",
            ),
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
                ("name", models.CharField(max_length=64, unique=True)),
                ("url", models.CharField(max_length=500, unique=True, verbose_name="address")),
                (
                    "login",
                    models.CharField(
                        blank=True,
                        help_text="For basic auth: name:password. It is not shown.",
                        max_length=500,
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="Goes with every request, such as token=…. It is not shown.",
                        max_length=2000,
                    ),
                ),
                (
                    "certificate",
                    models.TextField(
                        blank=True,
                        help_text="For https with a certificate of the studio's own: that of its CA, or the server's, as PEM text; or the SHA-256 fingerprint of the server's, then no other is believed.",
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
                    ),
                ),
                ("health_detail", models.TextField(blank=True)),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("down_since", models.DateTimeField(blank=True, null=True)),
                ("version", models.CharField(blank=True, max_length=32)),
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
                ("last_model_key", models.CharField(blank=True, max_length=64)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("lease_owner", models.CharField(blank=True, max_length=128)),
                ("drive_requested_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
            ],
            options={
                "ordering": ["name"],
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
                ("is_capable", models.BooleanField()),
                ("missing", models.JSONField(default=list)),
                ("spellings", models.JSONField(default=list)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "needs",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="capabilities",
                        to="generation.needs",
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
            ],
            options={
                "verbose_name_plural": "capabilities",
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="server",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="generation.server",
            ),
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
                (
                    "server",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="definitions",
                        to="generation.server",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="plan",
            name="style",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="generation.style",
            ),
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
                ("task", models.CharField(max_length=32)),
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
                    "origin",
                    models.CharField(
                        choices=[
                            ("render", "rendered"),
                            ("upload", "uploaded"),
                            ("import", "imported"),
                            ("found", "found on disk"),
                        ],
                        max_length=8,
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
                    "image",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Which of its attempt's pictures it is: from 1.",
                        verbose_name="picture",
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
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
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.batch",
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
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="generation.plan",
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
                    ),
                ),
            ],
            options={
                "ordering": ["plan_id", "task", "-number"],
            },
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
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=128)),
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
                "ordering": ["name", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "sha256", "contract_sha256"), name="workflow_unique_content"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="rungroup",
            name="own_workflow",
            field=models.ForeignKey(
                blank=True,
                help_text="That of its runs, where a retry named another than their batch's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.workflow",
            ),
        ),
        migrations.AddField(
            model_name="planrun",
            name="own_workflow",
            field=models.ForeignKey(
                blank=True,
                help_text="Where a retry named another than its batch's: then all values are its own.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.workflow",
            ),
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
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="workflow",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="generation.workflow",
            ),
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
                ("key", models.CharField(max_length=255)),
                ("payload", models.JSONField()),
                ("fingerprint", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="generation.batch",
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
            name="LogEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "level",
                    models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("error", "error")],
                        max_length=8,
                    ),
                ),
                ("event", models.CharField(max_length=48)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("revision", models.PositiveBigIntegerField()),
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
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="logs",
                        to="generation.batch",
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
                    ),
                ),
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
            name="PlanTextChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("source", models.CharField(max_length=64)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField(auto_now_add=True)),
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
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="text_changes",
                        to="generation.plan",
                    ),
                ),
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
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.UniqueConstraint(
                fields=("project", "code"), name="episode_unique_in_project"
            ),
        ),
        migrations.AddConstraint(
            model_name="sequence",
            constraint=models.UniqueConstraint(
                fields=("episode", "code"), name="sequence_unique_in_episode"
            ),
        ),
        migrations.AddConstraint(
            model_name="server",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_expires_at", None), ("lease_token", None)),
                    models.Q(("lease_expires_at__isnull", False), ("lease_token__isnull", False)),
                    _connector="OR",
                ),
                name="server_lease_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="server",
            constraint=models.CheckConstraint(
                condition=models.Q(("health__in", ["unknown", "up", "down"])),
                name="server_health_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="capability",
            constraint=models.UniqueConstraint(
                fields=("needs", "server"), name="capability_one_each"
            ),
        ),
        migrations.AddIndex(
            model_name="plan",
            index=models.Index(
                condition=models.Q(("label", ""), _negated=True),
                fields=["label"],
                name="plan_by_label",
            ),
        ),
        migrations.AddIndex(
            model_name="plan",
            index=models.Index(
                condition=models.Q(("storyboard_uid", ""), _negated=True),
                fields=["storyboard_uid"],
                name="plan_by_storyboard_uid",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                fields=("sequence", "code"), name="plan_unique_in_sequence"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("production_status__in", ["active", "on_hold", "omitted"])),
                name="plan_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(fields=["batch", "revision"], name="version_by_revision"),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(fields=["sha256"], name="version_by_sha256"),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(fields=["served_sha256"], name="version_by_served"),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(fields=["pixels_sha256"], name="version_by_pixels"),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(
                condition=models.Q(("state", generation.states.VersionState["RESERVED"])),
                fields=["created_at"],
                name="version_reserved",
            ),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(
                condition=models.Q(
                    ("served_sha256", ""), ("state", generation.states.VersionState["PUBLISHED"])
                ),
                fields=["id"],
                name="version_not_yet_served",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                fields=("plan", "task", "number"), name="version_number_used_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(fields=("path",), name="version_path_used_once"),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                fields=("attempt", "image"), name="version_picture_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(("image__gte", 1), ("image__lte", 16)),
                name="version_picture_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1), ("number__lte", 9999)),
                name="version_number_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["reserved", "published", "open"])),
                name="version_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["server", "-id"], name="attempt_of_server"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", generation.states.AttemptOutcome["OPEN"])),
                fields=["server"],
                name="attempt_open_of_server",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("is_left_behind", True)),
                fields=["server"],
                name="attempt_left_on_server",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", generation.states.AttemptOutcome["OPEN"])),
                fields=("run",),
                name="attempt_one_open_per_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                fields=("run", "number"), name="attempt_unique_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        ["open", "done", "error", "cancelled", "lost", "refused", "abandoned"],
                    )
                ),
                name="attempt_outcome_known",
            ),
        ),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(
                condition=models.Q(
                    ("state", generation.states.RunState["QUEUED"]), ("wait_reason", "")
                ),
                fields=["group", "position"],
                name="run_next_of_group",
            ),
        ),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(fields=["batch", "state"], name="run_by_state"),
        ),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(fields=["batch", "revision"], name="run_by_revision"),
        ),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(fields=["state", "-id"], name="run_of_state"),
        ),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(
                condition=models.Q(("wait_reason", generation.states.WaitReason["PANEL"])),
                fields=["plan"],
                name="run_waits_for_panel",
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.UniqueConstraint(
                fields=("batch", "plan", "variation"), name="run_unique_in_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("variation__gte", 1), ("variation__lte", 16)),
                name="run_variation_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["queued", "waiting", "running", "done", "error", "cancelled"])
                ),
                name="run_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("progress_pct__lte", 100)), name="run_progress_bounds"
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
                    models.Q(("state", generation.states.RunState["ERROR"]), _negated=True),
                    models.Q(("error_code", ""), _negated=True),
                    _connector="OR",
                ),
                name="run_error_says_why",
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
        migrations.AddConstraint(
            model_name="block",
            constraint=models.UniqueConstraint(
                fields=("server", "workflow"), name="block_one_each"
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("n_queued__gt", 0)),
                fields=["-priority", "n_running", "served_at"],
                name="batch_next_to_serve",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["episode", "-id"], name="batch_of_episode"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["auto", "manuel"])), name="batch_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__gte", -100), ("priority__lte", 100)),
                name="batch_priority_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_tries", None),
                    models.Q(("max_tries__gte", 1), ("max_tries__lte", 20)),
                    _connector="OR",
                ),
                name="batch_max_tries_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("variations__gte", 1), ("variations__lte", 16)),
                name="batch_variations_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mode", generation.states.Mode["MANUEL"]),
                    ("workflow__isnull", False),
                    _connector="OR",
                ),
                name="batch_auto_has_workflow",
            ),
        ),
        migrations.RunPython(add_styles, migrations.RunPython.noop),
    ]
