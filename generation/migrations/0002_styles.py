"""The two styles that the specification names."""

from django.db import migrations

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
    dependencies = [("generation", "0001_initial")]
    operations = [migrations.RunPython(add_styles, migrations.RunPython.noop)]
