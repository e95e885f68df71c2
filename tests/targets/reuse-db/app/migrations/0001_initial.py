from django.db import migrations, models


def fill(apps, schema_editor):
    from django.utils.timezone import utc

    assert utc


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(name="Note", fields=[("id", models.AutoField(primary_key=True))]),
        migrations.RunPython(fill),
    ]
