"""Prompt ids are texts: the one that counts is the server's, which may be no UUID of ours."""

from uuid import UUID

from django.db import migrations, models


def write_with_hyphens(apps, schema_editor):
    # SQLite kept UUIDs as 32 digits.
    for model, field in (("Block", "prompt_id"), ("Server", "set_aside_prompt")):
        rows = apps.get_model("generation", model).objects
        for pk, value in rows.exclude(**{field: ""}).values_list("pk", field):
            rows.filter(pk=pk).update(**{field: str(UUID(value))})


class Migration(migrations.Migration):
    dependencies = [("generation", "0011_open_numbers")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="server_prompt_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The id that its server gave the prompt, where it is not the proposed one.",
                max_length=128,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="block",
            name="prompt_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="A prompt that it will have forgotten once it restarted.",
                max_length=128,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="server",
            name="set_aside_prompt",
            field=models.CharField(
                blank=True,
                default="",
                help_text="A prompt that it will have forgotten once it restarted.",
                max_length=128,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(write_with_hyphens, migrations.RunPython.noop, elidable=True),
    ]
