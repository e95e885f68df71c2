from django.db import models


class Cell(models.Model):
    x = models.IntegerField()
