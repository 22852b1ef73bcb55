"""Published pictures are measured before anybody looks; those that there are, too."""

import django.db.models.deletion
from django.db import migrations, models


def measure_all(apps, schema_editor):
    # Their small pictures are kept: only the measures are made.
    versions = apps.get_model("generation", "Version").objects
    versions.filter(derived="made").exclude(review_state="").update(derived="pending")


def like(whose):
    return models.ForeignKey(
        help_text=whose,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to="generation.version",
    )


class Migration(migrations.Migration):
    dependencies = [("generation", "0007_acts")]
    operations = [
        migrations.AddField(
            "style",
            "checks",
            models.JSONField(
                blank=True,
                default=dict,
                help_text="Bounds of what is checked of its pictures before anybody looks, from 0 to"
                ' 1; null switches a check off: {"composition": 0.7, "like_plan": null}. What is'
                " not named keeps its default.",
            ),
        ),
        migrations.CreateModel(
            "Measure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                ("plan_distance", models.FloatField(null=True)),
                ("like_plan", like("Of another plan.")),
                ("like_version", like("Of the same plan.")),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="measure",
                        to="generation.version",
                    ),
                ),
            ],
        ),
        migrations.RunPython(measure_all, migrations.RunPython.noop),
    ]
