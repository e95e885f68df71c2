import django
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20)

    class Meta:
        db_table = "renames_purchase" if django.VERSION >= (5,) else "renames_order"
