from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("indexed", "0002_index")]
    operations = [migrations.DeleteModel("Old")]
