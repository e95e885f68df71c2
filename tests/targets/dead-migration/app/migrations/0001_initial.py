from django.db import migrations, models
from django.utils.timezone import utc


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("zone", models.CharField(max_length=9, default=str(utc))),
            ],
        ),
    ]
