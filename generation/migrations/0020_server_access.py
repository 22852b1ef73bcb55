"""How a server is reached: its secrets stand apart from its address, and whom it is believed by."""

from django.db import migrations, models

from generation.comfyui import address


def split_addresses(apps, schema_editor):
    rows = apps.get_model("generation", "Server").objects
    for pk, url in rows.order_by("pk").values_list("pk", "url"):
        parts = address.parse(url)
        if parts.url == url:
            continue
        if rows.filter(url=parts.url).exists():
            # The same ComfyUI twice, by two logins: its first row goes on.
            rows.filter(pk=pk).update(url=f"{parts.url}#{pk}", is_enabled=False)
        else:
            rows.filter(pk=pk).update(url=parts.url, login=parts.login, query=parts.query)


class Migration(migrations.Migration):
    dependencies = [("generation", "0019_served")]

    operations = [
        migrations.AlterField(
            model_name="server",
            name="url",
            field=models.CharField(max_length=500, unique=True, verbose_name="address"),
        ),
        migrations.AddField(
            model_name="server",
            name="login",
            field=models.CharField(
                blank=True,
                default="",
                help_text="For basic auth: name:password. It is not shown.",
                max_length=500,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="server",
            name="query",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Goes with every request, such as token=…. It is not shown.",
                max_length=2000,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="server",
            name="certificate",
            field=models.TextField(
                blank=True,
                default="",
                help_text="For https with a certificate of the studio's own: that of its CA, or the"
                " server's, as PEM text; or the SHA-256 fingerprint of the server's, then no other"
                " is believed.",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="server",
            name="partner_key",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The Comfy.org API key that paid partner nodes are billed by. It goes with"
                " every prompt to this server, and is not shown.",
                max_length=500,
                verbose_name="key for partner nodes",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="serverdefinitions",
            name="sha256",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of what is installed: without the lists of uploads.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="serverdefinitions",
            name="n_bytes",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(split_addresses, migrations.RunPython.noop, elidable=True),
    ]
