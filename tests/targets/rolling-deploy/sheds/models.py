import django
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20)
    if django.VERSION < (5,):
        legacy = models.CharField(max_length=20, null=True)
