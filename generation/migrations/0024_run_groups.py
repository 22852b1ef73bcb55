"""Runs are grouped by what they need of a server: a claim chooses among groups."""

import django.db.models.deletion
from django.db import migrations, models


def group_runs(apps, schema_editor):
    group = apps.get_model("generation", "RunGroup").objects
    runs = apps.get_model("generation", "PlanRun").objects.filter(batch__mode="auto").order_by()
    for batch_id, own, of_batch in runs.values_list("batch", "needs", "batch__needs").distinct():
        alike = runs.filter(batch=batch_id, needs=own)
        alike.update(group=group.create(batch_id=batch_id, needs_id=own or of_batch))


class Migration(migrations.Migration):
    dependencies = [("generation", "0023_variations")]

    operations = [
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
        migrations.RunPython(group_runs, migrations.RunPython.noop),
    ]
