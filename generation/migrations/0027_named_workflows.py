"""Workflows by name, in the database; what was chosen for one is frozen with its graph."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0026_folders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NamedWorkflow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128)),
                ('folded', models.CharField(help_text='The name without regard to case.', max_length=400, unique=True)),
                ('document', models.TextField(blank=True, help_text='The text as it was given.')),
                ('graph', models.JSONField(blank=True, null=True)),
                ('sha256', models.CharField(blank=True, help_text='Of the graph.', max_length=64)),
                ('error', models.JSONField(blank=True, help_text='{"code", "detail", "node"}', null=True)),
                ('choices', models.JSONField(blank=True, default=dict, help_text='See workflows.choices.', verbose_name='answers and choices')),
                ('file_sha256', models.CharField(blank=True, max_length=64)),
                ('file_changed_at', models.DateTimeField(blank=True, null=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'workflow',
                'ordering': ['folded'],
                'permissions': [('give_workflow', 'Can give and change workflows: they run nodes on the GPU hosts')],
                'default_permissions': ('view', 'delete'),
            },
        ),
        migrations.AlterModelOptions(
            name='workflow',
            options={'ordering': ['name', '-id'], 'verbose_name': 'frozen workflow'},
        ),
        migrations.RemoveConstraint(
            model_name='workflow',
            name='workflow_unique_content',
        ),
        migrations.AddField(
            model_name='workflow',
            name='choices',
            field=models.JSONField(blank=True, default=dict, help_text='See workflows.choices.', verbose_name='answers and choices'),
        ),
        migrations.AddField(
            model_name='workflow',
            name='contract_sha256',
            field=models.CharField(default='44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', help_text='Of the answers and choices.', max_length=64),
        ),
        migrations.AddConstraint(
            model_name='workflow',
            constraint=models.UniqueConstraint(fields=('name', 'sha256', 'contract_sha256'), name='workflow_unique_content'),
        ),
        migrations.AddField(
            model_name='namedworkflow',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
    ]
