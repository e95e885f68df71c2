from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Row",
            fields=[("id", models.AutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID"))],
        ),
    ]
