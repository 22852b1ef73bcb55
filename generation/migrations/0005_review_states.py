"""Versions know what their review has come to; a key may stand for another answer than a batch."""

from django.db import migrations, models
from django.db.models import Q

STATES = ["to_review", "approved", "retake", "superseded"]


def begin_review(apps, schema_editor):
    versions = apps.get_model("generation", "Version").objects
    versions.filter(task="AI-concept").update(review_state="to_review")


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_derived_data")]
    operations = [
        migrations.AddField(
            "idempotencykey", "kind", models.CharField(default="batch", max_length=16)
        ),
        migrations.AddField(
            "idempotencykey",
            "answer",
            models.JSONField(help_text="Of what makes no batch.", null=True),
        ),
        migrations.AddField(
            "version",
            "review_state",
            models.CharField(
                blank=True,
                choices=[(state, state.replace("_", " ")) for state in STATES],
                default="",
                help_text="Empty: nobody decides on versions of its task.",
                max_length=12,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(begin_review, migrations.RunPython.noop),
        migrations.AddIndex(
            "version",
            models.Index(
                condition=Q(state="published", review_state="to_review"),
                fields=["-id"],
                name="version_to_review",
            ),
        ),
        migrations.AddIndex(
            "version",
            models.Index(
                condition=Q(review_state="retake"), fields=["plan"], name="version_retake"
            ),
        ),
        migrations.AddConstraint(
            "version",
            models.UniqueConstraint(
                condition=Q(review_state="approved"),
                fields=["plan"],
                name="version_one_approved_of_plan",
            ),
        ),
        migrations.AddConstraint(
            "version",
            models.CheckConstraint(
                condition=Q(review_state__in=STATES, task__in=("AI-concept",))
                | (~Q(task__in=("AI-concept",)) & Q(review_state="")),
                name="version_review_state_known",
            ),
        ),
        migrations.AddConstraint(
            "version",
            models.CheckConstraint(
                condition=Q(state="published") | Q(review_state__in=["", "to_review"]),
                name="version_decided_is_published",
            ),
        ),
    ]
