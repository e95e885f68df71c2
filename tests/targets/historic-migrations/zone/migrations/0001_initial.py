import datetime

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[("id", models.AutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID"))],
        ),
        migrations.AddField(
            model_name="note",
            name="made",
            # Gone in 5.0.
            field=models.DateTimeField(default=datetime.datetime(2020, 1, 1, tzinfo=timezone.utc)),
        ),
        migrations.AlterField(model_name="note", name="made", field=models.DateTimeField()),
    ]
