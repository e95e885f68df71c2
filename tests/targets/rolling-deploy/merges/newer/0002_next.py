from django.db import migrations


def merge(apps, schema_editor):
    """Keep one order of each number, and write numbers another way."""
    seen = set()
    for order in apps.get_model("merges", "Order").objects.order_by("id"):
        if order.number in seen:
            order.delete()
            continue
        seen.add(order.number)
        order.number = order.number.upper()
        order.save()


class Migration(migrations.Migration):
    dependencies = [("merges", "0001_initial")]
    operations = [migrations.RunPython(merge)]
