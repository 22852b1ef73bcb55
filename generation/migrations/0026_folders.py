"""The files in the folders of a server, as far as it tells them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0025_runs_by_group"),
    ]

    operations = [
        migrations.AddField(
            model_name="serverdefinitions",
            name="folders",
            field=models.JSONField(
                default=dict,
                help_text="Names of the files in its folders, as far as it tells them.",
            ),
        ),
    ]
