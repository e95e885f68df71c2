from django.db import models


class Row(models.Model):
    a = models.IntegerField()
