import django
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20, unique=django.VERSION >= (5,))
