import django
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20, unique=django.VERSION >= (5,))
    price = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                **{
                    "condition" if django.VERSION >= (5, 1) else "check": models.Q(price__gt=5),
                    "name": "not_cheap",
                }
            )
        ]
