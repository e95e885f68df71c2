from django.db import migrations


def forwards(apps, schema_editor):
    apps.get_model("shop", "Customer").objects.create(name="the first")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(forwards),
        migrations.RunSQL("UPDATE shop_customer SET name = 'First'", migrations.RunSQL.noop),
    ]
