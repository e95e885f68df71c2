from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("indexed", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Old",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("a", models.IntegerField()),
                ("b", models.IntegerField()),
            ],
            # Gone in 5.1 for models, and still good for history.
            options={"index_together": {("a", "b")}},
        ),
    ]
