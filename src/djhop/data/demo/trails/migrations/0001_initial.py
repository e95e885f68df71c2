import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Trail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(unique=True)),
                ("kilometres", models.DecimalField(decimal_places=1, max_digits=5)),
                ("open", models.BooleanField(default=True)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="Walk",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("walker", models.CharField(max_length=80)),
                ("started", models.DateTimeField(default=django.utils.timezone.now)),
                ("minutes", models.PositiveIntegerField()),
                (
                    "trail",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="walks",
                        to="trails.trail",
                    ),
                ),
            ],
            options={"ordering": ["started"]},
        ),
    ]
