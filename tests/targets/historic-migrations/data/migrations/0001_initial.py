import datetime

from django.db import migrations, models
from django.utils import timezone


def forwards(apps, schema_editor):
    # Gone in 5.0: seen when it is run, and not before.
    at = datetime.datetime(2020, 1, 1, tzinfo=timezone.utc)
    apps.get_model("data", "Event").objects.create(at=at)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
