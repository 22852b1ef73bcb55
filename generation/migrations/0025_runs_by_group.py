"""What a plan needs is known of its group alone, and so is how often it was passed over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0024_run_groups")]

    operations = [
        migrations.RemoveIndex(model_name="planrun", name="run_of_own_needs"),
        migrations.RemoveIndex(model_name="planrun", name="run_next_to_claim"),
        migrations.RemoveField(model_name="planrun", name="needs"),
        migrations.RemoveField(model_name="batch", name="n_passed_over"),
        migrations.AddIndex(
            model_name="planrun",
            index=models.Index(
                condition=models.Q(("state", "queued"), ("wait_reason", "")),
                fields=["group", "position"],
                name="run_next_of_group",
            ),
        ),
    ]
