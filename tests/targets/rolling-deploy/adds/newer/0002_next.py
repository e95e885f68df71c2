from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adds", "0001_initial")]
    operations = [
        migrations.AddField("order", "note", models.CharField(max_length=20, default=""))
    ]
