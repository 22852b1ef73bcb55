"""A version knows the SHA-256 of what is served of it; renders are served as they are."""

from django.db import migrations, models
from django.db.models import F


def renders_as_they_are(apps, schema_editor):
    versions = apps.get_model("generation", "Version").objects
    versions.filter(origin="render").update(served_sha256=F("sha256"))


class Migration(migrations.Migration):
    dependencies = [("generation", "0018_same_as")]

    operations = [
        migrations.AddField(
            model_name="version",
            name="served_sha256",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Empty: what is served of it is not known yet.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(renders_as_they_are, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(
                condition=models.Q(("served_sha256", ""), ("state", "published")),
                fields=["id"],
                name="version_not_yet_served",
            ),
        ),
    ]
