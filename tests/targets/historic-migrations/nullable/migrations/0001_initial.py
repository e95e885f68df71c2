from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Flag",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                # Removed in 4.0, and still good for history.
                ("on", models.NullBooleanField()),
            ],
        ),
        migrations.AlterField("flag", "on", models.BooleanField(null=True)),
    ]
