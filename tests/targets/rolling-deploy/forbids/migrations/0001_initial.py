from django.db import migrations, models

from ..models import Order

KEY = models.BigAutoField(
    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Order",
            [
                ("id", KEY),
                ("number", models.CharField(max_length=20)),
                ("price", models.IntegerField()),
            ],
            options={"constraints": Order._meta.constraints},
        )
    ]
