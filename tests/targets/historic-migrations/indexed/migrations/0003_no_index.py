from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("indexed", "0002_index")]
    operations = [migrations.AlterIndexTogether(name="row", index_together=set())]
