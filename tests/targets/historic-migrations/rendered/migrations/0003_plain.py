from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rendered", "0002_x")]
    operations = [migrations.AlterField("cell", "x", models.IntegerField())]
