"""A server stands aside for another that is the same ComfyUI."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0017_storage")]

    operations = [
        migrations.AddField(
            model_name="server",
            name="same_as",
            field=models.ForeignKey(
                blank=True,
                help_text="It stands aside for this one: both addresses lead to the same ComfyUI.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="generation.server",
            ),
        ),
    ]
