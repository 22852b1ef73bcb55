"""The tables of decisions about versions, links for guests and retakes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("review", "0001_initial"),
        ("review", "0002_retakes"),
        ("review", "0003_review_links"),
        ("review", "0004_retake_reasons"),
        ("review", "0005_names_of_fields"),
    ]

    initial = True

    dependencies = [
        ("generation", "0001_squashed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RetakeReasons",
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
                        related_name="retake_reasons",
                        to="generation.project",
                        verbose_name="project",
                    ),
                ),
                ("reasons", models.JSONField(blank=True, default=list, verbose_name="reasons")),
            ],
            options={
                "verbose_name": "reasons for retakes",
                "verbose_name_plural": "reasons for retakes",
                "ordering": ["project"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="generation.version",
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("approve", "approve"),
                            ("retake", "retake"),
                            ("reopen", "reopen"),
                            ("undo", "undo"),
                            ("comment", "comment"),
                            ("advise_approve", "advise_approve"),
                            ("advise_retake", "advise_retake"),
                        ],
                        max_length=16,
                        verbose_name="decision",
                    ),
                ),
                ("comment", models.TextField(blank=True, max_length=2000)),
                (
                    "seen",
                    models.CharField(
                        choices=[
                            ("to_review", "to review"),
                            ("approved", "approved"),
                            ("retake", "retake"),
                            ("superseded", "superseded"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "became",
                    models.CharField(
                        choices=[
                            ("to_review", "to review"),
                            ("approved", "approved"),
                            ("retake", "retake"),
                            ("superseded", "superseded"),
                        ],
                        max_length=12,
                    ),
                ),
                ("changed", models.JSONField(blank=True, default=list)),
                (
                    "undoes",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="review.review",
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        help_text="The advice that was taken over.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followed_by",
                        to="review.review",
                    ),
                ),
                (
                    "pin_x",
                    models.FloatField(
                        blank=True,
                        help_text="Where on the picture, from its left edge (0) on to 1.",
                        null=True,
                    ),
                ),
                (
                    "pin_y",
                    models.FloatField(
                        blank=True, help_text="And from its upper edge on.", null=True
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guest",
                    models.CharField(
                        blank=True, help_text="The name that a guest gave.", max_length=100
                    ),
                ),
                (
                    "link",
                    models.CharField(
                        blank=True, help_text="The link that a guest used.", max_length=32
                    ),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("api", "api"),
                            ("table", "table"),
                            ("link", "link"),
                            ("command", "command"),
                            ("file", "file"),
                        ],
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "ordering": ["-id"],
                "permissions": [
                    ("decide", "Can approve pictures, ask for retakes and reopen"),
                    ("comment", "Can comment on pictures"),
                ],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["version", "-id"], name="review_of_version"),
                    models.Index(fields=["made_at"], name="review_by_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "decision__in",
                                [
                                    "approve",
                                    "retake",
                                    "reopen",
                                    "undo",
                                    "comment",
                                    "advise_approve",
                                    "advise_retake",
                                ],
                            )
                        ),
                        name="review_decision_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "undo"), ("undoes__isnull", False)),
                            models.Q(
                                models.Q(("decision", "undo"), _negated=True), ("undoes", None)
                            ),
                            _connector="OR",
                        ),
                        name="review_undo_of_what",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pin_x", None), ("pin_y", None)),
                            models.Q(
                                ("pin_x__gte", 0),
                                ("pin_x__lte", 1),
                                ("pin_y__gte", 0),
                                ("pin_y__lte", 1),
                            ),
                            _connector="OR",
                        ),
                        name="review_pin_on_the_picture",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "label",
                    models.CharField(
                        blank=True, help_text="For whom, or what for.", max_length=100
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_links",
                        to="generation.episode",
                    ),
                ),
                (
                    "sequence",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_links",
                        to="generation.sequence",
                    ),
                ),
                ("password", models.CharField(blank=True, editable=False, max_length=128)),
                (
                    "may_decide",
                    models.BooleanField(
                        default=False,
                        help_text="Whether what guests say decides; else it is advice.",
                    ),
                ),
                ("may_download", models.BooleanField(default=False)),
                ("guests", models.JSONField(blank=True, default=list)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="review_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "link for guests",
                "verbose_name_plural": "links for guests",
                "ordering": ["-id"],
                "permissions": [("share", "Can give links by which guests judge pictures")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Retake",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retakes",
                        to="review.review",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.batch",
                    ),
                ),
                ("asked", models.JSONField(default=dict)),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("review", "number"), name="retake_number_once"),
                    models.UniqueConstraint(
                        fields=("review", "batch"), name="retake_once_in_a_batch"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LinkedVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="linked",
                        to="review.reviewlink",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.version",
                    ),
                ),
                (
                    "panel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.version",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("link", "version"), name="review_link_shows_once"
                    )
                ],
            },
        ),
    ]
