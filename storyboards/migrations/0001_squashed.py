"""The tables of storyboards that come in."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import storyboards.models.convention
import storyboards.states


class Migration(migrations.Migration):
    replaces = [
        ("storyboards", "0001_initial"),
        ("storyboards", "0002_names_in_two_languages"),
        ("storyboards", "0003_names_of_fields"),
    ]

    initial = True

    dependencies = [
        ("generation", "0001_squashed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Convention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="storyboard_convention",
                        to="generation.project",
                        verbose_name="project",
                    ),
                ),
                (
                    "style_words",
                    models.JSONField(
                        blank=True,
                        default=storyboards.models.convention.default_words,
                        help_text='The word at the head of a board\'s action, and the style it means: {"LABO": "labo"}.',
                        verbose_name="style words",
                    ),
                ),
                (
                    "default_style",
                    models.CharField(
                        default="ombres_chinoises",
                        help_text="The style of boards that begin with none of these words.",
                        max_length=64,
                        validators=[django.core.validators.RegexValidator("^[A-Za-z0-9_-]{1,64}$")],
                        verbose_name="default style",
                    ),
                ),
                (
                    "sequences_by",
                    models.CharField(
                        choices=[("style", "where the style changes"), ("shot", "with each shot")],
                        default="style",
                        help_text="Where a new sequence begins.",
                        max_length=8,
                        verbose_name="sequences begin",
                    ),
                ),
            ],
            options={
                "verbose_name": "convention",
                "verbose_name_plural": "conventions",
                "ordering": ["project_id"],
            },
        ),
        migrations.CreateModel(
            name="StoryboardImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.CharField(max_length=32, unique=True, verbose_name="id")),
                ("project_code", models.CharField(max_length=64, verbose_name="project")),
                ("season", models.CharField(max_length=8)),
                ("episode_code", models.CharField(max_length=12, verbose_name="episode")),
                ("file_name", models.CharField(max_length=255)),
                ("n_bytes", models.PositiveBigIntegerField(verbose_name="bytes")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "pictures",
                    models.CharField(
                        default="first",
                        help_text="Of several pictures of a plan: first, last or all.",
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "reading"),
                            ("draft", "draft"),
                            ("confirmed", "confirmed"),
                            ("failed", "failed"),
                        ],
                        default=storyboards.states.ImportState["READING"],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "progress_pct",
                    models.PositiveSmallIntegerField(default=0, verbose_name="progress"),
                ),
                (
                    "error",
                    models.JSONField(
                        blank=True,
                        help_text="Why it cannot be read: code, detail and data.",
                        null=True,
                    ),
                ),
                ("kind", models.CharField(blank=True, max_length=16)),
                ("title", models.CharField(blank=True, max_length=255)),
                ("doubts", models.JSONField(blank=True, default=list)),
                (
                    "made",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What its confirmation has made, by counts.",
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=1)),
                ("n_tries", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="came")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "confirmed_by",
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
                "verbose_name": "storyboard",
                "verbose_name_plural": "storyboards",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", storyboards.states.ImportState["READING"])),
                        fields=["id"],
                        name="storyboard_reading",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["reading", "draft", "confirmed", "failed"])
                        ),
                        name="storyboard_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("confirmed_at__isnull", False),
                                ("state", storyboards.states.ImportState["CONFIRMED"]),
                            ),
                            models.Q(
                                models.Q(
                                    ("state", storyboards.states.ImportState["CONFIRMED"]),
                                    _negated=True,
                                ),
                                ("confirmed_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="storyboard_confirmed_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("error__isnull", False),
                                ("state", storyboards.states.ImportState["FAILED"]),
                            ),
                            models.Q(
                                models.Q(
                                    ("state", storyboards.states.ImportState["FAILED"]),
                                    _negated=True,
                                ),
                                ("error__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="storyboard_failed_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftBoard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="boards",
                        to="storyboards.storyboardimport",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(help_text="From 1, in the order of the story."),
                ),
                ("page", models.PositiveIntegerField(blank=True, null=True)),
                ("label", models.CharField(blank=True, max_length=64)),
                ("uid", models.CharField(blank=True, max_length=64)),
                ("start_ms", models.PositiveBigIntegerField(blank=True, null=True)),
                ("duration_ms", models.PositiveBigIntegerField(blank=True, null=True)),
                ("dialogue", models.TextField(blank=True)),
                ("action", models.TextField(blank=True)),
                ("notes", models.TextField(blank=True)),
                ("picture_sha256", models.CharField(blank=True, max_length=64)),
                ("picture_suffix", models.CharField(blank=True, max_length=8)),
                ("width_px", models.PositiveIntegerField(blank=True, null=True)),
                ("height_px", models.PositiveIntegerField(blank=True, null=True)),
                ("is_blank", models.BooleanField(default=False)),
                ("doubts", models.JSONField(blank=True, default=list)),
                (
                    "is_checked",
                    models.BooleanField(
                        default=False,
                        help_text="Somebody has looked at its doubts, and left or corrected it.",
                    ),
                ),
                (
                    "sequence_code",
                    models.CharField(blank=True, max_length=6, verbose_name="sequence_id"),
                ),
                ("plan_code", models.CharField(blank=True, max_length=4, verbose_name="plan")),
                ("style_code", models.CharField(blank=True, max_length=64, verbose_name="style")),
                ("is_selected", models.BooleanField(default=False, verbose_name="selected")),
            ],
            options={
                "verbose_name": "board",
                "ordering": ["of_id", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("of", "position"), name="board_position_used_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("position__gte", 1)), name="board_position_from_1"
                    ),
                ],
            },
        ),
    ]
