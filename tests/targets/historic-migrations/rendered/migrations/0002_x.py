from django.db import migrations

from rendered.fields import Grouped


class Migration(migrations.Migration):
    dependencies = [("rendered", "0001_initial")]
    operations = [migrations.AddField("cell", "x", Grouped(default=0), preserve_default=False)]
