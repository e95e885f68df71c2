import django
from django.db import models

if django.VERSION >= (5,):
    raise RuntimeError("reports_old does not know this Django")


class Report(models.Model):
    title = models.CharField(max_length=20)
