import django
from django.db import migrations, models

KEY = models.BigAutoField(
    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
)


def use(apps, schema_editor):
    """Stand for what a database that is in use holds: there, numbers are not unique."""
    if django.VERSION < (5,):
        for _ in range(2):
            apps.get_model("fails", "Order").objects.create(number="1")


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Order",
            [
                ("id", KEY),
                ("number", models.CharField(max_length=20)),
            ],
        ),
        migrations.RunPython(use),
    ]
