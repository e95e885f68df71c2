from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("indexed", "0001_initial")]
    operations = [
        # Gone in 5.1, and no traceback names this file.
        migrations.AlterIndexTogether(name="row", index_together={("a", "b")}),
    ]
