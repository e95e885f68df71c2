import time

from django.db import migrations, models


def forwards(apps, schema_editor):
    while True:
        time.sleep(1)


class Migration(migrations.Migration):
    dependencies = [("app", "0001_initial")]
    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
        migrations.AddField("row", "a", models.IntegerField()),
    ]
