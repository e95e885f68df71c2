from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("drops", "0001_initial")]
    operations = [migrations.RemoveField("order", "legacy")]
