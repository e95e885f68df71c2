from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("renames", "0001_initial")]
    operations = [migrations.AlterModelTable("order", "renames_purchase")]
