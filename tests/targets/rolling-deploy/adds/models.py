import django
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20)
    if django.VERSION >= (5,):
        note = models.CharField(max_length=20, default="")
